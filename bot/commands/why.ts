import { EMPTY_STATE } from '../../core/evaluate.ts';
import { type Incident, incidentName, parseIncidentName } from '../../core/incident.ts';
import { covers } from '../../core/quiet.ts';
import { whyUntold } from '../../core/why.ts';
import { readStates } from '../../store/check.ts';
import { incidentById, listIncidents, openIncidents } from '../../store/incident.ts';
import { locationTroublesOf } from '../../store/location-trouble.ts';
import { planningSince } from '../../store/planner.ts';
import { firstSentAt, newestIncidents } from '../../store/query.ts';
import { quietsAt } from '../../store/quiet.ts';
import { silenceById } from '../../store/silence.ts';
import {
  countDecisions,
  decisionsOfIncident,
  firstRuns,
  incidentOfPost,
  keptBackBetween,
  keptBackBy,
  mergesOf,
  troubledRuns,
} from '../../store/why.ts';
import type { CommandContext, CommandVerb } from '../contract.ts';
import { nameIn, nearest } from '../names.ts';
import { data, type Message, sentence } from '../render/blocks.ts';
import { notKnown } from '../render/refusal.ts';
import { DECISIONS_OF_PAGE, renderWhole, renderWhy } from '../render/why.ts';
import { renderWhyNow, renderWhySilence } from '../render/why-quiet.ts';
import { type SilenceTarget, targetNames, targetsNamed } from '../silence.ts';

/** The short answer rests on the first of them, and on the latest class. */
const MOST_READ = 400;
/** What was kept back so long before it began may belong to it. */
const BEFORE_MS = 10 * 60_000;
const HOUR_MS = 3_600_000;
const WEEK_MS = 7 * 86_400_000;

const why: CommandVerb = {
  verb: 'why',
  arguments: '[INC-12 [all] | last | silence 7 | WHAT]',
  summary: 'Why it was classified, posted or kept back as it was; of a service, clinic or check: why nothing is posted now.',
  example: '/rounds why INC-1',
  changes: false,

  run: async (context) => {
    const [first = '', second = '', third = '1'] = context.words;
    if (first === '') return which(context);
    if (first.toLowerCase() === 'silence' && second !== '') return ofSilence(context, second);
    const id = await numberOf(context, first);
    const incident = id === undefined ? undefined : await incidentById(context.pool, id);
    if (!incident) return ofName(context);
    return second.toLowerCase() === 'all' ? whole(context, incident, third) : short(context, incident);
  },
};

/** Of `INC-12`, of the link to a post, or of `last`, the last post of the channel in which it is asked. */
async function numberOf({ pool, call }: CommandContext, typed: string): Promise<number | undefined> {
  if (typed.toLowerCase() === 'last') return incidentOfPost(pool, call.channel);
  // docs.slack.dev: …/archives/C123ABC/p1355517523000008, and for a reply ?thread_ts=1355517523.000008
  const [, channel, digits] = /\/archives\/([A-Z0-9]+)\/p(\d{16})/.exec(typed) ?? [];
  if (channel === undefined || digits === undefined) return parseIncidentName(typed);
  const [, thread] = /[?&]thread_ts=(\d+\.\d{6})/.exec(typed) ?? [];
  return incidentOfPost(pool, channel, thread ?? `${digits.slice(0, 10)}.${digits.slice(10)}`);
}

async function short({ pool, config, clock }: CommandContext, incident: Incident): Promise<Message> {
  const nowMs = clock.now();
  const [decisions, total, keptBack, merges, postedAtMs] = await Promise.all([
    decisionsOfIncident(pool, incident.id, { from: 0, most: MOST_READ }),
    countDecisions(pool, incident.id),
    keptBackBetween(pool, incident.scope, incident.beganAtMs - BEFORE_MS, incident.resolvedAtMs ?? nowMs),
    mergesOf(pool, incident.id),
    firstSentAt(pool, incident.id),
  ]);
  const check = decisions.find(({ subject }) => subject.startsWith('verdict '))?.subject.slice('verdict '.length);
  const everyMs = config.checks[check ?? '']?.everyMs ?? 0;
  const runs = check === undefined ? [] : await firstRuns(pool, check, incident.beganAtMs - everyMs, incident.openedAtMs);
  const told = runs.filter(({ receivedAtMs }) => receivedAtMs <= (postedAtMs ?? nowMs));
  const view = { incident, decisions, total, keptBack, merges, firstRuns: told, config, nowMs };
  return renderWhy({ ...view, ...(postedAtMs === undefined ? {} : { postedAtMs }) });
}

