/**
 * What a location's latest runs brought, in the order of their planning, so that one that is told late is counted in its place: streaks
 * come to the same in whatever order results arrive, and however often. What is older than all that is kept is only a sum, and what comes
 * later than that says nothing any more.
 */

/** What a run said; `none`: it brought no verdict. */
export type Word = 'up' | 'degraded' | 'down' | 'none';

export interface Round {
  plannedAtMs: number;
  word: Word;
  /** Why there is no verdict. */
  reason?: string;
  /** Run outside the slots. */
  extra?: true;
}

/** What is counted of the verdicts in a row. */
export interface Streaks {
  /** The latest run with a verdict. */
  plannedAtMs: number;
  verdict: Exclude<Word, 'none'>;
  sinceMs: number;
  upStreak: number;
  badStreak: number;
  worksStreak: number;
}

/** The latest run of a location that brought no verdict. */
export interface Gap {
  plannedAtMs: number;
  reason: string;
  /** How many in a row, and when the first of them was planned. */
  runs: number;
  /** Not in states of an earlier version. */
  sinceMs?: number;
}

/** When the first run in a row that brought nothing was planned. */
export function gapBegan(gap: Pick<Gap, 'plannedAtMs' | 'sinceMs'>): number {
  return gap.sinceMs ?? gap.plannedAtMs;
}

/** What is counted of a location up to a run. */
export interface Sum {
  said?: Streaks;
  gap?: Gap;
}

export interface Recent {
  /** Of all that is older than the rounds. */
  before: Sum;
  /** The latest, in the order of their planning, no two of them planned at once. */
  rounds: Round[];
}

/** Of runs outside the slots and of runs that brought nothing, no more are kept than this for each that is counted. */
const MOST_FOR_EACH = 3;
const WEIGHT: Readonly<Record<Word, number>> = { none: 0, up: 1, degraded: 2, down: 3 };

/**
 * Puts a run where it belongs. Returns the same object when it says nothing new: it is older than all that is kept, or was told before.
 */
export function insertRound(recent: Recent, round: Round, { keep }: Keeping): Recent {
  if (round.plannedAtMs <= latestOf(recent.before)) return recent;
  const index = recent.rounds.findIndex((one) => one.plannedAtMs >= round.plannedAtMs);
  const known = recent.rounds[index];
  const isTwin = known?.plannedAtMs === round.plannedAtMs;
  if (isTwin && !saysMore(round, known)) return recent;
  const rounds = recent.rounds.toSpliced(index < 0 ? recent.rounds.length : index, isTwin ? 1 : 0, round);
  let { before } = recent;
  let counted = rounds.filter(isCounted).length;
  while (counted > keep || rounds.length > keep * MOST_FOR_EACH) {
    const oldest = rounds.shift();
    if (!oldest) break;
    if (isCounted(oldest)) counted--;
    before = nextSum(before, oldest);
  }
  return { before, rounds };
}

/** What is counted of it all. No streak is longer than what is kept in order, so that what comes later than that changes nothing. */
export function sumOf({ before, rounds }: Recent, { keep }: Keeping): Sum {
  const { said, gap } = rounds.reduce(nextSum, before);
  if (!said) return gap ? { gap } : {};
  const { upStreak, badStreak, worksStreak } = said;
  const most = (streak: number) => Math.min(streak, keep);
  return {
    said: { ...said, upStreak: most(upStreak), badStreak: most(badStreak), worksStreak: most(worksStreak) },
    ...(gap ? { gap } : {}),
  };
}

/** The check's interval, and how many verdicts of slots are kept in their order. */
export interface Keeping {
  everyMs: number;
  keep: number;
}

/**
 * What needs not be stored: a location that was up in each of the slots that are kept, and before. Returns `undefined` for it; `regular`
 * makes it anew.
 */
export function irregular(recent: Recent, { everyMs, keep }: Keeping): Recent | undefined {
  const { before, rounds } = recent;
  const isNext = (atMs: number, index: number) => atMs === (before.said?.plannedAtMs ?? 0) + (index + 1) * everyMs;
  const isUp = rounds.every((one, index) => one.word === 'up' && !one.extra && isNext(one.plannedAtMs, index));
  return rounds.length === keep && isUp && before.said?.verdict === 'up' ? undefined : recent;
}

/** What is kept of a location of which only the sum is stored. */
export function regular({ said, gap }: Sum, { everyMs, keep }: Keeping): Recent {
  const firstMs = (said?.plannedAtMs ?? 0) - (keep - 1) * everyMs;
  const isLongUp = said !== undefined && said.upStreak >= keep && said.sinceMs < firstMs && (gap?.plannedAtMs ?? 0) < firstMs;
  if (!isLongUp) return { before: { ...(said ? { said } : {}), ...(gap ? { gap } : {}) }, rounds: [] };
  const rounds = Array.from({ length: keep }, (_, index): Round => ({ plannedAtMs: firstMs + index * everyMs, word: 'up' }));
  return { before: { said: { ...said, plannedAtMs: firstMs - everyMs }, ...(gap ? { gap } : {}) }, rounds };
}

function isCounted({ word, extra }: Round): boolean {
  return word !== 'none' && !extra;
}

function latestOf({ said, gap }: Sum): number {
  return Math.max(said?.plannedAtMs ?? Number.NEGATIVE_INFINITY, gap?.plannedAtMs ?? Number.NEGATIVE_INFINITY);
}

/** Of two planned at once a verdict says more than none, a confirmation more than the slot's own run, and then the worse. */
function saysMore(one: Round, other: Round): boolean {
  if ((one.word === 'none') !== (other.word === 'none')) return other.word === 'none';
  if (one.extra !== other.extra) return one.extra === true;
  return WEIGHT[one.word] > WEIGHT[other.word];
}

function nextSum({ said, gap }: Sum, { plannedAtMs, word, reason, extra }: Round): Sum {
  if (word === 'none') {
    const row = gap && gap.plannedAtMs > (said?.plannedAtMs ?? 0) ? gap : { runs: 0, plannedAtMs };
    return { ...(said ? { said } : {}), gap: { plannedAtMs, reason: reason ?? 'fault', runs: row.runs + 1, sinceMs: gapBegan(row) } };
  }
  // A streak counts rounds; a run between them neither begins one nor makes it longer, but one that says otherwise ends it.
  const longer = (streak: number | undefined) => (streak ?? 0) + (extra ? 0 : 1);
  const next: Streaks = {
    plannedAtMs,
    verdict: word,
    sinceMs: said?.verdict === word ? said.sinceMs : plannedAtMs,
    upStreak: word === 'up' ? longer(said?.upStreak) : 0,
    badStreak: word === 'up' ? 0 : longer(said?.badStreak),
    worksStreak: word === 'down' ? 0 : longer(said?.worksStreak),
  };
  return { said: next, ...(gap ? { gap } : {}) };
}
