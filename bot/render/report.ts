/** The post of a report: what was not well, then the figures, in lines that can be read on a phone. Pure. */

import type { Figure, ReportNumbers } from '../../core/report/figures.ts';
import {
  countInWords,
  exceptionInWords,
  figureInWords,
  incidentsInWords,
  latenessInWords,
  markOf,
  momentInWords,
  reportHeadline,
  servicesInWords,
  windowInWords,
  worstFirst,
} from '../../core/report/words.ts';
import { listInWords } from '../../core/words.ts';
import type { ReportFile } from '../../store/report.ts';
import { type Block, context, data, few, type Message, message, picture, section } from './blocks.ts';

const MOST_SERVICES = 10;
const MOST_JOURNEYS = 10;
const MOST_CLINICS = 8;
const MOST_LOCATIONS = 6;
const MOST_COMPONENTS = 5;
const MOST_EXCEPTIONS = 5;

export interface ReportView {
  numbers: ReportNumbers;
  /** What was uploaded; a picture that Slack will not show is linked instead. */
  files?: { picture?: ReportFile; table?: ReportFile };
  pictureAsLink?: boolean;
  /** Small print at the end: why there is no chart, what to type. */
  note?: string;
}

/** The report as a message. */
export function renderReport(view: ReportView): Message {
  const { numbers, files = {} } = view;
  const headline = reportHeadline(numbers);
  const links = linksOf(view);
  const blocks: Block[] = [
    section(`*${data(headline)}*`, ...latenessInWords(numbers).map((line) => data(line))),
    context(`${data(numbers.title)} · ${data(windowInWords(numbers))}`),
    ...serviceLines(numbers),
    ...figures('Journeys', numbers.journeys, MOST_JOURNEYS, 'journeys'),
    ...figures('Clinics', numbers.tenants, MOST_CLINICS, 'clinics'),
    ...figures('Seen from', numbers.locations, MOST_LOCATIONS, 'locations', 'runs'),
    ...figures('What they stand on', numbers.components, MOST_COMPONENTS, 'components'),
    section('*Late or missed*', ...lateLines(numbers)),
    section('*Incidents*', data(incidentsInWords(numbers))),
    ...(files.picture && !view.pictureAsLink ? [picture(files.picture.id, chartInWords(numbers))] : []),
    context(
      [links, view.note ?? '', `p95: 95 of 100 runs took no longer. A round fails when most locations say so.`].filter(Boolean).join(' · '),
    ),
  ];
  // Slack shows files that stand as links in the text of a message to all who see it, and only those.
  return message([data(headline), links].filter(Boolean).join(' '), blocks);
}

function linksOf({ files = {}, pictureAsLink }: ReportView): string {
  const chart = pictureAsLink && files.picture?.link ? `<${files.picture.link}|Chart>` : '';
  const table = files.table?.link ? `<${files.table.link}|All figures (CSV)>` : '';
  return [chart, table].filter(Boolean).join(' · ');
}

/** One line each; left out when the headline says it all. */
function serviceLines(numbers: ReportNumbers): Block[] {
  const services = servicesInWords(numbers);
  if (services.length < 2) return [];
  const lines = services.map(({ mark, title, text }) => `${mark} *${data(title)}*: ${data(text)}`);
  return [section(...few(lines, MOST_SERVICES, 'services'))];
}

function figures(title: string, all: readonly Figure[], most: number, noun: string, counted: 'rounds' | 'runs' = 'rounds'): Block[] {
  if (all.length === 0) return [];
  const lines = worstFirst(all).map((one) => `${markOf(one)} ${data(one.title)}: ${data(figureInWords(one, counted))}`);
  return [section(`*${title}*`, ...few(lines, most, `${noun}, no worse than these`))];
}

function lateLines(numbers: ReportNumbers): string[] {
  const { exceptions, underWay } = numbers;
  const lines = exceptions.map((exception) => data(exceptionInWords(exception)));
  const open = underWay > 0 ? [`${countInWords(underWay)} ${underWay === 1 ? 'run' : 'runs'} still under way when this was counted.`] : [];
  if (lines.length > 0 || open.length > 0) return [...few(lines, MOST_EXCEPTIONS, 'reasons'), ...open];
  const any = numbers.locations.some((location) => location.well + location.failed + location.unseen > 0);
  return [any ? 'None: every run that was due came in time.' : 'No run was due.'];
}

/** For those who cannot see the chart. */
function chartInWords(numbers: ReportNumbers): string {
  const titles = listInWords(numbers.chart.lines.map((line) => line.title));
  return `How each part of the time went, and p95 of ${titles || 'the journeys'}, until ${momentInWords(numbers.untilMs, numbers.timeZone)}`;
}
