/** What differs between two values of a configuration, field by field and as it was written. */
import { parseDurationMs } from '../duration.ts';
import { isPlain, type Plain } from './reader.ts';
import { canonical } from './revision.ts';

/** A field with its value before and after; where it is missing, there was or is none. */
export interface FieldChange {
  /** Such as `degraded.above`; empty when the whole is meant. */
  field: string;
  before?: unknown;
  after?: unknown;
}

/** The fields of a map that differ. Maps are compared inside, lists as a whole; `60s` and `1m` are the same. */
export function fieldChanges(before: unknown, after: unknown, field = ''): FieldChange[] {
  if (same(before, after)) return [];
  if (!isPlain(before) || !isPlain(after)) {
    return [{ field, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }];
  }
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.flatMap((name) => fieldChanges(own(before, name), own(after, name), field === '' ? name : `${field}.${name}`));
}

function own(value: Plain, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

function same(before: unknown, after: unknown): boolean {
  if (canonical(before) === canonical(after)) return before === undefined ? after === undefined : after !== undefined;
  if (typeof before !== 'string' || typeof after !== 'string') return false;
  const beforeMs = parseDurationMs(before);
  return beforeMs !== undefined && beforeMs === parseDurationMs(after);
}
