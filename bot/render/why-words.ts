/**
 * Decisions in words, one line each: what was decided on, what came of it, and from what, thresholds included. What a decision was made from
 * is read carefully: an earlier or later version may have stored other things. Pure.
 */
import type { Config } from '../../core/config/model.ts';
import { spanInWords, timeOfDay } from '../../core/duration.ts';
import { incidentName } from '../../core/incident.ts';
import { listInWords, namedCheck } from '../../core/words.ts';
import type { DecisionRow } from '../../store/incident.ts';
import { cut, data } from './blocks.ts';
import { locationTitle } from './details.ts';

export type Inputs = Record<string, unknown>;

/** A line of the whole chain is no longer than that; a page of them then fits into a message. */
const LINE_CHARACTERS = 230;
const MOST_NAMED = 6;

/** Reasons of a verdict. */
const VERDICTS: Record<string, string> = {
  'quorum-down': 'down',
  'quorum-degraded': 'degraded, two rounds in a row',
  'quorum-up': 'up',
  settled: 'well again, for enough rounds',
  'one-location-alone': 'degraded: one location alone, three rounds in a row',
  'some-locations': 'degraded: several locations, but not most',
  blind: 'blind: not enough results came',
};

/** Reasons of a class. */
const CLASSES: Record<string, string> = {
  'no-critical-journey-succeeds': 'no critical check succeeds for anybody',
  'critical-some-tenants': 'a critical check is down for some clinics',
  'some-critical-for-all': 'a critical journey is down for everybody, another is not',
  'some-locations-below-quorum': 'two or more locations fail, fewer than a quorum',
  'objective-missed': 'everything succeeds, but slower than it should',
  'non-critical-failed': 'a check is down that is not critical',
  'one-location-alone': 'one location alone fails, three rounds in a row',
  'component-only': 'a component is in trouble, and every journey succeeds',
  'budget-burning': 'the error budget burns too fast',
  'location-unseen': 'Rounds does not see from a location',
  blind: 'results that were due did not come',
  none: 'nothing of it is known to fail',
};

/** Reasons of a post. */
const POSTS: Record<string, string> = {
  'first-notification': 'posted for the first time',
  'class-raised': 'changed: the class rose',
  'class-lowered': 'changed: the class fell',
  'impact-changed': 'changed: others are hit, or otherwise',
  'shown-anew': 'brought up to date, nothing for the thread',
  recovering: 'changed: all is well again, watching',
  'outlived-cause': 'said that it goes on though its cause is well again',
  merged: 'closed, and told on in an older incident',
  acknowledged: 'changed: somebody took it',
  picture: 'changed: the picture came',
  resolved: 'closed',
  retired: 'closed: its checks were taken out of the configuration',
  'post-gone': 'posted anew: the earlier post was gone from Slack',
};

/** Reasons of a step of escalation, and of the second way out. */
const CALLS: Record<string, string> = {
  waited: 'taken: nobody had acknowledged in time',
  pressed: 'taken: somebody pressed Escalate',
  acknowledged: 'not taken: somebody has it in hand',
  resolved: 'not taken: it was over',
  'slack-away': 'told outside Slack, which had been away for too long',
};

/** What keeps something back, by the last word of its reason. */
export const KEEPERS: Record<string, string> = {
  maintenance: 'maintenance',
  silence: 'silence',
  recovery: 'it was up again, only not yet for enough rounds',
  incident: 'its windows look back on what an incident has told',
  location: 'a location that is not seen from is told by itself, not check by check',
};

/** The decision as a line with its time. */
export function decisionLine(decision: DecisionRow, config: Config): string {
  const at = timeOfDay(decision.atMs, config.timezone, true);
  return cut(`${at} ${decisionInWords(decision, config)}`, LINE_CHARACTERS);
}

function decisionInWords({ subject, reason, inputs }: DecisionRow, config: Config): string {
  const [kind = '', rest = ''] = subject.split(/ (.*)/s);
  switch (kind) {
    case 'verdict':
      return `${data(namedCheck(config, rest).title)}: ${VERDICTS[reason] ?? data(reason)}${saidBy(config, inputs)}`;
    case 'class':
      return `*${data(config.services[rest]?.title ?? rest)}:* ${classWords(inputs)}${CLASSES[reason] ?? data(reason)}${tally(inputs)}`;
    case 'incident':
      return `*Incident ${reason === 'merged' ? 'joined to another' : data(reason.replaceAll('-', ' '))}*${rootWords(config, inputs)}`;
    case 'post':
      return `*Post:* ${POSTS[reason] ?? data(reason)}${typeof inputs.headline === 'string' ? `: ${data(inputs.headline)}` : ''}`;
    case 'quiet':
      return `*Kept back:* ${keptInWords(inputs, config)} (${keeperInWords(reason, inputs)})`;
    case 'escalation':
    case 'fallback':
      return `*${kind === 'fallback' ? 'Second way out' : 'Escalation'}:* ${CALLS[reason] ?? data(reason)}${plain(inputs)}`;
    default:
      return `${data(subject)}: ${data(reason.replaceAll('-', ' '))}${plain(inputs)}`;
  }
}

