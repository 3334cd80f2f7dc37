/** How `rounds run` shows a result: steps or measurements in columns, then the verdict in one line. */
import type { Check } from '../core/check.ts';
import type { Result } from '../core/result.ts';

const MARKS = { passed: '✓', failed: '✗', skipped: '–' } as const;

/** The lines of one result, without line ends. */
export function resultInLines(check: Pick<Check, 'id' | 'title'>, tenant: string | undefined, result: Result): string[] {
  const steps = result.steps.map((step) => [`${MARKS[step.outcome]} ${step.name}`, seconds(step.durationMs)] as const);
  const measured = Object.entries(result.measurements).map(([name, value]) => measurement(name, value));
  const findings = result.findings.map(({ text }) => `  ${text}`);
  return [
    `${[check.title, tenant].filter(Boolean).join(' · ')} (${check.id})`,
    ...columns([...steps, ...measured]),
    ...findings,
    verdict(result),
  ];
}

function verdict({ verdict: word, durationMs, failure }: Result): string {
  const where = failure?.step === undefined ? '' : `"${failure.step}": `;
  const why = failure ? `: ${where}${failure.message} (${failure.kind})` : '';
  return `${word.toUpperCase()} after ${seconds(durationMs)}${why}`;
}

/** Names to the left, numbers to the right, so that their units stand below each other. */
function columns(rows: (readonly [name: string, value: string])[]): string[] {
  const nameWidth = Math.max(0, ...rows.map(([name]) => name.length));
  const valueWidth = Math.max(0, ...rows.map(([, value]) => value.length));
  return rows.map(([name, value]) => `  ${name.padEnd(nameWidth)}  ${value.padStart(valueWidth)}`);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

/** `connect_ms` and 12.3 are `connect` and `12.3 ms`. */
function measurement(name: string, value: number): readonly [string, string] {
  const [, words = name, unit = ''] = /^(.+)_(ms|s|ratio|bytes|sessions)$/.exec(name) ?? [];
  const title = words.replaceAll('_', ' ');
  if (unit === 'ratio') return [title, `${(value * 100).toFixed(1)} %`];
  if (unit === 'sessions') return [`${title} sessions`, String(value)];
  return [title, unit === 'bytes' ? `${value} bytes` : `${value.toFixed(1)} ${unit}`.trim()];
}
