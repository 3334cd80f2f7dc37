import { expect, test } from 'vitest';
import { nameTenant, ownersOn, sharedNames } from '../../../core/load/owners.ts';
import { aTenant } from './samples.ts';

const all = (...tenants: ReturnType<typeof aTenant>[]) => Object.fromEntries(tenants.map((tenant) => [tenant.id, tenant]));

test('a name is found on the components of its tenant, and what two share is neither’s', () => {
  const tenants = all(
    aTenant('hillcrest', { database: 'clinic', role: 'hillcrest_app' }),
    aTenant('riverside', { database: 'clinic', role: 'riverside_app' }, ['postgres']),
    aTenant('lakeside', { queue: 'lakeside-*' }),
  );
  const here = ownersOn(tenants, 'postgres');
  expect([here.tenantOf('role', 'riverside_app'), here.tenantOf('role', 'hillcrest_app')]).toEqual(['riverside', 'hillcrest']);
  expect([here.tenantOf('database', 'clinic'), here.tenantOf('database', 'hillcrest_app'), here.tenantOf('role', 'nobody')]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect([here.tenantOf('queue', 'lakeside-reports'), here.tenantOf('queue', 'lake')]).toEqual(['lakeside', undefined]);
  const there = ownersOn(tenants, 'other');
  expect([there.tenantOf('role', 'riverside_app'), there.tenantOf('database', 'clinic')]).toEqual([undefined, 'hillcrest']);
});

test('queues of several tenants that begin alike are told', () => {
  const tenants = all(aTenant('a', { queue: 'reports*' }), aTenant('b', { queue: 'reports-b' }), aTenant('c', { queue: 'mail' }));
  expect(sharedNames(tenants, 'redis', ['queue']).map(({ tenant, other }) => `${tenant} ${other}`)).toEqual(['a b', 'b a']);
});

test('a finding names the tenant of its role, or of its database', () => {
  const config = {
    tenants: all(aTenant('hillcrest', { role: 'hillcrest_app', database: 'clinic' }), aTenant('saint-anne', { database: 'odoo' })),
  };
  expect(nameTenant({ whose: { role: 'hillcrest_app', database: 'clinic' } }, config, 'postgres')).toEqual({
    id: 'hillcrest',
    title: 'Hillcrest',
  });
  expect(nameTenant({ whose: { role: 'migrations', database: 'odoo' } }, config, 'postgres')?.id).toBe('saint-anne');
  expect(nameTenant({ whose: { role: 'postgres' } }, config, 'postgres')).toBeUndefined();
  expect(nameTenant({}, config, 'postgres')).toBeUndefined();
  expect(nameTenant({ whose: { role: '__proto__' } }, config, 'postgres')).toBeUndefined();
});
