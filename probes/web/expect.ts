/** Whether an answer is what the check expects. */
import { TargetTrouble } from '../deadline.ts';
import { plain } from '../words.ts';
import type { Exchange } from './exchange.ts';

type Scalar = string | number | boolean | null;

export interface Expectation {
  status?: number[] | undefined;
  text?: string | undefined;
  /** Path such as `checks.database` or `items.0.id` → the value expected there. */
  json?: Record<string, Scalar> | undefined;
}

/** Throws {@link TargetTrouble} `status` or `assertion` with what was seen and what was expected. */
export function assertExpected(answer: Exchange, expected: Expectation): void {
  const statusFits = expected.status ? expected.status.includes(answer.status) : answer.status >= 200 && answer.status <= 399;
  if (!statusFits) {
    throw new TargetTrouble('status', `answered ${answer.status}, expected ${expected.status?.join(' or ') ?? '200 to 399'}`);
  }
  if (expected.text !== undefined && !answer.body.includes(expected.text)) {
    throw new TargetTrouble('assertion', `the answer does not contain "${plain(expected.text, 80)}"`);
  }
  if (expected.json) assertJson(answer.body, expected.json);
}

function assertJson(body: string, expected: Record<string, Scalar>): void {
  const found = parsed(body);
  for (const [path, value] of Object.entries(expected)) {
    const seen = path.split('.').reduce(below, found);
    if (seen !== value) throw new TargetTrouble('assertion', `${plain(path, 80)} is ${shown(seen)}, expected ${shown(value)}`);
  }
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new TargetTrouble('assertion', 'the answer is not JSON');
  }
}

function below(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
}

function shown(value: unknown): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  return typeof value === 'string' ? `"${plain(value, 60)}"` : String(value);
}
