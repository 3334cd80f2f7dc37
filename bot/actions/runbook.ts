/** Run a runbook: exactly what was shown, once, by somebody who may, while the incident still offers it. */
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import type { Runbook } from '../../core/config/model.ts';
import { timeOfDay } from '../../core/duration.ts';
import { type Incident, incidentName, type Offer } from '../../core/incident.ts';
import { audit } from '../../store/audit.ts';
import { useButton } from '../../store/button.ts';
import { type Db, inTransaction } from '../../store/db.ts';
import { executionUnderWay, insertExecution } from '../../store/execution.ts';
import { incidentById } from '../../store/incident.ts';
import { PRIORITY } from '../../store/outbox.ts';
import { showIncident, tellStory } from '../../store/story.ts';
import type { ButtonVerb, PressContext } from '../contract.ts';
import { nameIn } from '../names.ts';
import { data, type Message, sentence } from '../render/blocks.ts';
import { lacksRole, staleButton, unknownPerson } from '../render/refusal.ts';

/** What was true of a target an hour ago is no ground to act on; the post gets fresh buttons with every change. */
const EXPIRES_IN_MS = 3_600_000;
/** An agent that gets it later refuses: nobody watches any more. */
const NOT_AFTER_MS = 120_000;

const paramsSchema = z.object({
  runbook: z.string(),
  title: z.string(),
  preview: z.string(),
  location: z.string(),
  target: z.record(z.string(), z.union([z.string(), z.number()])),
  /** Counts how often it was asked for: the button after a run is another. */
  attempt: z.number(),
});
type Params = z.infer<typeof paramsSchema>;

const runbook: ButtonVerb = {
  verb: 'runbook',
  expiresInMs: EXPIRES_IN_MS,
  singleUse: true,

  offered: (incident, executions) =>
    incident.facts.offers.map((offer) => ({
      label: offer.title,
      params: { ...paramsOf(offer), attempt: executions.get(offer.runbook) ?? 0 },
      confirm: { title: offer.title, text: offer.preview, yes: 'Run it' },
    })),

  permit: ({ config, button, person, user, incident }) => {
    const params = paramsSchema.parse(button.params);
    const known = config.runbooks[params.runbook];
    const needed = known?.mayRun ?? [];
    if (person && needed.some((role) => person.roles.includes(role))) return { allowed: true };
    if (!person)
      return { allowed: false, reason: 'unknown-person', text: unknownPerson(`run "${data(params.title)}"`, user, incident.facts) };
    return { allowed: false, reason: 'lacks-role', text: lacksRole(params.title, needed, person.roles, incident.facts) };
  },

  press: async (context) => {
    const params = paramsSchema.parse(context.button.params);
    const known = context.config.runbooks[params.runbook];
    if (!known) return sentence(`"${data(params.title)}" is not in the configuration any more.`);
    return inTransaction(context.pool, (db) => ask(db, context, params, known));
  },
};

async function ask(db: Db, context: PressContext, params: Params, known: Runbook): Promise<Message> {
  // Under the incident's lock: of two presses the second sees the first.
  const incident = await incidentById(db, context.incident.id, 'for update');
  if (incident?.state !== 'open' || !stillOffered(incident, params)) {
    await refuse(db, context, params, 'stale-button');
    return staleButton(context.button.madeAtMs, context.config.timezone);
  }
  const underWay = await executionUnderWay(db, incident.id, params.runbook);
  if (underWay) {
    await refuse(db, context, params, 'under-way');
    const since = timeOfDay(underWay.askedAtMs, context.config.timezone, true);
    return sentence(
      `"${data(params.title)}" is under way: ${nameIn(context.config)(underWay.askedBy)} asked at ${since}. The thread tells how it ends.`,
    );
  }
  if (!(await useButton(db, context.button.id, context.person?.id ?? ''))) {
    await refuse(db, context, params, 'used-button');
    return sentence('This button was used already. The thread tells what came of it; the post above has the current one.');
  }
  await write(db, context, params, known, incident);
  return sentence(`Asked for: "${data(params.title)}". The thread tells how it ends.`);
}

/** The incident may have changed; what matters is that the same is offered, to the same target. */
function stillOffered(incident: Incident, params: Params): boolean {
  const { attempt: _attempt, ...bound } = params;
  return incident.facts.offers.some((offer) => isDeepStrictEqual(withoutPreview(paramsOf(offer)), withoutPreview(bound)));
}

function withoutPreview<T extends { preview: string }>(params: T): Omit<T, 'preview'> {
  const { preview: _preview, ...rest } = params;
  return rest;
}

function paramsOf(offer: Offer): Omit<Params, 'attempt'> {
  const { runbook: id, title, preview, location, target } = offer;
  return { runbook: id, title, preview, location, target };
}

async function write(db: Db, context: PressContext, params: Params, known: Runbook, incident: Incident): Promise<void> {
  const { person, clock } = context;
  const by = person?.id ?? '';
  const execution = await insertExecution(db, {
    incidentId: incident.id,
    runbook: known.id,
    title: params.title,
    action: known.action.type,
    location: params.location,
    params: known.action.params,
    target: params.target,
    askedBy: by,
    notAfterMs: NOT_AFTER_MS,
    verify: known.verify,
  });
  const { title, preview, location } = params;
  await tellStory(db, incident, clock.now(), { kind: 'asked', by: person?.name ?? by, title, preview, location });
  // The button is used up: the post gets the next one, for when this run has not helped.
  await showIncident(db, incident, { priority: PRIORITY.degradation, reason: 'asked' });
  const details = {
    execution,
    runbook: known.id,
    target: params.target,
    shown: preview,
    incidentRevision: context.button.incidentRevision,
  };
  await audit(db, { actor: by, verb: 'runbook', subject: incidentName(incident.id), outcome: 'done', reason: 'allowed', data: details });
}

async function refuse(db: Db, context: PressContext, params: Params, reason: string): Promise<void> {
  const details = { runbook: params.runbook, target: params.target };
  const subject = incidentName(context.incident.id);
  await audit(db, { actor: context.person?.id ?? '', verb: 'runbook', subject, outcome: 'refused', reason, data: details });
}

export default runbook;
