/** What becomes of open incidents under another configuration. */
import type { Incident } from '../incident.ts';
import { MONITORING_SCOPE } from '../monitoring.ts';
import type { Config } from './model.ts';

type About = Pick<Incident, 'scope' | 'facts'>;

/** The checks that an incident is about. */
export function checksOf({ facts }: Pick<Incident, 'facts'>): string[] {
  return [
    ...facts.services.flatMap((service) => service.symptoms.flatMap((symptom) => symptom.checks)),
    ...facts.components.map((component) => component.check),
    ...facts.blind.map((check) => check.id),
  ];
}

/** The scope in which the incident's checks are judged now; `undefined` when none of them is left. */
export function scopeNow(config: Config, incident: About): string | undefined {
  if (incident.scope === MONITORING_SCOPE.id) return incident.scope;
  const scopes = checksOf(incident).flatMap((id) => config.checks[id]?.scope ?? []);
  if (scopes.length === 0) return config.scopes[incident.scope] ? incident.scope : undefined;
  return scopes.includes(incident.scope) ? incident.scope : scopes[0];
}

/** `closes`: none of its checks is left. `moves`: it goes on under another scope. */
export function fateOf(config: Config, incident: About): 'stays' | 'moves' | 'closes' {
  if (incident.scope === MONITORING_SCOPE.id) return 'stays';
  if (!checksOf(incident).some((id) => config.checks[id])) return 'closes';
  return scopeNow(config, incident) === incident.scope ? 'stays' : 'moves';
}
