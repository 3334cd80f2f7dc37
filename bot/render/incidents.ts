/** What is open, and what was closed of late. Pure. */
import { spanInWords, timeOfDay } from '../../core/duration.ts';
import { type Incident, incidentName } from '../../core/incident.ts';
import { headlineOf, MARKS, subjectOf } from '../../core/words.ts';
import { type Block, data, few, type Message, message, section } from './blocks.ts';

const MOST = 10;

export interface IncidentsView {
  incidents: readonly Incident[];
  nowMs: number;
  timeZone: string;
  nameOf(person: string): string;
}

/** Open incidents, each with who has it; then those of the last day in one line each. */
export function renderIncidents(view: IncidentsView): Message {
  const open = view.incidents.filter((incident) => incident.state === 'open');
  const closed = view.incidents.filter((incident) => incident.state === 'resolved');
  const first = open.length === 0 ? '🟢 Nothing is open.' : `${open.length} open`;
  const blocks: Block[] = [
    section(`*${first}*`),
    ...open.slice(0, MOST).map((incident) => section(...openLines(view, incident))),
    ...(open.length > MOST ? [section(`and ${open.length - MOST} more`)] : []),
  ];
  if (closed.length > 0)
    blocks.push(
      section(
        '*Resolved in the last 24 hours*',
        ...few(
          closed.map((one) => closedLine(view, one)),
          MOST,
          'incidents',
        ),
      ),
    );
  return message(first, blocks);
}

function openLines(view: IncidentsView, incident: Incident): string[] {
  const { facts } = incident;
  const span = spanInWords(view.nowMs - facts.sinceMs);
  const taken = incident.acknowledgedBy ? `${data(view.nameOf(incident.acknowledgedBy))} has it` : 'nobody has acknowledged it';
  const recovering = facts.recovering ? ' All is well again; still watching.' : '';
  return [
    `${MARKS[incident.class]} *${incidentName(incident.id)}* ${data(headlineOf(facts, incident.class))}`,
    `Since ${timeOfDay(facts.sinceMs, view.timeZone)} (${span}), ${taken}.${recovering} \`/rounds why ${incidentName(incident.id)}\``,
  ];
}

function closedLine(view: IncidentsView, incident: Incident): string {
  const at = timeOfDay(incident.resolvedAtMs ?? view.nowMs, view.timeZone);
  const span = spanInWords((incident.resolvedAtMs ?? view.nowMs) - incident.beganAtMs);
  return `${MARKS.resolved} ${incidentName(incident.id)} ${data(subjectOf(incident.facts))}: ${incident.peak}, ${span}, until ${at}`;
}
