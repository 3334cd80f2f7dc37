/** Asking for a runbook, by one press or by a form: who may, whether it is still offered, and the rows that make it happen once. */
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import type { Config, Person, Runbook } from '../core/config/model.ts';
import { canonical } from '../core/config/revision.ts';
import { timeOfDay } from '../core/duration.ts';
import { type Facts, type Incident, incidentName, type Offer } from '../core/incident.ts';
import { audit } from '../store/audit.ts';
import { type Db, inTransaction } from '../store/db.ts';
import { executionUnderWay, insertExecution } from '../store/execution.ts';
import { incidentById } from '../store/incident.ts';
import { PRIORITY } from '../store/outbox.ts';
import { showIncident, tellStory } from '../store/story.ts';
import type { BotParts, Permission } from './contract.ts';
import { nameIn } from './names.ts';
import { data, type Message, sentence } from './render/blocks.ts';
import { lacksRole, staleButton, unknownPerson } from './render/refusal.ts';

/** An agent that gets it later refuses: nobody watches any more. */
const NOT_AFTER_MS = 120_000;

/** What a button or form of a runbook is bound to. */
export const runbookParams = z.object({
  runbook: z.string(),
  title: z.string(),
  preview: z.string(),
  location: z.string(),
  target: z.record(z.string(), z.union([z.string(), z.number()])),
  /** Counts how often it was asked for: the button after a run is another. */
  attempt: z.number(),
});
export type RunbookParams = z.infer<typeof runbookParams>;

/** What is bound, from what is offered. */
export function paramsOf(offer: Offer): Omit<RunbookParams, 'attempt'> {
  const { runbook, title, preview, location, target } = offer;
  return { runbook, title, preview, location, target };
}

/** A name for exactly this runbook: what was opened before the configuration changed it is stale. */
export function runbookDigest(runbook: Runbook): string {
  return createHash('sha256').update(canonical(runbook)).digest('base64url');
}

/** Whether a person may run it; nobody may who is not listed or has none of its roles. */
export function mayRun(config: Config, params: RunbookParams, who: { person: Person | undefined; user: string; facts: Facts }): Permission {
  const { person, user, facts } = who;
  const needed = config.runbooks[params.runbook]?.mayRun ?? [];
  if (person && needed.some((role) => person.roles.includes(role))) return { allowed: true };
  if (!person) return { allowed: false, reason: 'unknown-person', text: unknownPerson(`run "${data(params.title)}"`, user, facts) };
  return { allowed: false, reason: 'lacks-role', text: lacksRole(params.title, needed, person.roles, facts) };
}

/** Somebody who may asks for a runbook. */
export interface RunbookAsk {
  person: Person | undefined;
  incidentId: number;
  incidentRevision: number;
  /** When the button was shown. */
  madeAtMs: number;
  params: RunbookParams;
  known: Runbook;
  /** Of the action, filled in and held against its schema. */
  actionParams: Record<string, unknown>;
  /** What is told that was shown. */
  shown: string;
  /** What was filled in. */
  parameters?: { title: string; value: string | number }[];
  /** Uses up what it was asked with. Returns whether this call did it. */
  use(db: Db): Promise<boolean>;
}

/** Writes down that it is wanted, unless something speaks against it. Both are told to whoever asked. */
export async function askRunbook(parts: BotParts, ask: RunbookAsk): Promise<{ done: Message } | { refused: Message }> {
  return inTransaction(parts.pool, (db) => askIn(db, parts, ask));
}

async function askIn(db: Db, parts: BotParts, ask: RunbookAsk): Promise<{ done: Message } | { refused: Message }> {
  const { params } = ask;
  const { config } = parts;
  // Under the incident's lock: of two presses the second sees the first.
  const incident = await incidentById(db, ask.incidentId, 'for update');
  if (incident?.state !== 'open' || !stillOffered(incident, params)) {
    await refuse(db, ask, 'stale-button');
    return { refused: staleButton(ask.madeAtMs, config.timezone) };
  }
  const underWay = await executionUnderWay(db, incident.id, params.runbook);
  if (underWay) {
    await refuse(db, ask, 'under-way');
    const since = timeOfDay(underWay.askedAtMs, config.timezone, true);
    const who = nameIn(config)(underWay.askedBy);
    return { refused: sentence(`"${data(params.title)}" is under way: ${who} asked at ${since}. The thread tells how it ends.`) };
  }
  if (!(await ask.use(db))) {
    await refuse(db, ask, 'used-button');
    return { refused: sentence('This button was used already. The thread tells what came of it; the post above has the current one.') };
  }
  await write(db, parts, ask, incident);
  return { done: sentence(`Asked for: "${data(params.title)}". The thread tells how it ends.`) };
}

/** The incident may have changed; what matters is that the same is offered, to the same target. */
function stillOffered(incident: Incident, params: RunbookParams): boolean {
  const { attempt: _attempt, ...bound } = params;
  return incident.facts.offers.some((offer) => isDeepStrictEqual(withoutPreview(paramsOf(offer)), withoutPreview(bound)));
}

function withoutPreview<T extends { preview: string }>(params: T): Omit<T, 'preview'> {
  const { preview: _preview, ...rest } = params;
  return rest;
}

async function write(db: Db, parts: BotParts, ask: RunbookAsk, incident: Incident): Promise<void> {
  const { params, known, person, shown, parameters } = ask;
  const { title, location, target } = params;
  const by = person?.id ?? '';
  const execution = await insertExecution(db, {
    incidentId: incident.id,
    runbook: known.id,
    title,
    action: known.action.type,
    location,
    params: ask.actionParams,
    target,
    askedBy: by,
    notAfterMs: NOT_AFTER_MS,
    verify: known.verify,
  });
  const told = { title, preview: shown, location, ...(parameters ? { parameters } : {}) };
  await tellStory(db, incident, parts.clock.now(), { kind: 'asked', by: person?.name ?? by, ...told });
  // The button is used up: the post gets the next one, for when this run has not helped.
  await showIncident(db, incident, { priority: PRIORITY.degradation, reason: 'asked' });
  const details = {
    execution,
    runbook: known.id,
    target,
    shown,
    incidentRevision: ask.incidentRevision,
    ...(parameters ? { parameters } : {}),
  };
  await audit(db, { actor: by, verb: 'runbook', subject: incidentName(incident.id), outcome: 'done', reason: 'allowed', data: details });
}

async function refuse(db: Db, ask: RunbookAsk, reason: string): Promise<void> {
  const details = { runbook: ask.params.runbook, target: ask.params.target };
  const subject = incidentName(ask.incidentId);
  await audit(db, { actor: ask.person?.id ?? '', verb: 'runbook', subject, outcome: 'refused', reason, data: details });
}
