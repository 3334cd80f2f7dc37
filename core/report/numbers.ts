/**
 * The numbers of a report, from what the database counted. They are stored with the report and rendered later, perhaps under another
 * configuration, so they carry the titles of their time. Pure.
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
 * Availability is well ÷ (well + failed). Rounds that were not seen are in neither; they are told beside it with their number. Without a
 * single round that was seen there is no availability: no data is no 100 %. Runs that are still under way when the report is made are told as such.
 *
 * A location has no quorum of its own: there, a round is one run, failed when it said down and not seen when it brought no verdict.
 * A service has the availability of its critical checks, or of all when it has none that is critical.
 *
 * p50 and p95 are over the durations of scheduled runs that were not down, retries not counted in, good to 1 % (core/report/pace.ts);
 * what is usual is the same over the 7 days before the window.
 */
import { type Check, CLASSES, type IncidentClass } from '../check.ts';
import type { Config } from '../config/model.ts';
import { reachable } from '../config/scopes.ts';
import type { Incident } from '../incident.ts';
import { subjectOf } from '../words.ts';
import { chartOf, type ReportChart } from './chart.ts';
import { addPace, type Histogram, type Pace, paceOf } from './pace.ts';

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

/** The checks that a report is about: those of its services, and of the components that these stand on. */
export function checksOf(config: Config, services: readonly string[]): Check[] {
  const components = reachable(
    services.flatMap((id) => config.services[id]?.dependsOn ?? []),
    config.components,
  );
  return Object.values(config.checks).filter((check) =>
    check.service === undefined ? components.has(check.component ?? '') : services.includes(check.service),
  );
}

/** The numbers of a report. */
export function makeNumbers(config: Config, frame: ReportFrame, counted: Counted): ReportNumbers {
  const checks = checksOf(config, frame.services);
  const tally = tallyOf(checks, counted);
  const ofServices = checks.filter((check) => check.service !== undefined);
  const incidents = incidentsOf(config, frame, counted.incidents);
  return {
    id: frame.id,
    title: frame.title,
    timeZone: frame.timeZone,
    fromMs: frame.fromMs,
    untilMs: frame.untilMs,
    ...(frame.slotMs === undefined ? {} : { slotMs: frame.slotMs }),
    ...(frame.madeUp ? { madeUp: true } : {}),
    missedSlots: frame.missedSlots ?? [],
    ...(counted.firstMs === undefined ? {} : { firstMs: counted.firstMs }),
    services: servicesOf(config, frame, ofServices, tally, counted.incidents),
    journeys: [...Map.groupBy(ofServices, (check) => check.template)].map(([template, group]) => journeyOf(template, group, tally)),
    components: componentsOf(config, checks, tally),
    tenants: [...Map.groupBy(ofServices, (check) => check.tenant ?? '')]
      .filter(([tenant]) => tenant !== '')
      .map(([tenant, group]) => figure(tenant, config.tenants[tenant]?.title ?? tenant, group, tally)),
    locations: locationsOf(config, checks, counted),
    exceptions: exceptionsOf(config, checks, counted.exceptions),
    underWay: counted.underWay,
    incidents,
    chart: chartOf(frame, ofServices, counted, incidents),
    rows: rowsOf(config, checks, counted, tally),
  };
}

interface Tally {
  rounds: ReadonlyMap<string, Seen>;
  runs: ReadonlyMap<string, readonly RunCount[]>;
}

function tallyOf(checks: readonly Check[], counted: Counted): Tally {
  const rounds = new Map<string, Seen>(checks.map((check) => [check.id, { well: 0, failed: 0, unseen: 0 }]));
  for (const one of counted.rounds) addSeen(rounds.get(one.check), one);
  return { rounds, runs: Map.groupBy(counted.runs, (run) => run.check) };
}

function addSeen(to: Seen | undefined, one: Seen): void {
  if (!to) return;
  to.well += one.well;
  to.failed += one.failed;
  to.unseen += one.unseen;
}

/** The rounds of these checks, and how long their runs took. */
function figure(id: string, title: string, checks: readonly Check[], tally: Tally): Figure {
  const seen: Seen = { well: 0, failed: 0, unseen: 0 };
  for (const check of checks) addSeen(seen, tally.rounds.get(check.id) ?? { well: 0, failed: 0, unseen: 0 });
  const runs = checks.flatMap((check) => tally.runs.get(check.id) ?? []);
  return { id, title, ...seen, ...paceOfRuns(runs) };
}

function paceOfRuns(runs: readonly RunCount[]): Pace {
  return paceOf(addPace(runs.map((run) => run.pace)), addPace(runs.map((run) => run.usual)));
}

function journeyOf(template: string, group: readonly Check[], tally: Tally): ReportNumbers['journeys'][number] {
  const [first] = group;
  return {
    ...figure(template, first?.title ?? template, group, tally),
    service: first?.service ?? '',
    critical: group.some((check) => check.critical),
  };
}

function servicesOf(
  config: Config,
  frame: ReportFrame,
  checks: readonly Check[],
  tally: Tally,
  incidents: readonly Incident[],
): ServiceFigure[] {
  return frame.services.flatMap((id) => {
    const service = config.services[id];
    if (!service) return [];
    const own = checks.filter((check) => check.service === id);
    const critical = own.filter((check) => check.critical);
    const counted = critical.length > 0 ? critical : own;
    return [{ ...figure(id, service.title, counted, tally), tier: service.tier, ...troubleOf(id, frame, incidents) }];
  });
}

