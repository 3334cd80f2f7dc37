/**
 * What became of one slot of a check: good, bad, or not seen.
 *
 *   said      per location, the last that was said for that slot: its scheduled run, or the confirmation asked for it. Each is what
 *             an agent reported after its own retries. Faults of the agent and runs that brought nothing say nothing
 *   quorum    more than half of the locations that were due in that slot, by the ledger and not by the configuration of today
 *   bad       a quorum says down; of a latency, down or slower; of a measurement, beyond its limit
 *   good      a quorum says the contrary
 *   unseen    neither: it counts for nothing
 *
 * The order in which results come, and how often, changes nothing. store/rollup.ts says the same in SQL.
 */
import type { Purpose, Verdict } from '../check.ts';
import { keepsTo, type Sli } from './slo.ts';

export type SlotOutcome = 'good' | 'bad' | 'unseen';

/** One run that was made for the slot. */
export interface SlotRun {
  location: string;
  purpose: Purpose;
  plannedAtMs: number;
  /** `undefined`: it brought no result. */
  verdict: Verdict | undefined;
  durationMs: number;
  measurements?: Readonly<Record<string, number>>;
}

/** What became of the slot, `due` being the number of locations that were to run it. */
export function slotOutcome(sli: Sli, due: number, runs: readonly SlotRun[]): SlotOutcome {
  const quorum = Math.floor(due / 2) + 1;
  const said = [...lastSaid(runs).values()].map((run) => judge(sli, run));
  if (said.filter((one) => one === 'bad').length >= quorum) return 'bad';
  return said.filter((one) => one === 'good').length >= quorum ? 'good' : 'unseen';
}

const SEVERITY: Readonly<Record<Verdict, number>> = { fault: 0, up: 1, degraded: 2, down: 3 };

/** The last verdict of each location. Of two planned at once the confirmation counts, and then the worse, whichever came first. */
function lastSaid(runs: readonly SlotRun[]): Map<string, SlotRun> {
  const last = new Map<string, SlotRun>();
  for (const run of runs) {
    if (run.verdict === undefined || run.verdict === 'fault') continue;
    if (run.purpose !== 'scheduled' && run.purpose !== 'confirm') continue;
    const known = last.get(run.location);
    if (!known || later(run, known)) last.set(run.location, run);
  }
  return last;
}

function later(run: SlotRun, known: SlotRun): boolean {
  if (run.plannedAtMs !== known.plannedAtMs) return run.plannedAtMs > known.plannedAtMs;
  if (run.purpose !== known.purpose) return run.purpose === 'confirm';
  const [one, other] = [SEVERITY[run.verdict ?? 'fault'], SEVERITY[known.verdict ?? 'fault']];
  return one === other ? run.durationMs > known.durationMs : one > other;
}

function judge(sli: Sli, run: SlotRun): SlotOutcome {
  if (sli.kind === 'measurement') {
    const value = run.measurements?.[sli.measurement];
    if (value === undefined) return 'unseen';
    return keepsTo(sli.op, value, sli.limit) ? 'good' : 'bad';
  }
  if (run.verdict === 'down') return 'bad';
  return sli.kind === 'availability' || run.durationMs <= sli.fasterMs ? 'good' : 'bad';
}
