/** Large configurations for simulated days and storms: databases, services that stand on them, one ingress below all. */
import type { Config } from '../../core/config/model.ts';
import { configOf } from './layouts.ts';

export interface Many {
  databases: number;
  /** Of each database. */
  services: number;
  /** Critical checks of each service, from three locations every 60s with a time-out of 10s. */
  checks: number;
  /** Clinics for each of which every check is made; without, checks are of no clinic. */
  tenants?: number;
  /** Databases without a check of their own. */
  unchecked?: boolean;
}

/** A configuration with so many of each; checks are `check-1-2-3` or `check-1-2-3/clinic-4`, of `service-1-2`, which stands on `db-1`. */
export async function many({ databases, services, checks, tenants = 0, unchecked = false }: Many): Promise<Config> {
  const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
  const http = 'every: 60s, timeout: 10s, http: { url: https://many.example }';
  const own = `critical: true, ${tenants > 0 ? 'forEach: tenants, ' : ''}${http}`;
  const all = numbers(databases).flatMap((db) => numbers(services).map((one) => `${db}-${one}`));
  const lines = [
    'version: 1',
    'timezone: Europe/Berlin',
    'locations: { north: {}, south: {}, cloud: {} }',
    "teams: { operations: { channel: '#operations' } }",
    'tenants:',
    ...numbers(tenants).map((one) => `  clinic-${one}: {}`),
    'components:',
    '  ingress: { title: Traefik }',
    ...numbers(databases).map((db) => `  db-${db}: { title: PostgreSQL ${db} }`),
    'services:',
    ...all.map((id) => `  service-${id}: { tier: 1, owner: operations, dependsOn: [db-${id.split('-')[0]}, ingress] }`),
    'checks:',
    `  ingress: { component: ingress, ${http} }`,
    ...(unchecked ? [] : numbers(databases).map((db) => `  db-${db}: { component: db-${db}, ${http} }`)),
    ...all.flatMap((id) => numbers(checks).map((check) => `  check-${id}-${check}: { service: service-${id}, ${own} }`)),
  ];
  const text = lines.filter((line) => line !== 'tenants:' || tenants > 0).join('\n');
  return configOf('many.yaml', `${text}\n`);
}
