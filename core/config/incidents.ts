/** What becomes of open incidents under another configuration. */
import type { Incident } from '../incident.ts';
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
  if (config.scopes[incident.scope]) return incident.scope;
  return checksOf(incident).flatMap((id) => config.checks[id]?.scope ?? [])[0];
}

/** `closes`: none of its checks is left. `moves`: it goes on under another scope. */
export function fateOf(config: Config, incident: About): 'stays' | 'moves' | 'closes' {
  if (!checksOf(incident).some((id) => config.checks[id])) return 'closes';
  return scopeNow(config, incident) === incident.scope ? 'stays' : 'moves';
}
