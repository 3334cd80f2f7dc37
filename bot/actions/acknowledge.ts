/** Acknowledge: somebody has it in hand. Told in the post and its thread. */
import { timeOfDay } from '../../core/duration.ts';
import { incidentName } from '../../core/incident.ts';
import { audit } from '../../store/audit.ts';
import { useButton } from '../../store/button.ts';
import { inTransaction } from '../../store/db.ts';
import { acknowledgeIncident, incidentById, recordDecisions } from '../../store/incident.ts';
import { PRIORITY } from '../../store/outbox.ts';
import { showIncident, tellStory } from '../../store/story.ts';
import type { ButtonVerb, PressContext } from '../contract.ts';
import { nameIn } from '../names.ts';
import { type Message, sentence } from '../render/blocks.ts';
import { unknownPerson } from '../render/refusal.ts';

/** As long as a night and a day: an incident that nobody took is still there in the morning. */
const EXPIRES_IN_MS = 24 * 3_600_000;

const acknowledge: ButtonVerb = {
  verb: 'acknowledge',
  expiresInMs: EXPIRES_IN_MS,
  singleUse: true,

  offered: (incident) => (incident.acknowledgedAtMs === undefined ? [{ label: 'Acknowledge', params: {}, style: 'primary' }] : []),

  permit: ({ person, user, incident }) => {
    if (person && person.roles.length > 0) return { allowed: true };
    const what = `acknowledge ${incidentName(incident.id)}`;
    if (!person) return { allowed: false, reason: 'unknown-person', text: unknownPerson(what, user, incident.facts) };
    return { allowed: false, reason: 'lacks-role', text: `You cannot ${what}: it needs a role, and you have none.` };
  },

  press: async (context) => {
    const did = await write(context);
    if (did) return sentence(`${incidentName(context.incident.id)} is yours. The post and its thread say so.`);
    return already(context);
  },
};

async function write(context: PressContext): Promise<boolean> {
  const { pool, incident, person, button, clock, config } = context;
  const atMs = clock.now();
  return inTransaction(pool, async (db) => {
    // The incident first: judging takes the same lock, and the lane's order is that of the commits.
    await incidentById(db, incident.id, 'for update');
    const by = person?.id ?? '';
    if (!(await useButton(db, button.id, by)) || !(await acknowledgeIncident(db, incident.id, by, atMs))) return false;
    await showIncident(db, incident, { priority: PRIORITY.outage, reason: 'acknowledged' });
    await tellStory(db, incident, atMs, { kind: 'acknowledged', by: person?.name ?? '' });
    const about = { atMs, scope: incident.scope, incidentId: incident.id, configRevision: config.revision };
    await recordDecisions(db, about, [{ subject: 'post', reason: 'acknowledged', inputs: { by } }]);
    await audit(db, { actor: by, verb: 'acknowledge', subject: incidentName(incident.id), outcome: 'done', reason: 'allowed' });
    return true;
  });
}

async function already(context: PressContext): Promise<Message> {
  const { pool, config } = context;
  const now = await incidentById(pool, context.incident.id);
  const name = incidentName(context.incident.id);
  if (!now?.acknowledgedBy || now.acknowledgedAtMs === undefined)
    return sentence(`${name} changed while you pressed. Look at the post above.`);
  return sentence(
    `${nameIn(config)(now.acknowledgedBy)} has acknowledged ${name} already, at ${timeOfDay(now.acknowledgedAtMs, config.timezone)}.`,
  );
}

export default acknowledge;
