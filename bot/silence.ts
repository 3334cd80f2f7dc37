/** Silencing, by a command or by a form: who may, what is meant, and the rows that make it so. */
import type { Config, Person } from '../core/config/model.ts';
import { type Incident, incidentName } from '../core/incident.ts';
import { type Covers, scopesCovered } from '../core/quiet.ts';
import { listInWords, namedCheck, subjectOf } from '../core/words.ts';
import { audit } from '../store/audit.ts';
import type { Db } from '../store/db.ts';
import { incidentById } from '../store/incident.ts';
import { markDirty } from '../store/scope.ts';
import { endSilence, insertSilence, LONGEST_SILENCE_MS, type Silence } from '../store/silence.ts';
import { tellStory } from '../store/story.ts';
import type { BotParts, Permission } from './contract.ts';
import { data } from './render/blocks.ts';
import { unknownPerson } from './render/refusal.ts';

/** Shorter is over before anybody has read that it began. */
export const SHORTEST_SILENCE_MS = 60_000;
/** As much as is read on a phone. */
export const MOST_REASON_CHARACTERS = 200;

/** Whether a person may; whoever has any role may, and nobody else. `what`: `silence anything`. */
export function maySilence(config: Config, person: Person | undefined, user: string, what: string): Permission {
  if (person && person.roles.length > 0) return { allowed: true };
  const others = Object.values(config.people).filter((one) => one.roles.length > 0);
  const who = others.length === 0 ? '' : ` Those who may: ${data(listInWords(others.map((one) => one.name)))}.`;
  if (!person) return { allowed: false, reason: 'unknown-person', text: `${unknownPerson(what, user)}${who}` };
  return { allowed: false, reason: 'lacks-role', text: `You cannot ${what}: it needs a role, and you have none.${who}` };
}

/** What is to be silenced. */
export interface SilenceTarget {
  kind: 'service' | 'tenant' | 'component' | 'check' | 'incident';
  /** As the audit log names it: an id, or `INC-12`. */
  subject: string;
  /** In words. */
  title: string;
  covers: Covers;
  incidentId?: number;
}

const NOTHING: Covers = { services: [], components: [], tenants: [], checks: [] };
const KINDS = ['service', 'tenant', 'component', 'check'] as const;

/** What may be meant by a name: an id or a title; with the kind before it, of that kind only. Several when it is the name of several. */
export function targetsNamed(config: Config, asked: string): SilenceTarget[] {
  const [first = '', ...rest] = asked.toLowerCase().split(' ');
  const kind = rest.length > 0 ? KINDS.find((one) => one === first) : undefined;
  const name = kind ? rest.join(' ') : asked.toLowerCase();
  return KINDS.filter((one) => kind === undefined || one === kind).flatMap((one) => READ[one](config, name) ?? []);
}

const READ: Record<(typeof KINDS)[number], (config: Config, name: string) => SilenceTarget | undefined> = {
  service: (config, name) => {
    const found = named(config.services, name);
    return found && { kind: 'service', subject: found.id, title: found.title, covers: { ...NOTHING, services: [found.id] } };
  },
  tenant: (config, name) => {
    const found = named(config.tenants, name);
    return found && { kind: 'tenant', subject: found.id, title: found.title, covers: { ...NOTHING, tenants: [found.id] } };
  },
  component: (config, name) => {
    const found = named(config.components, name);
    const title = `${found?.title} and what stands on it`;
    return found && { kind: 'component', subject: found.id, title, covers: { ...NOTHING, components: [found.id] } };
  },
  check: (config, name) => {
    const own = config.checks[name];
    if (own) return { kind: 'check', subject: own.id, title: namedCheck(config, own.id).title, covers: { ...NOTHING, checks: [own.id] } };
    const found = Object.values(config.checks).find((check) => check.template === name || check.title.toLowerCase() === name);
    return found && { kind: 'check', subject: found.template, title: found.title, covers: { ...NOTHING, checks: [found.template] } };
  },
};

