/** Maintenance windows and silences: they keep posts back, with a reason, and never measurement. */
import type { Check } from './check.ts';
import type { Config } from './config/model.ts';

/** A time in which what it covers is not told. */
export interface Quiet {
  kind: 'maintenance' | 'silence';
  /** Of maintenance: the entry's id and the window's begin, `sunday-night@1790000000000`. Of a silence: its number. */
  id: string;
  title: string;
  /** Who silenced it. */
  by?: string;
  fromMs: number;
  untilMs: number;
  /** What it covers. Several kinds given: all must fit. Of one kind, any. Components cover what stands on them. All empty: everything. */
  services: string[];
  components: string[];
  tenants: string[];
  /** Templates, or expanded checks. */
  checks: string[];
}

/** The first of these that covers the check, or nothing. */
export function quietOf(_check: Check, _quiets: readonly Quiet[], _config: Config): Quiet | undefined {
  return undefined;
}