/** The worst that incidents made of a service, and for how long of the window it was in one. */
function troubleOf(id: string, frame: ReportFrame, incidents: readonly Incident[]): Pick<ServiceFigure, 'class' | 'troubledMs'> {
  const own = incidents.flatMap((incident) => {
    const impact = incident.facts.services.find((service) => service.id === id);
    if (!impact) return [];
    // Facts say what was known last; the peak is the whole incident's, and this service's when it is the only one.
    const klass = incident.facts.services.length === 1 ? incident.peak : impact.class;
    const lastedMs = Math.min(incident.resolvedAtMs ?? frame.untilMs, frame.untilMs) - Math.max(incident.beganAtMs, frame.fromMs);
    return lastedMs > 0 ? [{ class: klass, lastedMs }] : [];
  });
  const [worst] = own.map((one) => one.class).sort((a, b) => CLASSES.indexOf(a) - CLASSES.indexOf(b));
  return worst === undefined ? {} : { class: worst, troubledMs: own.reduce((sum, one) => sum + one.lastedMs, 0) };
}

function componentsOf(config: Config, checks: readonly Check[], tally: Tally): Figure[] {
  const groups = Map.groupBy(
    checks.filter((check) => check.service === undefined),
    (check) => check.component ?? '',
  );
  return [...groups].map(([id, group]) => figure(id, config.components[id]?.title ?? id, group, tally));
}

function locationsOf(config: Config, checks: readonly Check[], counted: Counted): Figure[] {
  const known = new Set(checks.map((check) => check.id));
  const ids = [...new Set(checks.flatMap((check) => check.locations))];
  return ids.map((id) => {
    const runs = counted.runs.filter((run) => run.location === id && known.has(run.check));
    const missed = counted.exceptions.filter((one) => one.location === id && one.state === 'missed' && known.has(one.check));
    const sum = (pick: (run: RunCount) => number) => runs.reduce((total, run) => total + pick(run), 0);
    const unseen = sum((run) => run.fault) + missed.reduce((total, one) => total + one.runs, 0);
    // Vital signs answer in milliseconds: among journeys they would make any location look quick.
    const ofServices = runs.filter((run) => config.checks[run.check]?.service !== undefined);
    return {
      id,
      title: config.locations[id]?.title ?? id,
      well: sum((run) => run.up + run.degraded),
      failed: sum((run) => run.down),
      unseen,
      ...paceOfRuns(ofServices),
    };
  });
}

function exceptionsOf(config: Config, checks: readonly Check[], counted: readonly ExceptionCount[]): Exception[] {
  const titles = new Map(checks.map((check) => [check.id, check.title]));
  const known = counted.filter((one) => titles.has(one.check));
  const groups = [...Map.groupBy(known, (one) => `${one.state} ${one.reason}`).values()].map((group) => ({
    state: group[0]?.state ?? 'missed',
    reason: group[0]?.reason ?? '',
    runs: group.reduce((total, one) => total + one.runs, 0),
    checks: [...new Set(group.map((one) => titles.get(one.check) ?? one.check))].sort(),
    locations: [...new Set(group.map((one) => config.locations[one.location]?.title ?? one.location))].sort(),
  }));
  return groups.sort((a, b) => b.runs - a.runs);
}

/** Incidents that touch the report's services, the worst and the longest first; those of their components too. */
function incidentsOf(config: Config, frame: ReportFrame, all: readonly Incident[]): IncidentFigure[] {
  const scopes = new Set(frame.services.flatMap((id) => config.services[id]?.scope ?? []));
  const own = all.filter(({ facts, scope }) =>
    facts.services.length > 0 ? facts.services.some((service) => frame.services.includes(service.id)) : scopes.has(scope),
  );
  return own
    .map((incident) => ({
      id: incident.id,
      class: incident.peak,
      subject: subjectOf(incident.facts),
      beganMs: incident.beganAtMs,
      lastedMs: Math.max(0, Math.min(incident.resolvedAtMs ?? frame.untilMs, frame.untilMs) - incident.beganAtMs),
      open: incident.resolvedAtMs === undefined || incident.resolvedAtMs > frame.untilMs,
    }))
    .sort((a, b) => CLASSES.indexOf(a.class) - CLASSES.indexOf(b.class) || b.lastedMs - a.lastedMs);
}

function rowsOf(config: Config, checks: readonly Check[], counted: Counted, tally: Tally): ReportRow[] {
  const exceptions = Map.groupBy(counted.exceptions, (one) => `${one.check} ${one.location}`);
  return checks.flatMap((check) => {
    const runs = tally.runs.get(check.id) ?? [];
    const locations = [...new Set([...check.locations, ...runs.map((run) => run.location)])];
    return locations.map((location) => {
      const run = runs.find((one) => one.location === location);
      const count = (state: Exception['state']) =>
        (exceptions.get(`${check.id} ${location}`) ?? []).filter((one) => one.state === state).reduce((sum, one) => sum + one.runs, 0);
      return {
        check: check.id,
        title: check.title,
        service: config.services[check.service ?? '']?.title ?? config.components[check.component ?? '']?.title ?? '',
        tenant: check.tenant ? (config.tenants[check.tenant]?.title ?? check.tenant) : '',
        location: config.locations[location]?.title ?? location,
        ...{ up: run?.up ?? 0, degraded: run?.degraded ?? 0, down: run?.down ?? 0, fault: run?.fault ?? 0 },
        missed: count('missed'),
        late: count('late'),
        rounds: tally.rounds.get(check.id) ?? { well: 0, failed: 0, unseen: 0 },
        ...paceOfRuns(run ? [run] : []),
      };
    });
  });
}
