/** What a tenant is called on servers, and where its load is told. */
import { expect, test } from 'vitest';
import { loadConfig } from '../../../core/config/load.ts';
import type { Config } from '../../../core/config/model.ts';
import { completed, parts } from './parts.ts';

function load(text: string): Config {
  const loaded = loadConfig({ file: 'rounds.yaml', text: completed(text) }, parts);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.config;
}

const SERVER = `components: { postgres-main: {}, postgres-other: {} }
checks:
  vital-signs: { component: postgres-main, every: 30s, postgres: { url: '\${secret:URL}' } }
  others: { component: postgres-other, every: 30s, postgres: { url: '\${secret:URL}' } }
  front-door: { service: billing, forEach: tenants, every: 30s, http: { url: 'https://clinic.example/\${tenant.database}' } }`;

test('names stay fields that checks can use, and the components beside them are not one', () => {
  const config = load(`${SERVER}
tenants:
  riverside: { database: riverside, role: riverside_app, queue: 'riverside-*', namespace: riverside, components: [postgres-main] }`);
  expect(config.tenants.riverside).toEqual({
    id: 'riverside',
    title: 'Riverside',
    fields: {
      id: 'riverside',
      title: 'Riverside',
      database: 'riverside',
      role: 'riverside_app',
      queue: 'riverside-*',
      namespace: 'riverside',
    },
    components: ['postgres-main'],
  });
  expect(config.checks['front-door/riverside']?.params.url).toBe('https://clinic.example/riverside');
});

test('the load is told where a tenant has a name, and nowhere else', () => {
  const told = (tenants: string) => {
    const { checks } = load(`${SERVER}\ntenants: ${tenants}`);
    return [checks['vital-signs']?.params.load, checks.others?.params.load];
  };
  expect(told(`{ riverside: { database: a } }`)).toEqual([true, true]);
  expect(told(`{ riverside: { database: a, components: [postgres-main] } }`)).toEqual([true, undefined]);
  expect(told(`{ riverside: { database: a, queue: b, components: [postgres-other] } }`)).toEqual([undefined, true]);
});

test('what the file says of it stands', () => {
  const config = load(`components: { postgres-main: {} }
tenants: { riverside: { database: a, role: b }, hillcrest: { database: a, role: b } }
checks:
  vital-signs: { component: postgres-main, every: 30s, postgres: { url: '\${secret:URL}', load: false } }`);
  expect(config.checks['vital-signs']?.params.load).toBe(false);
});

test('a server of a tenant of its own is nobody else to be told from', () => {
  const config = load(`components: { postgres: {} }
tenants: { riverside: { database: odoo, host: a }, hillcrest: { database: odoo, host: b } }
checks:
  vital-signs: { component: postgres, forEach: tenants, every: 30s, postgres: { url: 'postgres://\${tenant.host}.example/odoo' } }`);
  expect(config.checks['vital-signs/riverside']?.params.load).toBeUndefined();
});

test.each([
  ['roles in one database', `{ a: { database: clinic, role: a }, b: { database: clinic, role: b } }`],
  ['databases of one role', `{ a: { database: a, role: odoo }, b: { database: b, role: odoo } }`],
  [
    'the same names on servers of their own',
    `{ a: { database: odoo, components: [postgres-main] }, b: { database: odoo, components: [postgres-other] } }`,
  ],
  ['one that has none', `{ a: { database: a }, b: {} }`],
])('%s tell tenants apart', (_, tenants) => {
  expect(Object.keys(load(`${SERVER.replace(/^ {2}front-door.*/m, '')}\ntenants: ${tenants}`).tenants)).toEqual(['a', 'b']);
});
