import { describe, expect, test } from 'vitest';
import { joinPath, loadConfig } from '../../../core/config/load.ts';
import type { Config } from '../../../core/config/model.ts';
import { completed, parts } from './parts.ts';

function load(text: string, folder?: string): Config {
  const loaded = loadConfig({ file: 'rounds.yaml', text: completed(text), ...(folder === undefined ? {} : { folder }) }, parts);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.config;
}

describe('defaults', () => {
  test('of a check', () => {
    expect(load('').checks['front-door']).toEqual({
      id: 'front-door',
      template: 'front-door',
      title: 'Front door',
      does: 'front door',
      service: 'billing',
      critical: false,
      everyMs: 30_000,
      timeoutMs: 10_000,
      locations: ['north', 'south'],
      type: 'http',
      params: { url: 'https://clinic.example', method: 'GET', status: 200 },
      retries: 1,
      resolveAfter: 3,
      scope: 'billing',
    });
  });

  test('of a time-out leave room for every attempt in the interval', () => {
    const config = load('checks: { door: { service: billing, every: 3s, retries: 2, http: { url: http://a.example } } }');
    expect(config.checks.door?.timeoutMs).toBe(1000);
  });

  test('of titles are the ids in words, and a check of a component is called like it', () => {
    const config = load(`
components: { postgres-main: { title: PostgreSQL } }
services: { patient-billing: { owner: billing-ops } }
checks:
  vital-signs: { component: postgres-main, every: 30s, postgres: { url: '\${secret:URL}' } }
  export: { title: PDF export, service: patient-billing, every: 30s, http: { url: http://a.example } }`);
    expect(config.services['patient-billing']).toMatchObject({ title: 'Patient billing', tier: 2, dependsOn: [] });
    expect(config.checks['vital-signs']).toMatchObject({ title: 'PostgreSQL', does: 'PostgreSQL' });
    expect(config.checks.export).toMatchObject({ title: 'PDF export', does: 'PDF export' });
    expect(config.people.ana).toEqual({ id: 'ana', name: 'Ana', slack: 'U0ANA', roles: ['responder'] });
  });
});

const TENANTS = `
tenants:
  riverside: { title: Riverside Clinic, url: https://riverside.example, port: 5432, pin: '\${secret:RIVERSIDE_PIN}', plan: shared }
  hillcrest: { url: https://hillcrest.example, port: 5433, pin: '\${secret:HILLCREST_PIN}' }
`;

describe('expansion', () => {
  test('makes a check of each tenant, with the fields of the tenant', () => {
    const config = load(`${TENANTS}
checks:
  post-invoice:
    service: billing
    forEach: tenants
    every: 60s
    journey: { file: post.ts, baseUrl: '\${tenant.url}/\${tenant.id}', account: { user: '\${tenant.title}', password: '\${tenant.pin}' } }`);
    expect(Object.keys(config.checks)).toEqual(['post-invoice/riverside', 'post-invoice/hillcrest']);
    expect(config.checks['post-invoice/hillcrest']).toMatchObject({
      id: 'post-invoice/hillcrest',
      template: 'post-invoice',
      tenant: 'hillcrest',
      params: { baseUrl: 'https://hillcrest.example/hillcrest', account: { user: 'Hillcrest', password: `\${secret:HILLCREST_PIN}` } },
    });
    expect(config.tenants.riverside).toMatchObject({
      title: 'Riverside Clinic',
      fields: { plan: 'shared', port: '5432', id: 'riverside' },
    });
  });

  test('keeps a number a number where it is the whole value', () => {
    const config = load(`${TENANTS}
checks:
  database: { service: billing, forEach: tenants, every: 60s, postgres: { url: '\${secret:URL}', port: '\${tenant.port}' } }`);
    expect(config.checks['database/riverside']?.params).toEqual({ url: `\${secret:URL}`, port: 5432 });
  });

  test('leaves secrets to the agent, wherever they stand in a text', () => {
    const config = load(`
checks:
  database: { service: billing, every: 60s, postgres: { url: 'postgres://rounds:\${secret:PASSWORD}@db.example/clinic' } }
  door: { service: billing, every: 60s, http: { url: http://a.example, headers: { Authorization: 'Bearer \${secret:TOKEN}' } } }`);
    expect(config.checks.database?.params.url).toBe(`postgres://rounds:\${secret:PASSWORD}@db.example/clinic`);
    expect(config.checks.door?.params.headers).toEqual({ Authorization: `Bearer \${secret:TOKEN}` });
  });

  test('does not expand what it put in', () => {
    const text = `
tenants: { riverside: { url: 'http://a.example/$', rest: '{tenant.id}' } }
checks: { door: { service: billing, forEach: tenants, every: 60s, http: { url: '\${tenant.url}\${tenant.rest}' } } }`;
    expect(load(text).checks['door/riverside']?.params.url).toBe(`http://a.example/\${tenant.id}`);
  });

  test('looks for the files of journeys beside the configuration', () => {
    const text = 'checks: { login: { service: billing, every: 60s, journey: { file: ./journeys/login.ts } } }';
    expect(load(text, '/etc/rounds').checks.login?.params.file).toBe('/etc/rounds/journeys/login.ts');
    expect(load(text).checks.login?.params.file).toBe('./journeys/login.ts');
    expect(load(text, '/etc/rounds').revision).toBe(load(text, '/srv/rounds').revision);
  });

  test.each([
    ['/etc/rounds', '../shared/a.ts', '/etc/shared/a.ts'],
    ['/etc', '../../a.ts', '/a.ts'],
    ['/etc/rounds', '/srv/a.ts', '/srv/a.ts'],
    ['.', 'journeys/./a.ts', 'journeys/a.ts'],
    ['..', '../a.ts', '../../a.ts'],
  ])('joins %s and %s', (folder, file, joined) => {
    expect(joinPath(folder, file)).toBe(joined);
  });
});

