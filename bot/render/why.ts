/**
 * Why an incident was classified and posted as it was: the decisions that were stored, told as a short story, and then one by one. What
 * a decision was made from is read carefully: a later version may have stored other things. Pure.
 */
import type { Config } from '../../core/config/model.ts';
import { spanInWords, timeOfDay } from '../../core/duration.ts';
import { type Incident, incidentName } from '../../core/incident.ts';
import { listInWords, MARKS, subjectOf } from '../../core/words.ts';
import type { DecisionRow, TimelineRow } from '../../store/incident.ts';
import { type Block, context, data, few, type Message, message, section } from './blocks.ts';
import { checkTitle, locationTitle } from './details.ts';
import { renderThread } from './thread.ts';

/** Lines of each kind; the rest is counted. */
const MOST_VERDICTS = 8;
const MOST_POSTS = 8;
const MOST_STORY = 14;

export interface WhyView {
  incident: Incident;
  decisions: readonly DecisionRow[];
  timeline: readonly TimelineRow[];
  /** When the first post was in Slack. */
  postedAtMs?: number;
  config: Config;
  nowMs: number;
  nameOf(person: string): string;
}

/** Why this class and not the next one above or below, when it was told and why, and who said what. */
export function renderWhy(view: WhyView): Message {
  const { incident } = view;
  const state =
    incident.state === 'open' ? `${MARKS[incident.class]} ${incident.class}` : `${MARKS.resolved} resolved, was ${incident.peak}`;
  const first = `${incidentName(incident.id)} · ${data(subjectOf(incident.facts))} · ${state}`;
  const blocks: Block[] = [
    section(`*${first}*`, ...classLines(view), postedLine(view)),
    ...listed('Who said what', verdictLines(view), MOST_VERDICTS, 'verdicts'),
    ...listed('What was told, and why', postLines(view), MOST_POSTS, 'posts'),
    ...listed('The story', storyLines(view), MOST_STORY, 'lines'),
    context(`${view.decisions.length} decisions, made under configuration ${revisions(view)}`),
  ];
  return message(first.replaceAll(/[*\u200b]/g, ''), blocks);
}

function listed(title: string, lines: readonly string[], most: number, noun: string): Block[] {
  return lines.length === 0 ? [] : [section(`*${title}*`, ...few(lines, most, noun))];
}

function revisions(view: WhyView): string {
  return listInWords([...new Set(view.decisions.map((one) => data(one.configRevision.slice(0, 10))))]) || 'unknown';
}

/** What the class rests on, against the one above and the one below it. Each takes what the decision was made from. */
const CLASS_WORDS: Record<string, (inputs: Inputs) => string[]> = {
  'no-critical-journey-succeeds': (inputs) => [`*Full interruption:* ${downOf(inputs)}, so nothing that matters succeeds for anybody.`],
  'critical-some-tenants': (inputs) => [
    `*Partial outage, not full:* ${wellOf(inputs)}.`,
    `*Not degradation:* ${inputs.criticalDown === 1 ? 'a critical check is' : 'critical checks are'} down, by a quorum of locations.`,
  ],
  'some-critical-for-all': (inputs) => [
    `*Partial outage, not full:* ${wellOf(inputs)}.`,
    '*Not degradation:* a critical journey is down for everybody.',
  ],
  'some-locations-below-quorum': () => [
    '*Partial outage, not full:* fewer than half of the locations see it.',
    '*Not degradation:* two or more locations see it.',
  ],
  'objective-missed': () => ['*Degradation, not an outage:* everything succeeds, but slower than it should.'],
  'non-critical-failed': () => [
    '*Degradation, not an outage:* no critical journey is down.',
    '*Not all well:* a journey fails that is not critical.',
  ],
  'one-location-alone': () => [
    '*Degradation, not an outage:* one location alone sees it.',
    '*Not all well:* it has seen it three rounds in a row.',
  ],
  'component-only': () => ['*Risk, not degradation:* every journey succeeds; a component below them is in trouble.'],
  blind: () => ['*Blind:* results that were due did not come, so nobody can say whether it works. That is no outage.'],
};

type Inputs = Record<string, unknown>;

function downOf(inputs: Inputs): string {
  const { criticalDown, criticalTotal } = inputs;
  if (typeof criticalDown !== 'number' || typeof criticalTotal !== 'number') return 'every critical check is down';
  return criticalTotal === 1 ? 'the one critical check is down' : `all ${criticalTotal} critical checks are down`;
}

