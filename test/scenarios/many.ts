/** Large configurations for simulated days and storms: databases, services that stand on them, one ingress below all. */
import type { Config } from '../../core/config/model.ts';
import { configOf } from './layouts.ts';

export interface Many {
  databases: number;
  /** Of each database. */
  services: number;
  /** Critical checks of each service, from three locations every 60s with a time-out of 10s. */
  checks: number;
}

/** A configuration with so many of each; checks are `check-1-2-3`, of service `service-1-2`, on `db-1`. */
export async function many({ databases, services, checks }: Many): Promise<Config> {
  const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
  const http = 'every: 60s, timeout: 10s, http: { url: https://many.example }';
  const lines = [
    'version: 1',
    'timezone: Europe/Berlin',
    'locations: { north: {}, south: {}, cloud: {} }',
    "teams: { operations: { channel: '#operations' } }",
    'components:',
    '  ingress: { title: Traefik }',
    ...numbers(databases).map((db) => `  db-${db}: { title: PostgreSQL ${db} }`),
    'services:',
    ...numbers(databases).flatMap((db) =>
      numbers(services).map((one) => `  service-${db}-${one}: { tier: 1, owner: operations, dependsOn: [db-${db}, ingress] }`),
    ),
    'checks:',
    `  ingress: { component: ingress, ${http} }`,
    ...numbers(databases).map((db) => `  db-${db}: { component: db-${db}, ${http} }`),
    ...numbers(databases).flatMap((db) =>
      numbers(services).flatMap((one) =>
        numbers(checks).map((check) => `  check-${db}-${one}-${check}: { service: service-${db}-${one}, critical: true, ${http} }`),
      ),
    ),
  ];
  return configOf('many.yaml', `${lines.join('\n')}\n`);
}
