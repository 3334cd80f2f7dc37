/** The post of an incident: what somebody who was woken must know in five seconds, and what they can press. Pure. */
import { spanInWords, timeOfDay } from '../../core/duration.ts';
import { type Facts, type Incident, incidentName, type Symptom } from '../../core/incident.ts';
import { budgetOf, changesOf, headlineOf, impactOf, listInWords, MARKS, subjectOf } from '../../core/words.ts';
import { actions, type Block, type ButtonElement, context, data, few, type Message, message, picture, section } from './blocks.ts';

/** Lines of what fails; more would push the buttons off a phone's screen. */
const MOST_FAILURES = 3;

/** The failure kind of a run that succeeded, but took longer than it may. */
const SLOW = 'slow';

export interface IncidentView {
  incident: Incident;
  nowMs: number;
  timeZone: string;
  /** A person's name for an id of the configuration. */
  nameOf(person: string): string;
  buttons: readonly ButtonElement[];
  /** Slack's id of the uploaded picture. */
  fileId?: string;
}

/** The post as it should stand now. */
export function renderIncident(view: IncidentView): Message {
  const { incident } = view;
  return incident.state === 'resolved' ? renderResolved(view) : renderOpen(view);
}

function renderOpen(view: IncidentView): Message {
  const { incident } = view;
  const { facts } = incident;
  const mark = MARKS[incident.class];
  const blocks: Block[] = [
    section(`${mark} *${data(subjectOf(facts))}: ${incident.class}.* ${data(impactOf(facts, incident.class))}`, recoveringLine(facts)),
    section(
      sinceLine(view),
      blindLine(incident),
      ...failureLines(facts),
      ...componentLines(facts),
      causeLine(facts),
      data(changesOf(facts)),
      data(budgetOf(facts)),
      alsoLine(facts),
      ownerLine(view),
    ),
    // Above the picture: on a phone the picture alone fills the screen.
    ...actions(view.buttons),
    ...pictureBlock(view),
    footer(view),
  ];
  return message(`${mark} ${headlineOf(facts, incident.class)}`, blocks);
}

function renderResolved(view: IncidentView): Message {
  const { incident, timeZone } = view;
  const { facts } = incident;
  const span = `From ${timeOfDay(incident.beganAtMs, timeZone)} to ${timeOfDay(incident.resolvedAtMs ?? view.nowMs, timeZone)}.`;
  const failed = failureLines(facts).map((line) => line.replace(/(^|: )fails\b/, '$1failed').replace(/^Fails\b/, 'Failed'));
  const blocks = [
    section(`${MARKS.resolved} *${data(subjectOf(facts))}: well again.* ${data(incident.resolution ?? '')}`),
    section(data(whatItWas(incident)), span, ...failed, causeLine(facts), acknowledgedLine(view)),
    context(incidentName(incident.id)),
  ];
  return message(`${MARKS.resolved} ${subjectOf(facts)}: well again. ${incident.resolution ?? ''}`.trim(), blocks);
}

/** The worst that it was, and what people could not do then, when that is still known. */
function whatItWas(incident: Incident): string {
  const peak = `${incident.peak[0]?.toUpperCase()}${incident.peak.slice(1)}`;
  if (incident.peak !== incident.class) return `${peak}.`;
  const impact = impactOf(incident.facts, incident.class).replace(' cannot ', ' could not ').replace(' can ', ' could ');
  return impact ? `${peak}: ${impact}` : `${peak}.`;
}

function recoveringLine(facts: Facts): string {
  if (!facts.recovering) return '';
  const rounds = facts.roundsLeft === 1 ? '1 more round' : `${facts.roundsLeft} more rounds`;
  return `All is well again. ${facts.roundsLeft > 0 ? `Watching for ${rounds}.` : 'Closing now.'}`;
}

function sinceLine(view: IncidentView): string {
  const { facts } = view.incident;
  const since = `Since ${timeOfDay(facts.sinceMs, view.timeZone)} (${spanInWords(view.nowMs - facts.sinceMs)})`;
  const total = facts.locationsTotal;
  const seen = facts.seenFrom.length;
  if (facts.recovering || seen === 0) return `${since}.`;
  const where = seen < total ? `: ${data(listInWords(facts.seenFrom))}` : '';
  return `${since}, seen from ${seen} of ${total} ${total === 1 ? 'location' : 'locations'}${where}.`;
}

