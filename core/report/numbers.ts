/** Makes the numbers of a report from what the database counted. What is counted is said in figures.ts. Pure. */
import { type Check, CLASSES, type IncidentClass, isJourney } from '../check.ts';
import type { Config } from '../config/model.ts';
import { reachable } from '../config/scopes.ts';
import type { Incident } from '../incident.ts';
import { subjectOf } from '../words.ts';
import { chartOf } from './chart.ts';
import type {
  Counted,
  Exception,
  ExceptionCount,
  Figure,
  IncidentFigure,
  ReportFrame,
  ReportNumbers,
  ReportRow,
  RunCount,
  Seen,
  ServiceFigure,
} from './figures.ts';
import { addPace, type Pace, paceOf } from './pace.ts';

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
  const runs = pacing(checks).flatMap((check) => tally.runs.get(check.id) ?? []);
  return { id, title, ...seen, ...paceOfRuns(runs) };
}

/** The checks whose durations mean something together: journeys take seconds, requests and vital signs milliseconds. */
function pacing(checks: readonly Check[]): readonly Check[] {
  const journeys = checks.filter(isJourney);
  return journeys.length > 0 ? journeys : checks;
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
    const found = figure(id, service.title, counted, tally);
    return [{ ...found, tier: service.tier, ...troubleOf(found, frame, incidents) }];
  });
}

/** The worst that incidents made of a service, and for how long of the window it was in one. */
function troubleOf(service: Figure, frame: ReportFrame, incidents: readonly Incident[]): Pick<ServiceFigure, 'class' | 'troubledMs'> {
  const own = incidents.flatMap((incident) => {
    const impact = incident.facts.services.find((one) => one.id === service.id);
    const lastedMs = Math.min(incident.resolvedAtMs ?? frame.untilMs, frame.untilMs) - Math.max(incident.beganAtMs, frame.fromMs);
    return impact && lastedMs > 0 ? [{ class: worstOf(incident, impact.class, service.failed > 0), lastedMs }] : [];
  });
  const [worst] = own.map((one) => one.class).sort(byClass);
  return worst === undefined ? {} : { class: worst, troubledMs: own.reduce((sum, one) => sum + one.lastedMs, 0) };
}

/**
 * What an incident made of one of its services. Facts say what was known last, the peak is that of the whole incident: of several services
 * one whose critical rounds failed was in a partial outage at least, if the incident ever was.
 */
function worstOf(incident: Incident, last: IncidentClass, failed: boolean): IncidentClass {
  if (incident.facts.services.length === 1) return incident.peak;
  const least = byClass(incident.peak, 'partial outage') <= 0 && failed ? 'partial outage' : last;
  return byClass(least, last) < 0 ? least : last;
}

/** The worse class first. */
function byClass(a: IncidentClass, b: IncidentClass): number {
  return CLASSES.indexOf(a) - CLASSES.indexOf(b);
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
  const paced = new Set(pacing(checks).map((check) => check.id));
  return ids.map((id) => {
    const runs = counted.runs.filter((run) => run.location === id && known.has(run.check));
    const missed = counted.exceptions.filter((one) => one.location === id && one.state === 'missed' && known.has(one.check));
    const sum = (pick: (run: RunCount) => number) => runs.reduce((total, run) => total + pick(run), 0);
    const unseen = sum((run) => run.fault) + missed.reduce((total, one) => total + one.runs, 0);
    return {
      id,
      title: config.locations[id]?.title ?? id,
      well: sum((run) => run.up + run.degraded),
      failed: sum((run) => run.down),
      unseen,
      ...paceOfRuns(runs.filter((run) => paced.has(run.check))),
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
    .sort((a, b) => byClass(a.class, b.class) || b.lastedMs - a.lastedMs);
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
