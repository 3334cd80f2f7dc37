/** What is told outside Slack, while Slack is away: the first lines of the alert, and nothing that the post would not say. Pure. */
import type { IncidentClass } from './check.ts';
import { CLASSES } from './check.ts';
import type { Config } from './config/model.ts';
import { spanInWords, timeOfDay } from './duration.ts';
import { type Incident, incidentName } from './incident.ts';
import { onCallOf } from './oncall.ts';
import { momentInWords } from './report/words.ts';
import { headlineOf, listInWords, MARKS, subjectOf } from './words.ts';

/** A class, or that it is over. */
export type About = IncidentClass | 'resolved';

export type Way = 'email' | 'webhook';

export interface Telling {
  /** `🟠 Patient billing: partial outage (INC-12)`. */
  subject: string;
  lines: string[];
  /** The same for machines. */
  facts: {
    incident: string;
    about: About;
    headline: string;
    /** ISO 8601, in UTC. */
    since: string;
    likelyCause?: string;
    onCall: string[];
    owner: string;
    channel: string;
  };
}

/** What is said of an incident. `about`: its class, or that it is over. */
export function tellingOf(config: Config, incident: Incident, about: About, nowMs: number): Telling {
  const name = incidentName(incident.id);
  const headline = about === 'resolved' ? overHeadline(incident) : headlineOf(incident.facts, about);
  const mark = MARKS[about];
  const { likelyCause } = incident.facts;
  const onCall = onCallOf(config, incident.facts.owner, nowMs).people.map((id) => config.people[id]?.name ?? id);
  const facts = {
    ...{ incident: name, about, headline, since: new Date(incident.beganAtMs).toISOString() },
    ...(likelyCause && about !== 'resolved' ? { likelyCause: `${likelyCause.text} ${likelyCause.evidence}`.trim() } : {}),
    ...{ onCall, owner: incident.facts.owner, channel: incident.channel },
  };
  const subject = about === 'resolved' ? `${subjectOf(incident.facts)}: well again` : `${subjectOf(incident.facts)}: ${about}`;
  return { subject: `${mark} ${subject} (${name})`, lines: linesOf(config, incident, about, nowMs, { mark, ...facts }), facts };
}

function overHeadline({ facts, resolution }: Incident): string {
  return `${subjectOf(facts)}: well again. ${resolution ?? ''}`.trim();
}

function linesOf(config: Config, incident: Incident, about: About, nowMs: number, said: Telling['facts'] & { mark: string }): string[] {
  const { timezone } = config;
  const owner = incident.facts.owner === '' ? '' : ` Owner: ${incident.facts.owner}.`;
  const since =
    about === 'resolved'
      ? `From ${timeOfDay(incident.beganAtMs, timezone)} to ${timeOfDay(incident.resolvedAtMs ?? nowMs, timezone)}.`
      : `Since ${momentInWords(incident.beganAtMs, timezone)} (${spanInWords(Math.max(0, nowMs - incident.beganAtMs))}).`;
  return [
    `${said.mark} ${said.headline}`,
    since,
    ...(said.likelyCause === undefined ? [] : [`Likely cause: ${said.likelyCause}`]),
    `${onCallWords(config, incident, said.onCall, nowMs)}${owner}`,
    '',
    `Slack has not taken this so far, so Rounds tells it here. The post comes to ${incident.channel} when Slack is back. ${said.incident}`,
  ];
}

function onCallWords(config: Config, incident: Incident, names: readonly string[], nowMs: number): string {
  if (names.length === 0) return 'Nobody is on call.';
  const { untilMs } = onCallOf(config, incident.facts.owner, nowMs);
  return `On call: ${listInWords(names, 6)}${untilMs === undefined ? '' : ` until ${momentInWords(untilMs, config.timezone)}`}.`;
}

/** Whether the class, or one as bad, was told elsewhere before: of what has got better by itself nobody is woken. */
export function isNoNews(klass: IncidentClass, told: readonly About[]): boolean {
  const bad = CLASSES.indexOf(klass);
  return told.some((about) => about !== 'resolved' && CLASSES.indexOf(about) <= bad);
}