/** `Fails at "confirm the invoice": no answer within 15 s.`, or `Slow: took 4.8 s, expected at most 4 s.`, once for each way of failing. */
function failureLines(facts: Facts): string[] {
  const symptoms = facts.services.flatMap((service) => service.symptoms);
  const groups = Map.groupBy(symptoms, ({ failure, verdict }) => JSON.stringify([failure?.step, failure?.kind, verdict]));
  const lines = [...groups.values()].map((group) => failureLine(group, groups.size > 1));
  return few(lines.filter(Boolean), MOST_FAILURES, 'ways of failing');
}

function failureLine(group: readonly Symptom[], named: boolean): string {
  const [first] = group;
  const how = first && howItFails(first);
  if (!how) return '';
  if (!named) return how;
  return `${data(listInWords(group.map((symptom) => symptom.title)))}: ${how[0]?.toLowerCase()}${how.slice(1)}`;
}

function howItFails(symptom: Symptom): string {
  const { failure, verdict, durationMs, usuallyMs } = symptom;
  const usually = usuallyMs === undefined ? '' : ` Usually ${spanInWords(usuallyMs)}.`;
  if (failure?.kind === SLOW) return `Slow${atStep(symptom)}: ${sentenceOf(failure.message)}${usually}`;
  if (failure) return `Fails${atStep(symptom)}: ${sentenceOf(failure.message)}`;
  return verdict === 'degraded' && durationMs !== undefined ? `Slow: takes ${spanInWords(durationMs)}.${usually}` : '';
}

function atStep(symptom: Symptom): string {
  return symptom.failure?.step ? ` at "${data(symptom.failure.step)}"` : '';
}

/** Components in trouble that are not told of as the likely cause already. */
function componentLines(facts: Facts): string[] {
  const told = facts.likelyCause?.text ?? '';
  const lines = facts.components
    .filter((component) => !told.startsWith(component.title))
    .map((component) => `${data(component.title)}: ${sentenceOf(component.findings[0]?.text ?? component.failure?.message ?? 'not well')}`);
  return few(lines, MOST_FAILURES, 'components');
}

function causeLine(facts: Facts): string {
  const cause = facts.likelyCause;
  return cause ? `*Likely cause:* ${sentenceOf(cause.text)} ${data(cause.evidence)}`.trim() : '';
}

/** What nobody sees at present, beside what is known; an incident that is blind says so in its first line. */
function blindLine(incident: Incident): string {
  const { blind } = incident.facts;
  if (blind.length === 0) return '';
  const titles = data(listInWords(blind.map((check) => check.title)));
  if (incident.facts.locations.length > 0) return `Too few locations are left to judge ${titles}.`;
  if (incident.class === 'blind') return '';
  return `${MARKS.blind} Not seen at present: no results for ${titles}.`;
}

/** Services that are hit less than the first line says. */
function alsoLine(facts: Facts): string {
  const worst = facts.services[0]?.class;
  const others = facts.services.filter((service) => service.class !== worst);
  return others.length === 0 ? '' : `Also: ${data(listInWords(others.map((service) => `${service.title} (${service.class})`)))}.`;
}

function ownerLine(view: IncidentView): string {
  const { facts } = view.incident;
  const onCall = facts.onCall.length > 0 ? `On call: ${data(listInWords(facts.onCall.map((one) => one.title)))}.` : '';
  const owner = facts.owner ? `Owner: ${data(facts.owner)}.` : '';
  return [acknowledgedLine(view) || onCall, owner].filter(Boolean).join(' ');
}

function acknowledgedLine(view: IncidentView): string {
  const { acknowledgedBy, acknowledgedAtMs } = view.incident;
  if (!acknowledgedBy || acknowledgedAtMs === undefined) return '';
  return `Acknowledged by ${data(view.nameOf(acknowledgedBy))} at ${timeOfDay(acknowledgedAtMs, view.timeZone)}.`;
}

function pictureBlock(view: IncidentView): Block[] {
  if (!view.fileId) return [];
  const failure = view.incident.facts.services[0]?.symptoms[0]?.failure;
  return [picture(view.fileId, failure?.step ? `What the browser showed at "${failure.step}"` : 'What the browser showed when it failed')];
}

function footer(view: IncidentView): Block {
  return context(`${incidentName(view.incident.id)} · as of ${timeOfDay(view.nowMs, view.timeZone)}`);
}

/** Data that ends as a sentence does. */
function sentenceOf(text: string): string {
  const clean = data(text);
  return /[.!?…]$/.test(clean) ? clean : `${clean}.`;
}
