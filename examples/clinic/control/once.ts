import type { World } from '../faults/fault.ts';

export interface Answer {
  ok: boolean;
  summary: string;
}

/** An answer is given again for a day; by then whoever asked has long stopped asking. */
const KEPT = '1 day';

/** Returns a runner that does one piece of work after the other: PostgreSQL refuses two changes of one row of its catalog at once. */
export function oneByOne(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = last.then(work);
    last = next.catch(() => undefined);
    return next;
  };
}

/**
 * Does the work once for each key and gives the same answer again.
 * Returns `undefined` when the key was used for another request. Work that throws is not remembered.
 */
export async function once({ admin }: World, key: string, request: string, work: () => Promise<Answer>): Promise<Answer | undefined> {
  await admin.query(`DELETE FROM shared.ops_answers WHERE answered_at < now() - interval '${KEPT}'`);
  const found = await admin.query<{ request: string; answer: Answer }>('SELECT request, answer FROM shared.ops_answers WHERE key = $1', [
    key,
  ]);
  const earlier = found.rows[0];
  if (earlier !== undefined) return earlier.request === request ? earlier.answer : undefined;
  const answer = await work();
  await admin.query('INSERT INTO shared.ops_answers (key, request, answer) VALUES ($1, $2, $3)', [key, request, answer]);
  return answer;
}
