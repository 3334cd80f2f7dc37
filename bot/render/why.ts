/**
 * Why an incident was classified and posted as it was, short: this class and not the next one, when it was told and after what, what was
 * kept quiet, and who is suspected. The whole chain is a page away. Pure.
 */
import type { Config } from '../../core/config/model.ts';
import { spanInWords, timeOfDay } from '../../core/duration.ts';
import { LONE_AFTER_SLOTS, SLOW_AFTER_SLOTS } from '../../core/evaluate.ts';
import { type Incident, incidentName, type Suspect } from '../../core/incident.ts';
import { listInWords, MARKS, subjectOf } from '../../core/words.ts';
import type { DecisionRow } from '../../store/incident.ts';
import type { FirstRun } from '../../store/why.ts';
import { type Block, context, data, type Message, message, section } from './blocks.ts';
import { locationTitle } from './details.ts';
import { decisionLine, type Inputs, keeperInWords, keptInWords, rootTitle } from './why-words.ts';

export interface WhyView {
  incident: Incident;
  /** The first of its decisions, and how many there are. */
  decisions: readonly DecisionRow[];
  total: number;
  /** What was kept back beside it while it was open, in its scope. */
  keptBack: readonly DecisionRow[];
  /** What came of the first check that failed, until it was told. */
  firstRuns: readonly FirstRun[];
  merges: { from: number[]; into?: number };
  /** When the first post was in Slack. */
  postedAtMs?: number;
  config: Config;
  nowMs: number;
}

/** Why this class and not the next one above or below, when it was told and after what, what was kept quiet and who is suspected. */
export function renderWhy(view: WhyView): Message {
  const { incident, total } = view;
  const name = incidentName(incident.id);
  const first = `${titleOf(incident)}`;
  const blocks: Block[] = [
    section(`*${first}*`, ...classLines(view), postedLine(view), sinceLine(view)),
    ...sectionOf(quietLines(view)),
    ...sectionOf(suspectLines(incident)),
    ...sectionOf(mergeLines(view)),
    context(
      `${total} ${total === 1 ? 'decision' : 'decisions'}, made under configuration ${revisions(view.decisions)} · all of them: \`/rounds why ${name} all\``,
    ),
  ];
  return message(first.replaceAll(/[*\u200b]/g, ''), blocks);
}

export interface WholeView {
  incident: Incident;
  /** A page of its decisions, and how many there are before it and in all. */
  decisions: readonly DecisionRow[];
  before: number;
  total: number;
  config: Config;
}

/** Lines of a section; with all of a page they fit into a message. */
const LINES_OF_SECTION = 10;
export const DECISIONS_OF_PAGE = 40;

/** Every decision, a page of them, oldest first. */
export function renderWhole({ incident, decisions, before, total, config }: WholeView): Message {
  const first = titleOf(incident);
  const name = incidentName(incident.id);
  const lines = decisions.map((decision) => decisionLine(decision, config));
  const sections = Array.from({ length: Math.ceil(lines.length / LINES_OF_SECTION) }, (_, index) =>
    section(...lines.slice(index * LINES_OF_SECTION, (index + 1) * LINES_OF_SECTION)),
  );
  const last = before + decisions.length;
  const more = last < total ? ` · more: \`/rounds why ${name} all ${Math.floor(last / DECISIONS_OF_PAGE) + 1}\`` : '';
  const shown = decisions.length === 0 ? 'No decision is kept here' : `Decisions ${before + 1} to ${last} of ${total}`;
  return message(first.replaceAll(/[*\u200b]/g, ''), [
    section(`*${first}*`),
    ...sections,
    context(`${shown}, configuration ${revisions(decisions)}${more}`),
  ]);
}

function titleOf(incident: Incident): string {
  const state =
    incident.state === 'open' ? `${MARKS[incident.class]} ${incident.class}` : `${MARKS.resolved} resolved, was ${incident.peak}`;
  return `${incidentName(incident.id)} · ${data(subjectOf(incident.facts))} · ${state}`;
}

function sectionOf(lines: readonly string[]): Block[] {
  return lines.length === 0 ? [] : [section(...lines)];
}

function revisions(decisions: readonly DecisionRow[]): string {
  return listInWords([...new Set(decisions.map((one) => data(one.configRevision.slice(0, 10))))]) || 'unknown';
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
  'budget-burning': () => [
    '*Degradation, not an outage:* no check is known to fail by a quorum now.',
    '*Not all well:* so much has failed, again and again, that the error budget burns too fast.',
  ],
  'component-only': () => ['*Risk, not degradation:* every journey succeeds; a component below them is in trouble.'],
  'location-unseen': () => [
    '*Blind, not an outage:* Rounds does not see from there, and what it cannot see it calls neither down nor up.',
    '*Not check by check:* the location is one problem, told once.',
  ],
  blind: () => ['*Blind:* results that were due did not come, so nobody can say whether it works. That is no outage.'],
};

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
  const after = spanInWords(Math.max(0, postedAtMs - incident.beganAtMs));
  const line = `*Posted at ${at}:* first notification, ${after} after the first failure (${began})`;
  const told = toldBy(view);
  return told === '' ? `${line}.` : `${line}: ${told}${patience(view)}.`;
}

