/** What is thought of the locations, kept up to date while something is amiss with one of them. */
import type { CheckView } from '../core/classify.ts';
import type { Config } from '../core/config/model.ts';
import type { Reasoned } from '../core/facts.ts';
import { distrusted, type LocationTrouble, locationTroubles, troubleDecisions } from '../core/location.ts';
import { lookAgain } from '../store/check.ts';
import type { Db } from '../store/db.ts';
import { locationTroublesOf, writeLocationTroubles } from '../store/location-trouble.ts';
import { planningSince } from '../store/planner.ts';

export interface Looked {
  troubles: LocationTrouble[];
  decisions: Reasoned[];
}

/**
 * Finds which locations are not to be believed or bring nothing, and notes it. Checks of a location that is no longer believed, or is
 * again, are to be looked at anew. Called under the lock of the monitoring's scope.
 */
export async function lookAtLocations(db: Db, config: Config, views: readonly CheckView[], nowMs: number): Promise<Looked> {
  const before = await locationTroublesOf(db);
  const states = new Map(views.map((view) => [view.check.id, view.state]));
  const troubles = locationTroubles(config, states, { nowMs, planningSinceMs: await planningSince(db) }, before);
  await writeLocationTroubles(db, troubles);
  const changed = distrusted(before).symmetricDifference(distrusted(troubles));
  const checks = views.filter(({ check }) => check.locations.some((location) => changed.has(location))).map(({ check }) => check.id);
  if (checks.length > 0) await lookAgain(db, checks, nowMs);
  return { troubles, decisions: troubleDecisions(before, troubles) };
}
