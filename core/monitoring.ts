/**
 * Rounds' own sight: locations that it does not see from are one incident, `blind`, whatever the number of checks and of locations. It is
 * judged in a scope of its own, beside those of the services.
 */
import type { CheckView } from './classify.ts';
import type { Config, Scope } from './config/model.ts';
import { assess } from './facts.ts';
import type { Incident } from './incident.ts';
import { type LocationTrouble, told } from './location.ts';
import { type Judged, opened, resolved, updated } from './progress.ts';

/** Its id cannot be that of a service or component, which begin with a letter. */
export const MONITORING_SCOPE: Scope = { id: '-monitoring', services: [], components: [], checks: [] };

const ROOT = 'monitoring:locations';

export interface MonitoringInput {
  config: Config;
  /** What is known of the locations now. */
  troubles: readonly LocationTrouble[];
  /** Checks that nobody sees. */
  blind: readonly CheckView[];
  open: Incident | undefined;
  nowMs: number;
}

/** Judges what Rounds sees. What is merely suspected is told to nobody. */
export function judgeMonitoring(input: MonitoringInput): Judged {
  const { config, open, nowMs } = input;
  const locations = told(input.troubles);
  const progress = { config, views: [], bad: [], elsewhere: new Set<string>(), nowMs };
  if (locations.length === 0) return open ? resolved({ nowMs, isKnown: () => true }, open) : { change: { kind: 'none' }, decisions: [] };
  const unseen = new Set(locations.map((one) => one.id));
  const blind = input.blind.filter((view) => view.check.locations.some((location) => unseen.has(location)));
  const problem = { config, scope: MONITORING_SCOPE, views: [], bad: [], blind, burns: [], changes: [], noisy: [], nowMs };
  const assessed = assess({ ...problem, root: ROOT, actions: new Map() });
  const sinceMs = Math.min(...locations.map((one) => one.sinceMs));
  const seeing = Object.values(config.locations).filter((location) => !unseen.has(location.id));
  const facts = {
    ...assessed.facts,
    locations,
    sinceMs,
    locationsTotal: Object.keys(config.locations).length,
    seenFrom: seeing.map((one) => one.title),
  };
  const about = { ...assessed, facts, decisions: [{ subject: 'class monitoring', reason: 'location-unseen', inputs: { locations } }] };
  return open ? updated(progress, open, about) : opened(progress, about);
}
