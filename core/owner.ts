/** Whose it is: where the owner of a check or a service is told. */
import type { Check } from './check.ts';
import type { Config } from './config/model.ts';
import { standsOn } from './graph.ts';

type Parts = Pick<Config, 'services' | 'components' | 'teams'>;

/** The channel of the service's owner; that of the first team when nobody owns it; none when there is no team. */
export function channelsOfService(config: Parts, service: string): string[] {
  const team = config.teams[config.services[service]?.owner ?? ''] ?? Object.values(config.teams)[0];
  return team ? [team.channel] : [];
}

/** The same for a check. One of a component is of the most important service that stands on it. */
export function channelsOfCheck(config: Parts, check: Pick<Check, 'service' | 'component'>): string[] {
  return channelsOfService(config, check.service ?? serviceAbove(config, check.component ?? '') ?? '');
}

function serviceAbove(config: Parts, component: string): string | undefined {
  const above = Object.values(config.services).filter((service) => standsOn(config, { service: service.id }).has(component));
  return above.sort((a, b) => a.tier - b.tier || (a.id < b.id ? -1 : 1))[0]?.id;
}
