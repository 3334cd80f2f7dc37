/**
 * The numbers of a report. They are stored with it and rendered later, perhaps under another configuration, so they carry the titles of
 * their time.
 *
 * What is counted
 *
 *   round        one slot of one check: the same question asked from all of the check's locations at once. Only scheduled runs count:
 *                confirmations, verifications and what people asked for would count a bad minute several times
 *   failed       more than half of the locations that were due said down: the quorum of core/evaluate.ts, over the ledger's own
 *                number of locations in that slot, so that a changed configuration changes no past
 *   not seen     not failed, and half of them or fewer said anything about the target (missed runs and faults of the agent say nothing)
 *   well         all other rounds: enough of them spoke, and no quorum said down. Slow is well here; it shows in p95
 *
 * Of the time from which no runs are kept any more these are what rollups say (core/rollup.ts), by whole hours: there a round is well when a
 * quorum said that it is not down, confirmations counted in, and of what did not go as planned no reason is known.
 *
 * Availability is well ÷ (well + failed). Rounds that were not seen are in neither; they are told beside it with their number. Without a
 * single round that was seen there is no availability: no data is no 100 %. Runs that are still under way when the report is made are told as such.
 *
 * A location has no quorum of its own: there, a round is one run, failed when it said down and not seen when it brought no verdict.
 * A service has the availability of its critical checks, or of all when it has none that is critical.
 *
 * p50 and p95 are over the durations of scheduled runs that were not down, retries not counted in, good to 1 % (core/report/pace.ts);
 * what is usual is the same over the 7 days before the window. Of a clinic, a location or a service that has journeys, they are those of
 * the journeys alone: plain requests answer in milliseconds and would hide them.
 */
import type { IncidentClass } from '../check.ts';
import type { Incident } from '../incident.ts';
import type { ReportChart } from './chart.ts';
import type { Histogram, Pace } from './pace.ts';

/** Rounds, or at a location runs. */
export interface Seen {
  well: number;
  failed: number;
  unseen: number;
}

/** One line of the report. */
export interface Figure extends Seen, Pace {
  id: string;
  title: string;
}

export interface ServiceFigure extends Figure {
  tier: 1 | 2 | 3;
  /** The worst that an incident made of it in the window. */
  class?: IncidentClass;
  /** How long incidents of it lasted in the window, milliseconds. */
  troubledMs?: number;
}

/** Runs that did not go as planned, alike in state and reason. */
export interface Exception {
  state: 'late' | 'fault' | 'missed';
  /** The ledger's reason by name: `no-result`, `agent-busy` … */
  reason: string;
  runs: number;
  /** Titles. */
  checks: string[];
  locations: string[];
}

export interface IncidentFigure {
  id: number;
  class: IncidentClass;
  subject: string;
  beganMs: number;
  /** Milliseconds within and beyond the window, until it ended or the report was made. */
  lastedMs: number;
  open: boolean;
}

/** One check seen from one location, for the table that is attached. */
export interface ReportRow extends Pace {
  check: string;
  title: string;
  service: string;
  tenant: string;
  location: string;
  up: number;
  degraded: number;
  down: number;
  fault: number;
  missed: number;
  late: number;
  /** Of the whole check, all its locations together. */
  rounds: Seen;
}

export interface ReportNumbers {
  /** Of the configuration; empty for all services. */
  id: string;
  title: string;
  timeZone: string;
  fromMs: number;
  untilMs: number;
  /** When it was due; without it somebody asked. */
  slotMs?: number;
  /** It was made up for: nothing ran when it was due. */
  madeUp?: true;
  /** Earlier slots that were never posted. */
  missedSlots: { slotMs: number; reason: string }[];
  /** When the first result within the window was planned, if there is any. */
  firstMs?: number;
  services: ServiceFigure[];
  journeys: (Figure & { service: string; critical: boolean })[];
  components: Figure[];
  tenants: Figure[];
  locations: Figure[];
  exceptions: Exception[];
  /** Runs of the window that had not ended when it was made. */
  underWay: number;
  incidents: IncidentFigure[];
  chart: ReportChart;
  rows: ReportRow[];
}

/** Rounds of one check in one part of the window. */
export interface RoundCount extends Seen {
  check: string;
  /** Counted from `chart.startMs` in widths of the chart. */
  part: number;
}

/** Runs of one check at one location. */
export interface RunCount {
  check: string;
  location: string;
  up: number;
  degraded: number;
  down: number;
  fault: number;
  pace: Histogram;
  usual: Histogram;
}

export interface ExceptionCount {
  check: string;
  location: string;
  state: Exception['state'];
  reason: string;
  runs: number;
}

/** What the database counted. */
export interface Counted {
  firstMs?: number;
  rounds: readonly RoundCount[];
  runs: readonly RunCount[];
  /** Durations of each template in each part, of runs that were not down. */
  parts: readonly { template: string; part: number; pace: Histogram }[];
  exceptions: readonly ExceptionCount[];
  underWay: number;
  incidents: readonly Incident[];
}

export interface ReportFrame {
  id: string;
  title: string;
  timeZone: string;
  services: readonly string[];
  fromMs: number;
  untilMs: number;
  slotMs?: number;
  madeUp?: boolean;
  missedSlots?: { slotMs: number; reason: string }[];
  /** Where the parts of the chart begin, and how long one is, milliseconds. */
  parts: { startMs: number; widthMs: number };
}
