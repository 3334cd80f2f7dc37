/** A notice: a mark and a title, its lines, and the incidents it is about as they are now. Pure. */
import { type Incident, incidentName } from '../../core/incident.ts';
import { headlineOf, MARKS, subjectOf } from '../../core/words.ts';
import type { NoticePayload } from '../../store/notice.ts';
import { type Block, context, data, few, type Message, message, section } from './blocks.ts';

/** More lines than anybody reads on a phone; the rest is counted. */
const MOST_LINES = 20;
const MOST_INCIDENTS = 10;

export interface ShownIncident {
  incident: Incident;
  /** The address of its post, when it has one. */
  link?: string;
}

export interface NoticeView {
  payload: NoticePayload;
  /** Those of the payload that are known, in its order. */
  incidents: readonly ShownIncident[];
  /** What Slack takes for calling a person, by id; empty for nobody. */
  mentionOf: (person: string) => string;
}

/** The notice as a message. */
export function renderNotice({ payload, incidents, mentionOf }: NoticeView): Message {
  const title = [payload.mark, `*${data(payload.title)}*`].filter(Boolean).join(' ');
  const called = (payload.call ?? []).map(mentionOf).filter(Boolean).join(' ');
  const lines = few(payload.lines.filter(Boolean).map(data), MOST_LINES, 'lines');
  const shown = few(incidents.map(incidentLine), MOST_INCIDENTS, 'incidents');
  const blocks: Block[] = [
    section(title, called),
    ...(lines.length > 0 ? [section(...lines)] : []),
    ...(shown.length > 0 ? [section(...shown)] : []),
    ...(missing(payload, incidents) > 0 ? [context('An incident that it was about is not known any more.')] : []),
  ];
  return message([payload.mark, data(payload.title), ...lines.slice(0, 2)].filter(Boolean).join(' '), blocks);
}

function missing(payload: NoticePayload, incidents: readonly ShownIncident[]): number {
  return (payload.incidents?.length ?? 0) - incidents.length;
}

function incidentLine({ incident, link }: ShownIncident): string {
  const name = link ? `<${link}|${incidentName(incident.id)}>` : incidentName(incident.id);
  if (incident.state === 'resolved') return `${MARKS.resolved} ${name} · ${data(subjectOf(incident.facts))}: well again.`;
  return `${MARKS[incident.class]} ${name} · ${data(headlineOf(incident.facts, incident.class))}`;
}
