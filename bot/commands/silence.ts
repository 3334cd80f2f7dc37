import { parseDurationMs } from '../../core/duration.ts';
import { incidentName, parseIncidentName } from '../../core/incident.ts';
import { listInWords } from '../../core/words.ts';
import { audit } from '../../store/audit.ts';
import { inTransaction } from '../../store/db.ts';
import { incidentById } from '../../store/incident.ts';
import { LONGEST_SILENCE_MS, openSilences, silenceById } from '../../store/silence.ts';
import type { CommandContext, CommandVerb } from '../contract.ts';
import { actorOf, nameIn, nearest } from '../names.ts';
import { data, type Message, sentence } from '../render/blocks.ts';
import { type QuietParts, renderSilences, silenceBegun, timeInWords } from '../render/quiet.ts';
import { notKnown, resolvedIncident } from '../render/refusal.ts';
import {
  beginSilence,
  MOST_REASON_CHARACTERS,
  maySilence,
  SHORTEST_SILENCE_MS,
  type SilenceTarget,
  stopSilence,
  targetNames,
  targetOfIncident,
  targetsNamed,
} from '../silence.ts';

const EXAMPLE = '/rounds silence billing 2h known: the vendor works on it';

const silence: CommandVerb = {
  verb: 'silence',
  arguments: '[WHAT 2h WHY | list | end NUMBER]',
  summary: 'Posts nothing of a service, clinic, component, check or incident for a while. Only for people with a role.',
  example: EXAMPLE,
  // Anybody may look at the list; the rest is held against roles below.
  changes: false,

  run: async (context) => {
    const [first = 'list', ...rest] = context.words;
    if (first.toLowerCase() === 'list' && rest.length === 0) return list(context);
    const what = first.toLowerCase() === 'end' && rest.length <= 1 ? 'end a silence' : 'silence anything';
    const permission = maySilence(context.config, context.person, context.call.user, what);
    if (!permission.allowed) return refuse(context, permission.reason, sentence(permission.text));
    return what === 'end a silence' ? end(context, rest[0] ?? '') : begin(context);
  },
};

function partsOf({ config, clock }: CommandContext): QuietParts {
  return { config, nowMs: clock.now(), nameOf: nameIn(config) };
}

async function list(context: CommandContext): Promise<Message> {
  return renderSilences(await openSilences(context.pool, context.clock.now()), partsOf(context));
}

async function refuse({ pool, person, call, words }: CommandContext, reason: string, answer: Message): Promise<Message> {
  const subject = words.slice(0, 2).join(' ');
  await audit(pool, { actor: actorOf(person, call.user), verb: 'silence', subject, outcome: 'refused', reason });
  return answer;
}

async function end(context: CommandContext, typed: string): Promise<Message> {
  const { pool, person, clock, config } = context;
  const id = /^#?(\d{1,9})$/.exec(typed)?.[1];
  const found = id === undefined ? undefined : await silenceById(pool, Number(id));
  if (!found || !person) return sentence(`I know no silence "${data(typed)}". \`/rounds silence list\` shows what is on.`);
  if (await inTransaction(pool, (db) => stopSilence(db, context, found, person))) {
    return sentence(`The silence of *${data(found.title)}* is ended. What is wrong there is posted from now on.`);
  }
  const at = timeInWords(found.endedAtMs ?? found.endsAtMs, clock.now(), config.timezone);
  const by = found.endedBy === undefined ? '' : ` by ${data(nameIn(config)(found.endedBy))}`;
  return sentence(`The silence of *${data(found.title)}* is over since ${at}${by}.`);
}

interface Typed {
  name: string;
  lasts: string;
  reason: string;
}

/** The first word that is a duration parts the name from the reason; either may have spaces. */
function readWords(words: readonly string[]): Typed {
  const at = words.findIndex((word, index) => index > 0 && parseDurationMs(word.toLowerCase()) !== undefined);
  if (at < 0) return { name: words.join(' '), lasts: '', reason: '' };
  // Slack makes curly quotes of straight ones.
  const reason = words
    .slice(at + 1)
    .join(' ')
    .replace(/^["'“”‘’]+|["'“”‘’]+$/gu, '')
    .trim();
  return { name: words.slice(0, at).join(' '), lasts: (words[at] ?? '').toLowerCase(), reason };
}

/** What is wrong with what was typed. */
function problemOf({ name, lasts, reason }: Typed): string | undefined {
  const typed = data(name);
  const lastsMs = parseDurationMs(lasts);
  if (lastsMs === undefined) return `For how long? Expected 30m, 2h or at most 7d: \`/rounds silence ${typed} 2h why\``;
  if (lastsMs < SHORTEST_SILENCE_MS) return `A silence lasts at least a minute: \`/rounds silence ${typed} 30m why\``;
  if (lastsMs > LONGEST_SILENCE_MS) {
    return `A silence lasts at most 7d, got ${data(lasts)}. What is out of use for longer is better taken out of rounds.yaml.`;
  }
  if (reason === '')
    return `Why? Whoever finds it quiet wants to know: \`/rounds silence ${typed} ${data(lasts)} known: the vendor works on it\``;
  if (reason.length <= MOST_REASON_CHARACTERS) return undefined;
  return `Expected a reason of at most ${MOST_REASON_CHARACTERS} characters, got ${reason.length}.`;
}

async function begin(context: CommandContext): Promise<Message> {
  const { pool, person } = context;
  const typed = readWords(context.words);
  const target = await targetOf(context, typed);
  if ('text' in target) return target;
  const problem = problemOf(typed);
  if (problem !== undefined || !person) return sentence(problem ?? '');
  const ends = { afterMs: parseDurationMs(typed.lasts) ?? 0 };
  const made = await inTransaction(pool, (db) => beginSilence(db, context, { target, person, reason: typed.reason, ends }));
  return silenceBegun(made, partsOf(context));
}

async function targetOf(context: CommandContext, { name, lasts }: Typed): Promise<SilenceTarget | Message> {
  const { config } = context;
  const incidentId = parseIncidentName(name);
  if (incidentId !== undefined) return targetOfNumber(context, incidentId);
  const [found, ...others] = targetsNamed(config, name);
  if (!found)
    return notKnown('service, clinic, component or check', name, nearest(name, targetNames(config)), (near) => retype(near, lasts));
  if (others.length === 0) return found;
  const kinds = listInWords([found, ...others].map((one) => `a ${one.kind === 'tenant' ? 'clinic' : one.kind}`));
  return sentence(`"${data(name)}" is ${kinds}. Say which: \`${data(retype(`${found.kind} ${name}`, lasts))}\``);
}

function retype(name: string, lasts: string): string {
  return `/rounds silence ${name} ${lasts || '2h'} why`;
}

async function targetOfNumber({ pool, config, clock }: CommandContext, id: number): Promise<SilenceTarget | Message> {
  const incident = await incidentById(pool, id);
  if (!incident) return sentence(`I know no incident "${incidentName(id)}". \`/rounds incidents\` shows what is open.`);
  if (incident.state === 'resolved') return resolvedIncident(incident, config.timezone, clock.now());
  const target = targetOfIncident(config, incident);
  return target ?? sentence(`${incidentName(id)} has no checks that could be silenced. Silence its service instead: \`${EXAMPLE}\``);
}

export default silence;