describe('runbooks', () => {
  test('have their conditions as lists, and the location apart from the parameters', () => {
    const config = load(`
runbooks:
  cancel:
    when: { service: billing, failure: [lock-wait, timeout], step: sign in }
    action: { postgres.cancel: { url: '\${secret:URL}', location: south } }
    mayRun: [responder]
    verify: [front-door]`);
    expect(config.runbooks.cancel).toEqual({
      id: 'cancel',
      title: 'Cancel',
      when: { services: ['billing'], failures: ['lock-wait', 'timeout'], steps: ['sign in'] },
      action: { type: 'postgres.cancel', params: { url: `\${secret:URL}` }, location: 'south' },
      mayRun: ['responder'],
      verify: ['front-door'],
    });
  });

  test('may be run by nobody when no role is named', () => {
    const config = load(
      "runbooks: { cancel: { when: { service: billing }, action: { http.request: { url: 'http://a.example', location: north } } } }",
    );
    expect(config.runbooks.cancel).toMatchObject({ mayRun: [], verify: [] });
  });
});

describe('the revision', () => {
  test('is the same whatever the order of the keys', () => {
    const forwards = load('locations: { north: { title: North }, south: { title: South } }\ntenants: { a: { x: 1, y: 2 }, b: { x: 1 } }');
    const backwards = load('tenants: { b: { x: 1 }, a: { y: 2, x: 1 } }\nlocations: { south: { title: South }, north: { title: North } }');
    expect(forwards.revision).toMatch(/^[0-9a-f]{12}$/);
    expect(backwards.revision).toBe(forwards.revision);
  });

  test('is another one when anything else is said', () => {
    const texts = ['', 'timezone: Europe/Vienna', 'tenants: { a: {} }', 'locations: { north: { title: N }, south: { title: South } }'];
    expect(new Set(texts.map((text) => load(text).revision)).size).toBe(texts.length);
  });
});

describe('positions', () => {
  test('say where a value stands, through aliases too', () => {
    const text = completed('tenants: { a: &a { url: http://a.example }, b: *a }\nteams:\n  ops: { channel: "#a", members: [ana] }');
    const loaded = loadConfig({ file: 'rounds.yaml', text: text.replace('owner: billing-ops', 'owner: ops') }, parts);
    expect(loaded.ok && loaded.positions(['tenants', 'a', 'url'])).toEqual({ line: 1, column: 25 });
    expect(loaded.ok && loaded.positions(['tenants', 'b', 'url'])).toEqual({ line: 1, column: 25 });
    expect(loaded.ok && loaded.positions(['teams', 'ops', 'members', 0])).toEqual({ line: 3, column: 35 });
    expect(loaded.ok && loaded.positions(['tenants', 'c'])).toBeUndefined();
  });
});
