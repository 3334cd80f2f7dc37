/** The whole of a report as CSV (RFC 4180), a row for each check and location, for whoever wants to count further. Pure. */
import type { ReportNumbers, ReportRow } from './figures.ts';
import { availabilityInWords } from './words.ts';

type Cell = string | number | undefined;

const COLUMNS: readonly [name: string, pick: (row: ReportRow) => Cell][] = [
  ['service_or_component', (row) => row.service],
  ['check', (row) => row.check],
  ['title', (row) => row.title],
  ['clinic', (row) => row.tenant],
  ['rounds_well', (row) => row.rounds.well],
  ['rounds_failed', (row) => row.rounds.failed],
  ['rounds_not_seen', (row) => row.rounds.unseen],
  ['availability', (row) => availabilityInWords(row.rounds)],
  ['location', (row) => row.location],
  ['runs_up', (row) => row.up],
  ['runs_slow', (row) => row.degraded],
  ['runs_down', (row) => row.down],
  ['runs_fault', (row) => row.fault],
  ['runs_missed', (row) => row.missed],
  ['runs_late', (row) => row.late],
  ['p50_ms', (row) => row.p50Ms],
  ['p95_ms', (row) => row.p95Ms],
  ['usual_p50_ms', (row) => row.usualP50Ms],
  ['usual_p95_ms', (row) => row.usualP95Ms],
];

/** The table with its head. What is not known is empty, never 0. */
export function reportTable(numbers: ReportNumbers): string {
  const head = COLUMNS.map(([name]) => name);
  const rows = numbers.rows.map((row) => COLUMNS.map(([, pick]) => cell(pick(row))));
  return [head, ...rows].map((line) => `${line.join(',')}\r\n`).join('');
}

/** A text that begins like a formula is run by spreadsheets: the apostrophe says that it is a text. */
function cell(value: Cell): string {
  if (value === undefined) return '';
  const text = typeof value === 'string' && /^[=+\-@\t]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
