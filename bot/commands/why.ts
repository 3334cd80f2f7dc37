import { incidentName, parseIncidentName } from '../../core/incident.ts';
import { decisionsOf, incidentById, listIncidents, timelineOf } from '../../store/incident.ts';
import { firstSentAt, newestIncidents } from '../../store/query.ts';
import type { CommandContext, CommandVerb } from '../contract.ts';
import { nameIn, nearest } from '../names.ts';
import { type Message, sentence } from '../render/blocks.ts';
import { notKnown } from '../render/refusal.ts';
import { renderWhy } from '../render/why.ts';

const why: CommandVerb = {
  verb: 'why',
  arguments: 'INCIDENT',
  summary: 'Why it was classified and posted as it was: from results to class to post.',
  example: '/rounds why INC-1',
  changes: false,

  run: async (context) => {
    const { pool, config, words, clock } = context;
    const asked = words.join(' ');
    if (!asked) return which(context);
    const id = parseIncidentName(asked);
    const incident = id === undefined ? undefined : await incidentById(pool, id);
    if (!incident) {
      const known = (await newestIncidents(pool)).map(incidentName);
      return notKnown('incident', asked, nearest(asked, known) ?? known[0], (name) => `/rounds why ${name}`);
    }
    const [decisions, timeline, postedAtMs] = await Promise.all([
      decisionsOf(pool, incident.id),
      timelineOf(pool, incident.id),
      firstSentAt(pool, incident.id),
    ]);
    const view = { incident, decisions, timeline, config, nowMs: clock.now(), nameOf: nameIn(config) };
    return renderWhy({ ...view, ...(postedAtMs === undefined ? {} : { postedAtMs }) });
  },
};

async function which({ pool, clock }: CommandContext): Promise<Message> {
  const [latest] = await listIncidents(pool, clock.now() - 7 * 86_400_000, 1);
  if (!latest) return sentence('Which incident? None was open in the last 7 days.');
  return sentence(`Which incident? The latest is ${incidentName(latest.id)}: \`/rounds why ${incidentName(latest.id)}\``);
}

export default why;