function named<T extends { id: string; title: string }>(entries: Record<string, T>, name: string): T | undefined {
  return Object.values(entries).find((one) => one.id === name || one.title.toLowerCase() === name);
}

/** All names that {@link targetsNamed} knows. */
export function targetNames(config: Config): string[] {
  const parts = [config.services, config.tenants, config.components].flatMap((entries) => Object.values(entries));
  const checks = Object.values(config.checks).flatMap((check) => [check.template, check.id]);
  return [...new Set([...parts.flatMap((one) => [one.id, one.title]), ...checks])];
}

/** What an incident is about: the checks that are not well in it, so that what fails besides is told all the same. */
export function targetOfIncident(config: Config, incident: Incident): SilenceTarget | undefined {
  const { facts } = incident;
  const checks = byTemplate(config, [...facts.members, ...facts.blind.map((check) => check.id)]);
  // One of nothing but budgets that burn has no checks of its own.
  const services = checks.length === 0 ? facts.services.map((service) => service.id) : [];
  if (checks.length + services.length === 0) return undefined;
  const name = incidentName(incident.id);
  const covers = { ...NOTHING, checks, services };
  return { kind: 'incident', subject: name, title: `${name}, ${subjectOf(facts)}`, covers, incidentId: incident.id };
}

/** A template in the place of all its checks. */
function byTemplate(config: Config, members: readonly string[]): string[] {
  const own = new Set(members);
  const groups = Map.groupBy(Object.values(config.checks), (check) => check.template);
  return [...groups].flatMap(([template, checks]) => {
    const found = checks.filter((check) => own.has(check.id)).map((check) => check.id);
    return found.length === checks.length ? [template] : found;
  });
}

export interface SilenceAsk {
  target: SilenceTarget;
  person: Person;
  reason: string;
  /** From when it begins; or until a certain time. */
  ends: { afterMs: number } | { atMs: number };
}

/** Begins a silence: what it covers is judged anew, and the audit log says who asked. Returns it. Called in a transaction. */
export async function beginSilence(db: Db, { config, clock }: Pick<BotParts, 'config' | 'clock'>, ask: SilenceAsk): Promise<Silence> {
  const { target, person, reason, ends } = ask;
  const madeAtMs = clock.now();
  const endsAtMs = Math.min('atMs' in ends ? ends.atMs : madeAtMs + ends.afterMs, madeAtMs + LONGEST_SILENCE_MS);
  const made = {
    ...{ title: target.title, reason, madeBy: person.id, madeAtMs, endsAtMs, ...target.covers },
    ...(target.incidentId === undefined ? {} : { incidentId: target.incidentId }),
  };
  const id = await insertSilence(db, made);
  await markDirty(db, scopesCovered([target.covers], config));
  const details = { silence: id, reason, until: new Date(endsAtMs).toISOString(), ...target.covers };
  const incident = target.incidentId === undefined ? undefined : await incidentById(db, target.incidentId);
  if (incident) await tellStory(db, incident, madeAtMs, { kind: 'silenced', by: person.id, untilMs: endsAtMs, reason });
  await audit(db, { actor: person.id, verb: 'silence', subject: target.subject, outcome: 'done', reason: 'allowed', data: details });
  return { id, ...made };
}

/** Ends a silence before its time. Returns whether this call did it. Called in a transaction. */
export async function stopSilence(
  db: Db,
  { config, clock }: Pick<BotParts, 'config' | 'clock'>,
  silence: Silence,
  person: Person,
): Promise<boolean> {
  if (!(await endSilence(db, silence.id, person.id, clock.now()))) return false;
  await markDirty(db, scopesCovered([silence], config));
  const row = { actor: person.id, verb: 'silence', subject: silence.title, outcome: 'done', reason: 'ended' } as const;
  await audit(db, { ...row, data: { silence: silence.id } });
  return true;
}
