import { describe, expect, test } from 'vitest';
import type { Check } from '../../core/check.ts';
import { type Quiet, quietOf, scopesCovered } from '../../core/quiet.ts';
import { aCheck, aConfig } from '../helpers/domain.ts';

const invoices = aCheck({ tenant: 'riverside' });
const others = aCheck({ tenant: 'hillcrest' });
const booking = aCheck({ template: 'book', service: 'scheduling', scope: 'scheduling' });
const { service: _service, ...bare } = aCheck({ template: 'replication', component: 'postgres', scope: 'component:postgres' });
const database: Check = bare;
const ingress: Check = { ...bare, id: 'door', template: 'door', component: 'ingress', scope: 'component:ingress' };

const components = {
  disk: { id: 'disk', title: 'Disk', dependsOn: [] },
  postgres: { id: 'postgres', title: 'PostgreSQL', dependsOn: ['disk'] },
  ingress: { id: 'ingress', title: 'Traefik', dependsOn: [] },
};
const base = aConfig([invoices, others, booking, database, ingress], { components });
const config = { ...base, services: { ...base.services, scheduling: { ...base.services.scheduling!, dependsOn: [] } } };

function quiet(change: Partial<Quiet> = {}): Quiet {
  const nothing = { services: [], components: [], tenants: [], checks: [] };
  return { kind: 'maintenance', id: 'patches@0', title: 'Patches', fromMs: 0, untilMs: 1, ...nothing, ...change };
}

const covered = (change: Partial<Quiet>) =>
  Object.values(config.checks)
    .filter((check) => quietOf(check, [quiet(change)], config))
    .map((check) => check.id);

describe('what is covered', () => {
  test.each<[string, Partial<Quiet>, string[]]>([
    ['everything, when nothing is named', {}, ['post-invoice/riverside', 'post-invoice/hillcrest', 'book', 'replication', 'door']],
    ['the checks of a service', { services: ['billing'] }, ['post-invoice/riverside', 'post-invoice/hillcrest']],
    [
      'a component with all that stands on it',
      { components: ['postgres'] },
      ['post-invoice/riverside', 'post-invoice/hillcrest', 'replication'],
    ],
    ['however far up', { components: ['disk'] }, ['post-invoice/riverside', 'post-invoice/hillcrest', 'replication']],
    ['a component that nothing stands on', { components: ['ingress'] }, ['door']],
    ['a tenant, not what is everybody’s', { tenants: ['riverside'] }, ['post-invoice/riverside']],
    ['a check by its template', { checks: ['post-invoice'] }, ['post-invoice/riverside', 'post-invoice/hillcrest']],
    ['a check with its tenant', { checks: ['post-invoice/hillcrest'] }, ['post-invoice/hillcrest']],
    ['any of one kind', { checks: ['book', 'door'] }, ['book', 'door']],
    ['all of several kinds', { components: ['disk'], tenants: ['hillcrest'] }, ['post-invoice/hillcrest']],
    ['none that fits only some', { services: ['scheduling'], components: ['disk'] }, []],
  ])('%s', (_, change, expected) => {
    expect(covered(change)).toEqual(expected);
  });
});

test('the first that covers it is named', () => {
  const quiets = [quiet({ id: 'a@0', services: ['scheduling'] }), quiet({ id: 'b@0', tenants: ['riverside'] }), quiet({ id: 'c@0' })];
  expect(quietOf(invoices, quiets, config)?.id).toBe('b@0');
  expect(quietOf(database, quiets, config)?.id).toBe('c@0');
  expect(quietOf(invoices, [], config)).toBeUndefined();
});

test('the scopes are those in which anything is covered', () => {
  expect(scopesCovered([quiet({ tenants: ['riverside'] }), quiet({ checks: ['door'] })], config)).toEqual(['billing', 'component:ingress']);
  expect(scopesCovered([], config)).toEqual([]);
});