/** "(north down, south down, cloud up; 2 of 3 must agree)". */
export function saidBy(config: Config, inputs: Inputs): string {
  const { locations, quorum, total, missing } = inputs;
  if (typeof locations !== 'object' || locations === null) return '';
  const said = Object.entries(locations)
    .sort()
    .map(([location, verdict]) => `${data(locationTitle(config, location))} ${data(String(verdict))}`);
  const unseen =
    Array.isArray(missing) && missing.length > 0
      ? [`nothing from ${missing.map((one) => data(locationTitle(config, String(one)))).join(', ')}`]
      : [];
  if (said.length + unseen.length === 0) return '';
  const needed = typeof quorum === 'number' ? `; ${quorum} of ${typeof total === 'number' ? total : said.length} must agree` : '';
  return ` (${[...said.slice(0, 8), ...unseen].join(', ')}${needed})`;
}

function classWords({ class: klass }: Inputs): string {
  return typeof klass === 'string' && klass !== 'none' ? `${data(klass)}, ` : '';
}

function tally({ criticalDown, criticalTotal, tenantsDown, tenantsTotal }: Inputs): string {
  const counts = [
    typeof criticalDown === 'number' && typeof criticalTotal === 'number' ? `${criticalDown} of ${criticalTotal} critical checks down` : '',
    typeof tenantsDown === 'number' && typeof tenantsTotal === 'number' && tenantsTotal > 0
      ? `${tenantsDown} of ${tenantsTotal} clinics hit`
      : '',
  ].filter(Boolean);
  return counts.length === 0 ? '' : ` (${counts.join(', ')})`;
}

function rootWords(config: Config, { root, from, class: klass, afterMs, into }: Inputs): string {
  const parts = [
    typeof from === 'string' && from !== klass
      ? `from ${data(from)} to ${data(String(klass))}`
      : typeof klass === 'string'
        ? data(klass)
        : '',
    typeof root === 'string' ? `put down to ${data(rootTitle(config, root))}` : '',
    typeof into === 'number' ? `told on in ${incidentName(into)}` : '',
    typeof afterMs === 'number' ? `after ${spanInWords(afterMs)}` : '',
  ].filter(Boolean);
  return parts.length === 0 ? '' : `: ${parts.join(', ')}`;
}

/** The title of `component:postgres-main` or `service:billing`. */
export function rootTitle(config: Config, root: string): string {
  const [kind, id = ''] = root.split(':');
  const entry = kind === 'component' ? config.components[id] : kind === 'service' ? config.services[id] : undefined;
  return entry?.title ?? (kind === 'blind' ? 'checks that nobody sees' : kind === 'monitoring' ? 'locations that are not seen from' : root);
}

/** What was kept back: checks, the updates of an incident, or a budget. */
export function keptInWords(inputs: Inputs, config: Config): string {
  const { checks, incident, service, slo } = inputs;
  if (Array.isArray(checks))
    return data(
      listInWords(
        checks.map((id) => namedCheck(config, String(id)).title),
        MOST_NAMED,
      ),
    );
  if (typeof incident === 'number') return `updates of ${incidentName(incident)}`;
  if (typeof service === 'string')
    return `the error budget ${data(String(slo ?? ''))} of ${data(config.services[service]?.title ?? service)}`;
  return 'something';
}

/** By what: `maintenance "Sunday patches"`, `silence 7, Patient billing`. */
export function keeperInWords(reason: string, { quiet, title }: Inputs): string {
  const kind = reason.replace('suppressed-by-', '');
  if (kind === 'maintenance') return `maintenance "${data(String(title ?? quiet))}"`;
  if (kind === 'silence') return `silence ${data(String(quiet))}, ${data(String(title ?? ''))}`;
  return KEEPERS[kind] ?? data(kind);
}

/** What no other line says, as it is stored. */
function plain(inputs: Inputs): string {
  const parts = Object.entries(inputs).filter(([, value]) => value !== null && value !== '');
  if (parts.length === 0) return '';
  return ` (${parts.map(([key, value]) => `${data(key)} ${data(typeof value === 'string' ? value : JSON.stringify(value))}`).join(', ')})`;
}