async function whole({ pool, config }: CommandContext, incident: Incident, typed: string): Promise<Message> {
  const page = /^\d{1,4}$/.test(typed) ? Math.max(1, Number(typed)) : 1;
  const before = (page - 1) * DECISIONS_OF_PAGE;
  const [decisions, total] = await Promise.all([
    decisionsOfIncident(pool, incident.id, { from: before, most: DECISIONS_OF_PAGE }),
    countDecisions(pool, incident.id),
  ]);
  return renderWhole({ incident, decisions, before, total, config });
}

async function ofSilence({ pool, config, clock }: CommandContext, typed: string): Promise<Message> {
  const id = /^#?(\d{1,9})$/.exec(typed)?.[1];
  const silence = id === undefined ? undefined : await silenceById(pool, Number(id));
  if (!silence) return sentence(`I know no silence "${data(typed)}". \`/rounds silence list\` shows what is on.`);
  const keptBack = await keptBackBy(pool, String(silence.id), silence.madeAtMs);
  return renderWhySilence({ silence, keptBack, config, nowMs: clock.now(), nameOf: nameIn(config) });
}

/** Of a service, clinic, component or check: why nothing is posted of it. */
async function ofName(context: CommandContext): Promise<Message> {
  const { pool, config, words } = context;
  const asked = words.join(' ');
  const [target] = targetsNamed(config, asked);
  if (target) return now(context, target);
  if (asked.toLowerCase() === 'last')
    return sentence('No incident was posted in this channel so far. `/rounds incidents` shows those of the others.');
  const incidents = (await newestIncidents(pool)).map(incidentName);
  const typed = (name: string) => `/rounds why ${name}`;
  if (parseIncidentName(words[0] ?? '') !== undefined) return notKnown('incident', asked, nearest(asked, incidents) ?? incidents[0], typed);
  return notKnown('incident, service, clinic or check', asked, nearest(asked, [...targetNames(config), ...incidents]), typed);
}

async function now({ pool, config, clock }: CommandContext, target: SilenceTarget): Promise<Message> {
  const nowMs = clock.now();
  const checks = Object.values(config.checks).filter((check) => covers(target.covers, check, config));
  const ids = checks.map((check) => check.id);
  const [states, incidents, quiets, troubles, planningSinceMs, runs] = await Promise.all([
    readStates(pool, ids),
    openIncidents(pool),
    quietsAt(pool, config, nowMs),
    locationTroublesOf(pool),
    planningSince(pool),
    troubledRuns(pool, ids, nowMs - HOUR_MS),
  ]);
  const input = { config, open: incidents, quiets, troubles, nowMs, planningSinceMs };
  const views = checks
    .map((check) => ({ check, state: states.get(check.id) ?? EMPTY_STATE }))
    .map((view) => ({ ...view, untold: whyUntold(view, input) }));
  const open = incidents.filter((incident) => concerns(incident, target, ids));
  return renderWhyNow({ title: target.title, checks: views, open, runs, config, nowMs, nameOf: nameIn(config) });
}

/** Something of it belongs to the incident; of one of a budget alone, its service does. */
function concerns({ facts }: Incident, { covers: { services } }: SilenceTarget, checks: readonly string[]): boolean {
  const own = new Set(checks);
  if (facts.members.some((check) => own.has(check)) || facts.blind.some((check) => own.has(check.id))) return true;
  return facts.burns.some((burn) => services.includes(burn.service));
}

async function which({ pool, clock }: CommandContext): Promise<Message> {
  const [latest] = await listIncidents(pool, clock.now() - WEEK_MS, 1);
  if (!latest) return sentence('Which incident? None was open in the last 7 days. Or name a service: why nothing is posted of it.');
  return sentence(`Which incident? The latest is ${incidentName(latest.id)}: \`/rounds why ${incidentName(latest.id)}\``);
}

export default why;
