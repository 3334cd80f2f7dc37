import type pg from 'pg';
import * as z from 'zod';
import { durationMs, urlOrSecret } from '../../core/config/units.ts';
import { type ActionContext, type ActionOutcome, defineAction } from '../action.ts';
import { NotReached, withSession } from '../session.ts';

/** How often it is looked whether the cancelled query has let go. */
const LOOK_EVERY_MS = 100;
/** A cancelled query that has not let go by then is reported as such. */
const LET_GO_MS = 5_000;

const schema = z.strictObject({
  url: urlOrSecret(['postgres', 'postgresql']).describe('The address, with a role that has `pg_signal_backend` and `pg_monitor`'),
  timeout: durationMs({ max: '1m' }).default(15_000).describe('How long the whole may take; 15s unless said'),
  terminate: z
    .boolean()
    .default(true)
    .describe('Whether a session that is idle in its transaction is ended: it runs no query that could be cancelled'),
});
type Params = z.infer<typeof schema>;
type Target = ActionContext['target'];

export default defineAction({
  type: 'postgres.cancel',
  summary:
    'Cancels the query that blocks the others, if it is still the same session and still blocks. One that is idle in a transaction is ended.',
  schema,
  needsFinding: 'blocking-session',
  preview: ({ terminate }, { pid }) =>
    `Cancels the query of pid ${pid ?? 'unknown'}${terminate ? ', or ends its session if it is idle in a transaction' : ''}, if it still blocks others.`,
  examples: [
    `postgres.cancel:
  url: \${secret:POSTGRES_MAIN_ADMIN_URL}
  location: north`,
  ],
  run,
});

async function run(params: Params, context: ActionContext): Promise<ActionOutcome> {
  const { pid, backendStart } = context.target;
  if (typeof pid !== 'number' || typeof backendStart !== 'string') {
    return { outcome: 'refused', summary: 'The incident names no session to cancel. Nothing was done.' };
  }
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(params.timeout)]);
  try {
    return await withSession(params.url, signal, (client) => cancel(client, { pid, backendStart }, params, context));
  } catch (error) {
    if (!(error instanceof NotReached)) throw error;
    return { outcome: 'failed', summary: error.message };
  }
}

async function cancel(client: pg.Client, target: Target, params: Params, context: ActionContext): Promise<ActionOutcome> {
  const startedMs = context.monotonic();
  const session = await look(client, target);
  if (!session) return { outcome: 'refused', summary: `Pid ${target.pid} is gone or has become another session. Nothing was done.` };
  if (session.blocks === 0) return { outcome: 'refused', summary: `Pid ${target.pid} blocks nobody any more. Nothing was done.` };
  if (session.idle && !params.terminate) {
    return { outcome: 'refused', summary: `Pid ${target.pid} is idle in its transaction: there is no query to cancel. Nothing was done.` };
  }
  if (!(await signalled(client, target, session.idle))) {
    return { outcome: 'refused', summary: `Pid ${target.pid} ended by itself just before. Nothing was done.` };
  }
  return await lettingGo(client, target, session, () => context.monotonic() - startedMs);
}

interface Blocker {
  /** Idle in a transaction: there is no query to cancel, only a session to end. */
  idle: boolean;
  blocks: number;
}

/** The session as it is now; `undefined` when the pid is another's by now. Counts those who wait behind others, too. */
async function look(client: pg.Client, target: Target): Promise<Blocker | undefined> {
  const answer = await client.query<Blocker>(
    `WITH RECURSIVE waiting AS MATERIALIZED (
       SELECT pid, pg_blocking_pids(pid) AS blockers FROM pg_stat_activity
        WHERE wait_event_type = 'Lock' AND pid <> pg_backend_pid()
     ), behind AS (
       SELECT pid FROM waiting WHERE $1::int = ANY (blockers)
       UNION
       SELECT waiting.pid FROM waiting JOIN behind ON behind.pid = ANY (waiting.blockers)
     )
     SELECT state LIKE 'idle in transaction%' AS idle, (SELECT count(*)::int FROM behind) AS blocks
       FROM pg_stat_activity WHERE ${SAME_SESSION}`,
    [target.pid, target.backendStart],
  );
  return answer.rows[0];
}

const SAME_SESSION = `pid = $1::int AND to_char(backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') = $2`;

/** Asks and acts in one statement: between the look and this, the pid may have become another session's. */
async function signalled(client: pg.Client, target: Target, idle: boolean): Promise<boolean> {
  const how = idle ? 'pg_terminate_backend' : 'pg_cancel_backend';
  const answer = await client.query<{ sent: boolean }>(`SELECT ${how}(pid) AS sent FROM pg_stat_activity WHERE ${SAME_SESSION}`, [
    target.pid,
    target.backendStart,
  ]);
  return answer.rows[0]?.sent === true;
}

async function lettingGo(client: pg.Client, target: Target, before: Blocker, elapsedMs: () => number): Promise<ActionOutcome> {
  const done = before.idle ? 'Ended the session' : 'Cancelled';
  const untilMs = elapsedMs() + LET_GO_MS;
  for (let now = await look(client, target); ; now = await look(client, target)) {
    if (!now || now.blocks === 0) {
      return { outcome: 'done', summary: `${done} in ${(elapsedMs() / 1000).toFixed(1)} s. ${goOn(before.blocks)}` };
    }
    if (elapsedMs() >= untilMs) break;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  return { outcome: 'failed', summary: `Pid ${target.pid} was told to stop, but still blocks others after ${LET_GO_MS / 1000} s.` };
}

function goOn(sessions: number): string {
  return sessions === 1 ? '1 session goes on.' : `${sessions} sessions go on.`;
}
