/** Maintenance windows and silences: they keep posts back, with a reason, and never measurement. */
import type { Check } from './check.ts';
import type { Config } from './config/model.ts';
import { standsOn } from './graph.ts';

/** A time in which what it covers is not told. */
export interface Quiet {
  kind: 'maintenance' | 'silence';
  /** Of maintenance: the entry's id and the window's begin, `sunday-night@1790000000000`. Of a silence: its number. */
  id: string;
  title: string;
  /** Who silenced it, by the person's id, and why. */
  by?: string;
  reason?: string;
  fromMs: number;
  untilMs: number;
  /** What it covers. Several kinds given: all must fit. Of one kind, any. Components cover what stands on them. All empty: everything. */
  services: string[];
  components: string[];
  tenants: string[];
  /** Templates, or expanded checks. */
  checks: string[];
}

/** The part of it that says what is covered. */
export type Covers = Pick<Quiet, 'services' | 'components' | 'tenants' | 'checks'>;

type Parts = Pick<Config, 'services' | 'components'>;

/** The first of these that covers the check, or nothing. */
export function quietOf(check: Check, quiets: readonly Quiet[], config: Parts): Quiet | undefined {
  return quiets.find((quiet) => covers(quiet, check, config));
}

/**
 * Whether it covers the check. A service covers its checks, not those of what it stands on; a tenant only checks that are made for it;
 * a component its own checks and those of whatever stands on it, however far up.
 */
export function covers(what: Covers, check: Check, config: Parts): boolean {
  const fits = (wanted: readonly string[], own: string | undefined) => wanted.length === 0 || (own !== undefined && wanted.includes(own));
  if (!fits(what.services, check.service) || !fits(what.tenants, check.tenant)) return false;
  if (what.checks.length > 0 && !what.checks.includes(check.template) && !what.checks.includes(check.id)) return false;
  if (what.components.length === 0) return true;
  const below = standsOn(config, check);
  return what.components.some((component) => below.has(component));
}

/** Ids of the scopes in which it covers a check, sorted. */
export function scopesCovered(quiets: readonly Covers[], config: Parts & Pick<Config, 'checks'>): string[] {
  const found = new Set<string>();
  for (const check of Object.values(config.checks)) {
    if (!found.has(check.scope) && quiets.some((quiet) => covers(quiet, check, config))) found.add(check.scope);
  }
  return [...found].sort();
}