function wellOf(inputs: Inputs): string {
  const { criticalDown, criticalTotal, tenantsDown, tenantsTotal } = inputs;
  if (typeof tenantsDown === 'number' && typeof tenantsTotal === 'number' && tenantsDown < tenantsTotal) {
    return `${tenantsTotal - tenantsDown} of ${tenantsTotal} clinics succeed`;
  }
  if (typeof criticalDown !== 'number' || typeof criticalTotal !== 'number') return 'some critical checks succeed';
  return `${criticalTotal - criticalDown} of ${criticalTotal} critical checks succeed`;
}

/** For each service its latest class. */
function classLines(view: WhyView): string[] {
  const decisions = view.decisions.filter((one) => one.subject.startsWith('class ') && one.reason !== 'none');
  const latest = new Map(decisions.map((one) => [one.subject, one]));
  return [...latest.values()].flatMap((decision) => {
    const lines = CLASS_WORDS[decision.reason]?.(decision.inputs) ?? [`Class by the rule "${data(decision.reason)}".`];
    const service = view.config.services[decision.subject.slice('class '.length)];
    return latest.size > 1 && service ? [`${data(service.title)}: ${lines.join(' ')}`] : lines;
  });
}

function postedLine(view: WhyView): string {
  const { incident, config, postedAtMs } = view;
  if (postedAtMs === undefined) return '*Not posted yet:* Slack has not taken it so far.';
  const at = timeOfDay(postedAtMs, config.timezone, true);
  const began = timeOfDay(incident.beganAtMs, config.timezone, true);
  return `*Posted at ${at}:* first notification, ${spanInWords(postedAtMs - incident.beganAtMs)} after the first failure (${began}).`;
}

/** Reasons of a verdict in words. */
const VERDICT_WORDS: Record<string, string> = {
  'quorum-down': 'down',
  'quorum-degraded': 'degraded',
  'quorum-up': 'up',
  settled: 'well again, for enough rounds',
  'one-location-alone': 'degraded: one location alone, three rounds in a row',
  'some-locations': 'degraded: several locations, but not most',
  blind: 'blind: not enough results came',
};

/** "10:43:06 Post an invoice, Riverside Clinic: down (north down, south down, cloud up; 2 of 3 needed)". */
function verdictLines(view: WhyView): string[] {
  return view.decisions
    .filter((one) => one.subject.startsWith('verdict '))
    .map((one) => {
      const check = one.subject.slice('verdict '.length);
      const at = timeOfDay(one.atMs, view.config.timezone, true);
      return `${at} ${data(checkTitle(view.config, check))}: ${VERDICT_WORDS[one.reason] ?? data(one.reason)}${saidBy(view.config, one.inputs)}`;
    });
}

function saidBy(config: Config, inputs: Inputs): string {
  const { locations, quorum } = inputs;
  if (typeof locations !== 'object' || locations === null) return '';
  const said = Object.entries(locations)
    .sort()
    .map(([location, verdict]) => `${data(locationTitle(config, location))} ${data(String(verdict))}`);
  if (said.length === 0) return '';
  const needed = typeof quorum === 'number' ? `; ${quorum} of ${said.length} must agree` : '';
  return ` (${said.slice(0, 8).join(', ')}${needed})`;
}

/** Reasons of a post in words. */
const POST_WORDS: Record<string, string> = {
  'first-notification': 'posted for the first time',
  'class-raised': 'changed: the class rose',
  'class-lowered': 'changed: the class fell',
  'impact-changed': 'changed: others are hit, or otherwise',
  'shown-anew': 'brought up to date, nothing for the thread',
  recovering: 'changed: all is well again, watching',
  acknowledged: 'changed: somebody took it',
  picture: 'changed: the picture came',
  resolved: 'closed',
  'post-gone': 'posted anew: the earlier post was gone from Slack',
};

function postLines(view: WhyView): string[] {
  return view.decisions
    .filter((one) => one.subject === 'post')
    .map((one) => `${timeOfDay(one.atMs, view.config.timezone, true)} ${POST_WORDS[one.reason] ?? data(one.reason)}`);
}

function storyLines(view: WhyView): string[] {
  return view.timeline.map((row) => {
    const [block] = renderThread(row.entry, row.atMs, view.config.timezone, view.nameOf).blocks;
    return block?.type === 'section' ? block.text.text : '';
  });
}
