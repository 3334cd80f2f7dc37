/** The latest runs of what is not well: each location, the steps with their times, what was measured. Pure. */
import type { Config } from '../../core/config/model.ts';
import { spanInWords, timeOfDay } from '../../core/duration.ts';
import { type Incident, incidentName } from '../../core/incident.ts';
import { measurementInWords } from '../../core/quantity.ts';
import type { StepResult } from '../../core/result.ts';
import type { ResultView } from '../../store/query.ts';
import { type Block, cut, data, type Message, message, section, sentence } from './blocks.ts';

/** Checks that are shown whole; the rest is counted. */
const MOST_CHECKS = 6;
const MOST_MEASUREMENTS = 6;

/** A check's title with its tenant: "Post an invoice, Riverside Clinic". */
export function checkTitle(config: Config, checkId: string): string {
  const check = config.checks[checkId];
  const tenant = check?.tenant ? config.tenants[check.tenant]?.title : undefined;
  return [check?.title ?? checkId, tenant].filter(Boolean).join(', ');
}

export function locationTitle(config: Config, location: string): string {
  return config.locations[location]?.title ?? location;
}

/** The mark of a run. */
export const VERDICT_MARKS: Record<ResultView['verdict'], string> = { up: '🟢', degraded: '🟡', down: '🔴', fault: '⚪' };

/** How one run went, in words: "up in 1.1 s", "down after 15 s at "confirm the invoice": no answer within 15 s". */
export function runInWords(result: ResultView): string {
  const { failure } = result;
  const span = spanInWords(result.durationMs);
  if (result.verdict === 'fault') return `the agent itself failed: ${data(failure?.message ?? 'no reason given')}`;
  if (!failure) return `${result.verdict} in ${span}`;
  const step = failure.step ? ` at "${data(failure.step)}"` : '';
  const again = result.attempts > 1 ? ` (tried ${result.attempts} times)` : '';
  return `${result.verdict} after ${span}${step}: ${data(failure.message)}${again}`;
}

/** What "Details" answers. */
export function renderDetails(input: { incident: Incident; config: Config; nowMs: number; results: readonly ResultView[] }): Message {
  const { incident, config, results } = input;
  const name = incidentName(incident.id);
  if (results.length === 0) return sentence(`No run of the last day is kept for what ${name} is about.`);
  const checks = [...Map.groupBy(results, (result) => result.checkId)].sort(([, a], [, b]) => badness(b) - badness(a));
  const shown = checks.slice(0, MOST_CHECKS);
  const rest = checks.length - shown.length;
  const blocks: Block[] = [
    section(`*${name}: the latest runs*${rest > 0 ? ` of ${shown.length} checks; ${rest} more are like them` : ''}`),
    ...shown.map(([checkId, runs]) => checkBlock(config, checkId, runs, input.nowMs)),
  ];
  return message(`${name}: the latest runs`, blocks);
}

function badness(results: readonly ResultView[]): number {
  return results.filter((result) => result.verdict !== 'up').length;
}

function checkBlock(config: Config, checkId: string, runs: readonly ResultView[], nowMs: number): Block {
  const lines = runs.map((run) => {
    const at = timeOfDay(run.plannedAtMs, config.timezone, true);
    return `${VERDICT_MARKS[run.verdict]} ${data(locationTitle(config, run.location))}, ${at}: ${runInWords(run)}`;
  });
  const worst = runs.find((run) => run.verdict !== 'up') ?? runs[0];
  const extra = worst ? [stepsLine(worst.steps), measurementsLine(worst.measurements)] : [];
  const age = worst ? spanInWords(nowMs - worst.plannedAtMs) : '';
  return section(`*${data(checkTitle(config, checkId))}* (${age} ago)`, ...lines, ...extra.map((line) => cut(line, 900)));
}

/** "log in 0.8 s → open the invoice 0.4 s → *confirm the invoice 15 s*". */
export function stepsLine(steps: readonly StepResult[]): string {
  if (steps.length === 0) return '';
  const words = steps.filter((step) => step.outcome !== 'skipped').map(stepWords);
  const skipped = steps.filter((step) => step.outcome === 'skipped').length;
  return `Steps: ${words.join(' → ')}${skipped > 0 ? ` (${skipped} not reached)` : ''}`;
}

function stepWords(step: StepResult): string {
  const words = `${data(step.name)} ${spanInWords(step.durationMs)}`;
  return step.outcome === 'failed' ? `*${words}*` : words;
}

function measurementsLine(measurements: Record<string, number>): string {
  const entries = Object.entries(measurements);
  if (entries.length === 0) return '';
  const shown = entries.slice(0, MOST_MEASUREMENTS).map(([name, value]) => measured(name, value));
  const rest = entries.length - shown.length;
  return `Measured: ${shown.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

/** `connect_ms` 12.3 becomes "connect 12 ms", `connections_ratio` 0.8 "connections 80 %". */
function measured(name: string, value: number): string {
  const { what, amount } = measurementInWords(name, value);
  return `${data(what)} ${amount}`;
}
