import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../../core/config/load.ts';
import type { Config } from '../../../core/config/model.ts';
import { completed, parts } from './parts.ts';

function load(text: string): Config {
  const loaded = loadConfig({ file: 'rounds.yaml', text: completed(text) }, parts);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.config;
}

const TEXT = `
components:
  storage: {}
  cluster: { dependsOn: [storage] }
  ingress: { dependsOn: [cluster] }
  database: { dependsOn: [storage] }
  archive: {}
  forgotten: {}
services:
  scheduling: { owner: billing-ops, dependsOn: [ingress] }
  billing: { owner: billing-ops, dependsOn: [database] }
  portal: { owner: billing-ops }
checks:
  book: { service: scheduling, every: 1m, http: { url: http://a.example } }
  invoice: { service: billing, every: 1m, http: { url: http://a.example } }
  home: { service: portal, every: 1m, http: { url: http://a.example } }
  disks: { component: storage, every: 1m, http: { url: http://a.example } }
  tapes: { component: archive, every: 1m, http: { url: http://a.example } }
`;

describe('scopes', () => {
  const { scopes, checks, services } = load(TEXT);

  test('join services that share a component, however far down, under the smallest id', () => {
    expect(scopes.billing).toEqual({
      id: 'billing',
      services: ['billing', 'scheduling'],
      components: ['cluster', 'database', 'ingress', 'storage'],
      checks: ['book', 'disks', 'invoice'],
    });
    expect(services.scheduling?.scope).toBe('billing');
    expect(checks.book?.scope).toBe('billing');
  });

  test('take in the checks of components that a service stands on', () => {
    expect(checks.disks?.scope).toBe('billing');
  });

  test('leave a service alone that shares nothing', () => {
    expect(scopes.portal).toEqual({ id: 'portal', services: ['portal'], components: [], checks: ['home'] });
  });

  test('give a component that nobody depends on its own', () => {
    expect(scopes['component:archive']).toEqual({ id: 'component:archive', services: [], components: ['archive'], checks: ['tapes'] });
    expect(checks.tapes?.scope).toBe('component:archive');
  });

  test('are not made for what is not checked', () => {
    expect(Object.keys(scopes).toSorted()).toEqual(['billing', 'component:archive', 'portal']);
  });

  test('join through a service that comes last', () => {
    const joined = load(`
components: { a: {}, b: {}, c: {} }
services:
  three: { owner: billing-ops, dependsOn: [c] }
  two: { owner: billing-ops, dependsOn: [b] }
  one: { owner: billing-ops, dependsOn: [a] }
  four: { owner: billing-ops, dependsOn: [c, b, a] }
checks: { x: { service: three, every: 1m, http: { url: http://a.example } } }`);
    expect(Object.keys(joined.scopes)).toEqual(['four']);
    expect(joined.checks.x?.scope).toBe('four');
  });
});
