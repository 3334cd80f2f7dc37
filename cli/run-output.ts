/** How `rounds run` shows a result: steps or measurements in columns, then the verdict in one line. */
import type { Check } from '../core/check.ts';
import { measurementInWords } from '../core/quantity.ts';
import type { Result } from '../core/result.ts';

const MARKS = { passed: '✓', failed: '✗', skipped: '–' } as const;

/** The lines of one result, without line ends. */
export function resultInLines(check: Pick<Check, 'id' | 'title'>, tenant: string | undefined, result: Result): string[] {
  const steps = result.steps.map((step) => [`${MARKS[step.outcome]} ${step.name}`, seconds(step.durationMs)] as const);
  const measured = Object.entries(result.measurements).map(([name, value]) => {
    const { what, amount } = measurementInWords(name, value);
    return [what, amount] as const;
  });
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
