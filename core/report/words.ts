/** A report in words, the same in Slack and on a command line. Pure. */
import type { IncidentClass } from '../check.ts';
import { spanInWords, timeOfDay } from '../duration.ts';
import { incidentName } from '../incident.ts';
import { listInWords, MARKS } from '../words.ts';
import type { Exception, Figure, ReportNumbers, Seen, ServiceFigure } from './figures.ts';
import type { Pace } from './pace.ts';

/** Classes in which somebody is hurt. */
const HURTS: ReadonlySet<IncidentClass> = new Set(['full interruption', 'partial outage', 'degradation'] as const);

/** `2,880`. */
export function countInWords(count: number): string {
  return count.toLocaleString('en-US');
}

/** `100 %`, `99.44 %`, `no data`. Never rounded up to 100 %, nor down to 0 %. */
export function availabilityInWords({ well, failed }: Seen): string {
  const seen = well + failed;
  if (seen === 0) return 'no data';
  if (failed === 0) return '100 %';
  if (well === 0) return '0 %';
  return `${Math.max(0.01, Math.floor((well / seen) * 10_000) / 100)} %`;
}

/** `p50 0.9 s, p95 1.2 s (usually 1.1 s)`; empty when nothing succeeded. */
export function paceInWords({ p50Ms, p95Ms, usualP95Ms }: Pace): string {
  if (p50Ms === undefined || p95Ms === undefined) return '';
  const usually = usualP95Ms === undefined ? '' : ` (usually ${spanInWords(usualP95Ms)})`;
  return `p50 ${spanInWords(p50Ms)}, p95 ${spanInWords(p95Ms)}${usually}`;
}

/** `16 of 2,880 rounds failed, 3 not seen`; empty when all were well. */
export function lossInWords({ well, failed, unseen }: Seen, noun: 'rounds' | 'runs' = 'rounds'): string {
  const all = well + failed + unseen;
  const lost = failed > 0 ? `${countInWords(failed)} of ${countInWords(all)} ${noun} failed` : '';
  const blind = unseen > 0 ? `${countInWords(unseen)}${failed > 0 ? '' : ` of ${countInWords(all)} ${noun}`} not seen` : '';
  return [lost, blind].filter(Boolean).join(', ');
}

/** `99.44 %, p50 0.9 s, p95 1.2 s (usually 1.1 s), 16 of 2,880 rounds failed`. */
export function figureInWords(figure: Figure, noun: 'rounds' | 'runs' = 'rounds'): string {
  return [availabilityInWords(figure), paceInWords(figure), lossInWords(figure, noun)].filter(Boolean).join(', ');
}

/** The mark of a line: what it says stands beside it in words. */
export function markOf({ well, failed }: Seen): string {
  if (well + failed === 0) return MARKS.blind;
  if (failed === 0) return MARKS.resolved;
  return well === 0 ? MARKS['full interruption'] : MARKS.degradation;
}

/** What failed most comes first, then what was not seen; the rest stays in its order. */
export function worstFirst<T extends Seen>(figures: readonly T[]): T[] {
  const share = (part: number, { well, failed, unseen }: Seen) => part / Math.max(1, well + failed + unseen);
  return [...figures].sort((a, b) => share(b.failed, b) - share(a.failed, a) || share(b.unseen, b) - share(a.unseen, a));
}

export interface ServiceWords {
  mark: string;
  title: string;
  /** After the title, without a full stop. */
  text: string;
  state: 'bad' | 'unknown' | 'well';
}

/** Each service in a line, the worst first. */
export function servicesInWords(numbers: ReportNumbers): ServiceWords[] {
  const order = { bad: 0, unknown: 1, well: 2 };
  return numbers.services.map((service) => serviceInWords(numbers, service)).sort((a, b) => order[a.state] - order[b.state]);
}

function serviceInWords(numbers: ReportNumbers, service: ServiceFigure): ServiceWords {
  const { title } = service;
  const loss = lossInWords(service);
  const available = availabilityInWords(service);
  const troubled = service.class !== undefined && HURTS.has(service.class) ? service.class : undefined;
  if (troubled !== undefined) {
    const text = [`${troubled} for ${spanInWords(service.troubledMs ?? 0)}`, `${available} available`, loss].filter(Boolean).join(', ');
    return { mark: MARKS[troubled], title, text, state: 'bad' };
  }
  if (service.well + service.failed === 0) return { mark: MARKS.blind, title, text: 'no data', state: 'unknown' };
  if (service.failed > 0) return { mark: MARKS.degradation, title, text: `${available} available, ${loss}`, state: 'bad' };
  const lesser = numbers.journeys.filter((journey) => journey.service === service.id && journey.failed > 0);
  if (lesser.length > 0) {
    const names = listInWords(lesser.map((journey) => `"${journey.title}"`));
    return { mark: MARKS.degradation, title, text: `what is critical was well; ${names} failed at times`, state: 'bad' };
  }
  return { mark: MARKS.resolved, title, text: loss ? `well as far as was seen, ${loss}` : 'all well', state: 'well' };
}

