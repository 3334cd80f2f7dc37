/**
 * Which runs were folded, in which order, in a dozen letters each: the results themselves stand in the ledger.
 *
 *   2f.-a1.x9k.3.7k     check 87, slot 361 ms before the last one (the first: before the time of folding), mark x9k, location 3, ask 272
 *   2g.0.0a1            check 88, the same slot, the same location, no ask
 *   =book%2Friverside…  a check of which whoever folded did not know the number
 *
 * Numbers in base 36. The mark is a hash of what was folded: a result that was changed since is found by it.
 */
import type { FoldInput } from '../evaluate.ts';
import { stableHash } from '../run.ts';

/** The number of a check or location in the ledger, or its name. */
export type Ref = number | string;

export interface CodedRun {
  check: Ref;
  location: Ref;
  /** The run's slot; of what brought nothing, when it was planned. */
  slotMs: number;
  ask: number;
  mark: string;
}

const MARKS = 36 ** 3;

/** A hash of what of a result is folded, three letters. Of a duration, the milliseconds: the ledger keeps them with seven digits. */
export function markOf({
  verdict,
  durationMs,
  failure,
  findings,
}: Pick<FoldInput, 'verdict' | 'durationMs' | 'failure' | 'findings'>): string {
  const rest = failure === undefined && findings.length === 0 ? '' : sorted([failure, findings]);
  return (stableHash(`${verdict}${Math.round(Math.fround(durationMs))}${rest}`) % MARKS).toString(36).padStart(3, '0');
}

/** As JSON, the keys sorted: what comes back from the database has them in another order. */
export function sorted(value: unknown): string {
  return JSON.stringify(value, (_key, one: unknown) =>
    typeof one === 'object' && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );
}

/** The runs as one text. `baseMs`: the time of folding. */
export function packRuns(runs: readonly CodedRun[], baseMs: number): string {
  let slotMs = baseMs;
  let location: Ref | undefined;
  let text = '';
  for (const run of runs) {
    const moved = run.location !== location;
    const isLong = moved || run.ask !== 0;
    const tail = isLong ? `.${moved ? refText(run.location) : ''}${run.ask === 0 ? '' : `.${run.ask.toString(36)}`}` : '';
    text += `${text === '' ? '' : ' '}${refText(run.check)}.${(run.slotMs - slotMs).toString(36)}.${run.mark}${tail}`;
    slotMs = run.slotMs;
    location = run.location;
  }
  return text;
}

/** The runs that a text of {@link packRuns} names. Throws when it is none. */
export function unpackRuns(text: string, baseMs: number): CodedRun[] {
  if (text === '') return [];
  let slotMs = baseMs;
  let location: Ref | undefined;
  return text.split(' ').map((token) => {
    const [check = '', delta = '', mark = '', place = '', ask = '0', ...rest] = token.split('.');
    slotMs += numberFrom(delta);
    if (place !== '') location = refFrom(place);
    if (location === undefined || rest.length > 0) throw new Error(`not a run of the log: "${token.slice(0, 80)}"`);
    return { check: refFrom(check), location, slotMs, ask: numberFrom(ask), mark };
  });
}

function refText(ref: Ref): string {
  return typeof ref === 'number' ? ref.toString(36) : `=${encodeURIComponent(ref).replaceAll('.', '%2E')}`;
}

function refFrom(text: string): Ref {
  return text.startsWith('=') ? decodeURIComponent(text.slice(1)) : numberFrom(text);
}

function numberFrom(text: string): number {
  if (!/^-?[0-9a-z]+$/.test(text)) throw new Error(`not a number of the log: "${text.slice(0, 80)}"`);
  return Number.parseInt(text, 36);
}
