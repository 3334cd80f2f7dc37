/** What the chart of a report shows: the window in equal parts, how each of them went, and how long the journeys took in it. Pure. */
import type { Check } from '../check.ts';
import type { Counted, IncidentFigure, ReportFrame, Seen } from './figures.ts';
import { percentileMs } from './pace.ts';
import { zoneOf } from './slots.ts';

export interface ReportChart {
  startMs: number;
  widthMs: number;
  /** Rounds of all journeys in each part. */
  parts: Seen[];
  /** Lines of p95, milliseconds for each part, `null` where nothing succeeded: the critical journeys first. */
  lines: { title: string; p95Ms: (number | null)[] }[];
  /** Journeys that have no line. */
  left: number;
  /** Incidents in which somebody was hurt. */
  troubled: { id: number; fromMs: number; toMs: number }[];
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const WIDTHS_MS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1_440].map((minutes) => minutes * MINUTE_MS);
/** More would be too narrow to be told apart on a phone. */
const MOST_PARTS = 26;
/** More lines cross each other so often that none can be followed. */
const MOST_LINES = 4;

/** Equal parts from a round time on the wall to the end; what was before the first result is left out when it is most of it. */
export function partsOf(
  fromMs: number,
  untilMs: number,
  timeZone: string,
  firstMs: number | undefined,
): { startMs: number; widthMs: number } {
  const beganMs = firstMs !== undefined && firstMs - fromMs > (untilMs - fromMs) / 2 ? firstMs : fromMs;
  const spanMs = Math.max(MINUTE_MS, untilMs - beganMs);
  const widthMs = WIDTHS_MS.find((width) => spanMs / width <= MOST_PARTS) ?? Math.ceil(spanMs / MOST_PARTS / (24 * HOUR_MS)) * 24 * HOUR_MS;
  const offsetMs = zoneOf(timeZone).offsetAt(untilMs);
  const startMs = Math.floor((untilMs - spanMs + offsetMs) / widthMs) * widthMs - offsetMs;
  return { startMs, widthMs };
}

/** The chart of these checks. */
export function chartOf(
  frame: Pick<ReportFrame, 'parts' | 'untilMs'>,
  checks: readonly Check[],
  counted: Pick<Counted, 'rounds' | 'parts'>,
  incidents: readonly IncidentFigure[],
): ReportChart {
  const { startMs, widthMs } = frame.parts;
  const length = Math.max(1, Math.ceil((frame.untilMs - startMs) / widthMs));
  const templates = [...Map.groupBy(checks, (check) => check.template)].map(([template, group]) => ({
    template,
    title: group[0]?.title ?? template,
    critical: group.some((check) => check.critical),
    journey: group.some((check) => check.type === 'journey'),
  }));
  const weight = (one: { critical: boolean; journey: boolean }) => (one.critical ? 2 : 0) + (one.journey ? 1 : 0);
  const shown = templates.sort((a, b) => weight(b) - weight(a)).slice(0, MOST_LINES);
  return {
    startMs,
    widthMs,
    parts: seenParts(length, checks, counted),
    lines: shown.map(({ template, title }) => ({ title, p95Ms: lineOf(template, length, counted) })),
    left: templates.length - shown.length,
    troubled: incidents
      .filter((incident) => incident.class !== 'risk' && incident.class !== 'blind')
      .map(({ id, beganMs, lastedMs }) => ({ id, fromMs: Math.max(startMs, beganMs), toMs: beganMs + lastedMs }))
      .filter(({ fromMs, toMs }) => toMs > fromMs),
  };
}

function seenParts(length: number, checks: readonly Check[], counted: Pick<Counted, 'rounds'>): Seen[] {
  const known = new Set(checks.map((check) => check.id));
  const parts = Array.from({ length }, () => ({ well: 0, failed: 0, unseen: 0 }));
  for (const one of counted.rounds) {
    const part = parts[one.part];
    if (!part || !known.has(one.check)) continue;
    part.well += one.well;
    part.failed += one.failed;
    part.unseen += one.unseen;
  }
  return parts;
}

function lineOf(template: string, length: number, counted: Pick<Counted, 'parts'>): (number | null)[] {
  const line: (number | null)[] = Array.from({ length }, () => null);
  for (const one of counted.parts) {
    if (one.template !== template || one.part < 0 || one.part >= length) continue;
    const p95Ms = percentileMs(one.pace, 0.95);
    line[one.part] = p95Ms === undefined ? null : Math.round(p95Ms * 10) / 10;
  }
  return line;
}