/** The most important thing, with its mark: what was not well, or that all was. */
export function reportHeadline(numbers: ReportNumbers): string {
  const services = servicesInWords(numbers);
  const bad = services.filter((service) => service.state === 'bad');
  const [first] = bad;
  if (first && bad.length === 1) {
    const rest = services.length > 1 && services.every((one) => one.state !== 'unknown') ? ' All else was well.' : '';
    return `${first.mark} ${first.title}: ${first.text}.${rest}`;
  }
  if (first)
    return `${worstMark(bad)} ${bad.length} of ${services.length} services were not well: ${listInWords(bad.map((one) => one.title))}.`;
  const unknown = services.filter((service) => service.state === 'unknown');
  if (unknown.length === services.length) return `${MARKS.blind} No data: nothing was seen.`;
  if (unknown.length > 0) return `${MARKS.blind} No data of ${listInWords(unknown.map((one) => one.title))}. All else was well.`;
  return wellHeadline(numbers);
}

function wellHeadline(numbers: ReportNumbers): string {
  const sum = (pick: (one: Seen) => number) => numbers.journeys.reduce((total, one) => total + pick(one), 0);
  const [well, unseen] = [sum((one) => one.well), sum((one) => one.unseen)];
  if (unseen === 0) return `${MARKS.resolved} All well: ${countInWords(well)} rounds, none failed.`;
  return `${MARKS.resolved} All well as far as was seen: ${countInWords(unseen)} of ${countInWords(well + unseen)} rounds were not seen.`;
}

function worstMark(services: readonly ServiceWords[]): string {
  const order = Object.values(MARKS);
  return services.map((one) => one.mark).sort((a, b) => order.indexOf(a) - order.indexOf(b))[0] ?? MARKS.degradation;
}

const STATES: Record<Exception['state'], [one: string, many: string]> = {
  late: ['run was late', 'runs were late'],
  missed: ['run was missed', 'runs were missed'],
  fault: ['run failed at the agent', 'runs failed at the agent'],
};

/** The ledger's reasons in words; what is not here says itself. */
const REASONS: Readonly<Record<string, string>> = {
  'no-result': 'no result came',
  'never-queued': 'never reached the queue',
  'agent-busy': 'the agent was busy',
  stale: 'came too late to the agent',
  stopping: 'the agent was stopping',
  'unknown-type': 'the agent does not know this type of check',
  'agent-limits': 'the agent was at its limits',
  'secret-missing': 'a secret is missing at the agent',
  'probe-error': 'the probe itself broke',
  retired: 'the check was changed or removed',
};

/** Why runs did not go as planned, in words: `no result came`; empty when the ledger gives no reason. */
export function reasonInWords(reason: string): string {
  return REASONS[reason] ?? reason.replaceAll('-', ' ');
}

/** `12 runs were missed at Data centre south: no result came (Front door, Post an invoice)`. */
export function exceptionInWords({ state, reason, runs, checks, locations }: Exception): string {
  const why = reasonInWords(reason);
  return `${countInWords(runs)} ${STATES[state][runs === 1 ? 0 : 1]} at ${listInWords(locations, 3)}${why ? `: ${why}` : ''} (${listInWords(checks, 3)})`;
}

/** `2 incidents, the longest 8 min: partial outage of Patient billing (INC-12), degradation of Clinic scheduling (INC-13)`. */
export function incidentsInWords({ incidents }: ReportNumbers): string {
  if (incidents.length === 0) return 'No incidents.';
  const longest = spanInWords(Math.max(...incidents.map((one) => one.lastedMs)));
  const names = incidents.map((one) => `${one.class} of ${one.subject} (${incidentName(one.id)}${one.open ? ', still open' : ''})`);
  const count = incidents.length === 1 ? `1 incident, ${longest}` : `${incidents.length} incidents, the longest ${longest}`;
  return `${count}: ${listInWords(names, 4)}.`;
}

/** `Thu 15 Jan 07:00`. */
export function momentInWords(ms: number, timeZone: string): string {
  const day = new Intl.DateTimeFormat('en-GB', { timeZone, weekday: 'short', day: 'numeric', month: 'short' }).format(ms).replace(',', '');
  return `${day} ${timeOfDay(ms, timeZone)}`;
}

/** Which time it tells of, and what must be known about that. */
export function windowInWords(numbers: ReportNumbers): string {
  const { fromMs, untilMs, firstMs, timeZone } = numbers;
  const span = `${momentInWords(fromMs, timeZone)} to ${momentInWords(untilMs, timeZone)}`;
  // Of checks made once a minute the first result is never at the very beginning; an hour is more than that.
  const young = firstMs !== undefined && firstMs - fromMs > 3_600_000 ? `, seen since ${momentInWords(firstMs, timeZone)}` : '';
  return `${span}${young}`;
}

const MISSED_REASONS: Readonly<Record<string, string>> = { 'nothing-ran': 'nothing ran then', 'not-posted': 'it could not be posted' };

/** What is to be said of a report that comes late, and of those that never came. Empty for one in time. */
export function latenessInWords({ slotMs, madeUp, missedSlots, timeZone }: ReportNumbers): string[] {
  const late = madeUp && slotMs !== undefined ? [`Was due at ${momentInWords(slotMs, timeZone)}; nothing ran then.`] : [];
  if (missedSlots.length === 0) return late;
  const slots = missedSlots.map((one) => `${momentInWords(one.slotMs, timeZone)} (${MISSED_REASONS[one.reason] ?? one.reason})`);
  return [...late, `Missed before: ${listInWords(slots, 4)}.`];
}