/** Why it was not told with the first failure. */
function patience({ decisions }: WhyView): string {
  const first = decisions.find(({ subject }) => subject.startsWith('verdict '));
  if (first?.reason === 'quorum-degraded') return `; what is slow is told from round ${SLOW_AFTER_SLOTS} on`;
  return first?.reason === 'one-location-alone' ? `; what one location alone sees is told from round ${LONE_AFTER_SLOTS} on` : '';
}

/** "north failed twice (10:42:59), south and cloud confirmed (10:43:04, 10:43:06)". */
function toldBy({ firstRuns, config }: WhyView): string {
  const ofEach = [...Map.groupBy(firstRuns, (run) => run.location).values()].flatMap(([run]) => run ?? []);
  const at = (run: FirstRun) => timeOfDay(run.receivedAtMs, config.timezone, true);
  const place = (run: FirstRun) => data(locationTitle(config, run.location));
  const failed = ofEach
    .filter(({ purpose }) => purpose !== 'confirm')
    .map((run) => `${place(run)} ${run.verdict === 'down' ? 'failed' : 'was slow'}${run.attempts > 1 ? ' twice' : ''} (${at(run)})`);
  const confirmed = ofEach.filter(({ purpose }) => purpose === 'confirm');
  const others = confirmed.length === 0 ? [] : [`${listInWords(confirmed.map(place))} confirmed (${confirmed.map(at).join(', ')})`];
  return [...failed, ...others].join(', ');
}

/** How often it was told of since, and why not oftener. */
function sinceLine({ decisions }: WhyView): string {
  const posts = decisions.filter(({ subject, reason }) => subject === 'post' && reason !== 'first-notification');
  const counted = (reasons: readonly string[]) => posts.filter(({ reason }) => reasons.includes(reason)).length;
  const times = (count: number) => (count === 1 ? 'once' : count === 2 ? 'twice' : `${count} times`);
  const parts = [
    ['raised', counted(['class-raised'])],
    ['lowered', counted(['class-lowered'])],
    ['told of others hit', counted(['impact-changed', 'outlived-cause'])],
    ['brought up to date in silence', counted(['shown-anew', 'recovering'])],
  ] as const;
  const said = parts.filter(([, count]) => count > 0).map(([what, count]) => `${what} ${times(count)}`);
  if (said.length === 0) return '';
  return `*Since then:* ${listInWords(said)}. What gets better waits for a round, and what merely keeps the post current for 5 to 60 s.`;
}

/** Symptoms that got no post of their own, and what was kept back beside it. */
function quietLines(view: WhyView): string[] {
  const { incident, config, keptBack } = view;
  const own = keptBack.filter(({ inputs }) => inputs.incident === undefined || inputs.incident === incident.id);
  const groups = [...Map.groupBy(own, (one) => keeperInWords(one.reason, one.inputs))];
  const others = groups.map(([keeper, list]) => `*Kept back:* ${keptInWords(joined(list), config)}: ${keeper}.`);
  return [symptomsLine(view), ...others].filter(Boolean);
}

function joined(list: readonly DecisionRow[]): Inputs {
  const checks = [...new Set(list.flatMap(({ inputs }) => (Array.isArray(inputs.checks) ? inputs.checks.map(String) : [])))];
  return checks.length > 0 ? { checks } : (list[0]?.inputs ?? {});
}

function symptomsLine({ incident, config }: WhyView): string {
  const { root, members } = incident.facts;
  const [kind, id] = root.split(':');
  const symptoms = members.filter((check) => kind !== 'component' || config.checks[check]?.component !== id);
  const titles = [...new Set(symptoms.map((check) => config.checks[check]?.title ?? check))].map((title) => `"${data(title)}"`);
  const [first, ...rest] = titles;
  if (first === undefined || (kind !== 'component' && symptoms.length < 2)) return '';
  const others = symptoms.length - 1;
  const what =
    rest.length === 0 && others > 0
      ? `${first} in ${symptoms.length} checks`
      : others === 0
        ? first
        : `${first} and ${others} ${others === 1 ? 'other' : 'others'}`;
  const why = kind === 'component' ? `symptoms of ${data(rootTitle(config, root))}` : 'they fail together, so they are one problem';
  return `*Kept quiet:* ${what}: ${why}, told in this one post.`;
}

/** A score in words. */
const STRENGTHS: readonly (readonly [number, string])[] = [
  [0.75, 'strong'],
  [0.4, 'fair'],
  [0, 'weak, so it is not in the post'],
];

function suspectLines({ facts }: Incident): string[] {
  const [first, ...others] = facts.suspects;
  if (!first) return [];
  const line = (suspect: Suspect) =>
    `${data(suspect.title)}: ${data(suspect.text)} (${strengthOf(suspect)}). ${data(suspect.evidence.join(' '))}`;
  return [`*Suspected:* ${line(first)}`, ...others.slice(0, 3).map((suspect) => `*Less:* ${line(suspect)}`)];
}

function strengthOf({ score }: Suspect): string {
  return STRENGTHS.find(([from]) => score >= from)?.[1] ?? 'weak';
}

function mergeLines({ merges, config, incident }: WhyView): string[] {
  const cause = data(rootTitle(config, incident.facts.root));
  return [
    ...(merges.into === undefined ? [] : [`*Told on in ${incidentName(merges.into)}:* it turned out to be the same problem (${cause}).`]),
    ...(merges.from.length === 0 ? [] : [`*Joined to it:* ${listInWords(merges.from.map(incidentName))}, the same problem (${cause}).`]),
  ];
}
