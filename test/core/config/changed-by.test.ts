import { describe, expect, test } from 'vitest';
import { changeNameSchema, readChangeName } from '../../../core/config/changed-by.ts';
import { loadConfig } from '../../../core/config/load.ts';
import { completed, parts } from './parts.ts';

function load(text: string) {
  const loaded = loadConfig({ file: 'rounds.yaml', text: completed(text) }, parts);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.config;
}

test('services, components and tenants say what changes them; of a tenant it is no field', () => {
  const config = load(`
services: { billing: { owner: billing-ops, changedBy: [acme/billing, 'argocd:billing-prod'] } }
components: { ingress: { changedBy: ['flux:infra/traefik'] } }
tenants: { riverside: { title: Riverside Clinic, plan: shared, changedBy: ['acme/riverside@production'] } }`);
  expect(config.services.billing?.changedBy).toEqual(['acme/billing', 'argocd:billing-prod']);
  expect(config.components.ingress?.changedBy).toEqual(['flux:infra/traefik']);
  expect(config.tenants.riverside).toEqual({
    id: 'riverside',
    title: 'Riverside Clinic',
    fields: { id: 'riverside', title: 'Riverside Clinic', plan: 'shared' },
    changedBy: ['acme/riverside@production'],
  });
});

test('a file that does not say it keeps its revision', () => {
  const config = load('components: { ingress: { title: Traefik } }');
  expect(config.components.ingress).toEqual({ id: 'ingress', title: 'Traefik', dependsOn: [] });
  expect(config.services.billing).not.toHaveProperty('changedBy');
});

describe('a name', () => {
  test.each([
    ['acme/billing', { name: 'acme/billing' }],
    ['billing', { name: 'billing' }],
    ['argocd:billing-prod', { prefix: 'argocd', name: 'billing-prod' }],
    ['gitlab:group/sub/project@review/new-form', { prefix: 'gitlab', name: 'group/sub/project', environment: 'review/new-form' }],
    ['acme/billing@Production EU', { name: 'acme/billing', environment: 'Production EU' }],
    ['environment:production', { environment: 'production' }],
  ])('%s is taken apart', (entry, parted) => {
    expect(changeNameSchema().safeParse(entry).success).toBe(true);
    expect(readChangeName(entry)).toEqual(parted);
  });

  test.each([
    '',
    'acme billing',
    'jenkins:billing',
    'https://github.com/acme/billing',
    'acme/',
    '@production',
    'acme/billing@',
    'a@b@c',
    'acme/billing@ x',
    'x'.repeat(201),
  ])('%j is none', (entry) => {
    expect(changeNameSchema().safeParse(entry).success).toBe(false);
  });
});
