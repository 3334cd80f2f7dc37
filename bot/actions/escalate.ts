/** Escalate: the next people are called at once instead of after their waiting time. Who pressed is told in the thread and audited. */
import { fittingSteps, nextStep } from '../../core/escalate.ts';
import { incidentName } from '../../core/incident.ts';
import { listInWords } from '../../core/words.ts';
import { audit } from '../../store/audit.ts';
import { inTransaction } from '../../store/db.ts';
import { type Escalation, escalationsOf, type SettledStep, settleStep, wasTaken } from '../../store/escalation.ts';
import { incidentById } from '../../store/incident.ts';
import type { ButtonVerb, PressContext } from '../contract.ts';
import { nameIn } from '../names.ts';
import { data, type Message, sentence } from '../render/blocks.ts';
import { unknownPerson } from '../render/refusal.ts';

/** As long as a night and a day: an incident that nobody took is still there in the morning. */
const EXPIRES_IN_MS = 24 * 3_600_000;
/** A second press within this is the same one, by a nervous finger or a colleague. */
const SAME_PRESS_MS = 30_000;
const USUAL_ROLES = ['responder'];

const escalate: ButtonVerb = {
  verb: 'escalate',
  expiresInMs: EXPIRES_IN_MS,
  // One button serves every step; a second press is told from the first by the time between.
  singleUse: false,

  offered: (incident, _executions, config) => (fittingSteps(config, incident).length > 0 ? [{ label: 'Escalate', params: {} }] : []),

  permit: ({ person, user, incident, config }) => {
    const roles = config.teams[incident.facts.owner]?.mayEscalate ?? USUAL_ROLES;
    if (person?.roles.some((role) => roles.includes(role))) return { allowed: true };
    const what = `escalate ${incidentName(incident.id)}`;
    if (!person) return { allowed: false, reason: 'unknown-person', text: unknownPerson(what, user, incident.facts) };
    const needed = roles.length === 0 ? 'nobody may' : `it needs the role ${listInWords(roles, 4, 'or')}, and you do not have it`;
    return { allowed: false, reason: 'lacks-role', text: `You cannot ${what}: ${needed}.` };
  },

  press: async (context) => inTransaction(context.pool, (db) => takeNext(db, context)),
};

type Db = Parameters<typeof settleStep>[0];

async function takeNext(db: Db, context: PressContext): Promise<Message> {
  const { config, clock, person } = context;
  const name = incidentName(context.incident.id);
  // The incident first: judging, acknowledging and the worker's escalation take the same lock.
  const incident = await incidentById(db, context.incident.id, 'for update');
  const escalation = incident && (await escalationsOf(db, [incident])).get(incident.id);
  if (!incident || !escalation || incident.state === 'resolved') return sentence(`${name} is over. Nobody was called.`);
  const nowMs = clock.now();
  const last = lastTaken(escalation, 'pressed');
  if (last && nowMs - last.atMs < SAME_PRESS_MS) {
    return sentence(
      `${whoPressed(context, last)} escalated ${name} a moment ago: ${calledWords(context, last)}. The thread tells who is called next.`,
    );
  }
  const taken = new Set([...escalation.settled.values()].filter(wasTaken).map((one) => one.step));
  const step = nextStep(config, incident, taken);
  if (!step) return sentence(`All steps for ${name} were taken already. ${everybodyCalled(context, escalation)}`);
  const by = person?.id ?? '';
  const place = (config.teams[incident.facts.owner]?.escalation ?? []).indexOf(step) + 1;
  await settleStep(db, { config, incident, escalation, step, place, reason: 'pressed', by, nowMs });
  const called = { step: step.id, place };
  await audit(db, { actor: by, verb: 'escalate', subject: name, outcome: 'done', reason: 'allowed', data: called });
  const now = (await escalationsOf(db, [incident])).get(incident.id)?.settled.get(step.id);
  return sentence(`${name} is escalated: ${now ? calledWords(context, now) : 'the thread says to whom'}. The thread says so too.`);
}

function lastTaken({ history }: Escalation, reason: SettledStep['reason']): SettledStep | undefined {
  return history.findLast((one) => one.reason === reason);
}

function whoPressed({ config }: PressContext, { by }: SettledStep): string {
  return by === undefined ? 'Somebody' : data(nameIn(config)(by));
}

function calledWords({ config }: PressContext, { people, channel }: SettledStep): string {
  const who =
    people.length === 0 ? '' : `${data(listInWords(people.map(nameIn(config)), 10))} ${people.length === 1 ? 'is' : 'are'} called`;
  const where = channel === undefined ? '' : `${data(channel)} is told`;
  return [who, where].filter(Boolean).join(', ') || 'nobody is on call there';
}

function everybodyCalled(context: PressContext, { history }: Escalation): string {
  const taken = history.filter(wasTaken);
  const people = [...new Set(taken.flatMap((one) => one.people))].map(nameIn(context.config));
  const channels = [...new Set(taken.flatMap((one) => one.channel ?? []))];
  const called = people.length === 0 ? '' : `Called so far: ${data(listInWords(people, 10))}.`;
  return [called, channels.length === 0 ? '' : `Told: ${data(listInWords(channels, 6))}.`].filter(Boolean).join(' ');
}

export default escalate;
