import { describe, expect, test } from 'vitest';
import { diffConfigs, isEmptyDiff, type ReadConfig } from '../../../core/config/diff.ts';
import { loadByLocation, newSecrets } from '../../../core/config/effects.ts';
import { fieldChanges } from '../../../core/config/fields.ts';
import { fateOf } from '../../../core/config/incidents.ts';
import { loadConfig } from '../../../core/config/load.ts';
import type { Facts } from '../../../core/incident.ts';
import { completed, parts } from './parts.ts';

function read(text: string): ReadConfig {
  const loaded = loadConfig({ file: 'rounds.yaml', text: completed(text) }, parts);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded;
}

const TENANTS = 'tenants: { riverside: { url: http://r.example }, hillcrest: { url: http://h.example } }';
const DOOR = `door: { service: billing, forEach: tenants, every: 60s, http: { url: '\${tenant.url}' } }`;
const diff = (before: string, after: string) => diffConfigs(read(before), read(after));

describe('the difference of two configurations', () => {
  test('is none where only the writing differs: order, comments, units, what was said by default', () => {
    const before = 'checks: { door: { service: billing, every: 60s, http: { url: http://a.example } } }';
    const after =
      '# new\nchecks: { door: { http: { url: http://a.example }, every: 1m, service: billing, retries: 1, locations: [south, north] } }';
    expect(isEmptyDiff(diff(before, after))).toBe(true);
  });

  test('names what was added, changed and retired, field by field and as it is written', () => {
    const before = `
timezone: Europe/Berlin
checks:
  door: { service: billing, every: 60s, timeout: 10s, degraded: { above: 4s }, http: { url: http://a.example } }
  gone: { service: billing, every: 60s, http: { url: http://a.example } }`;
    const after = `
timezone: Europe/Vienna
checks:
  door: { service: billing, every: 30s, timeout: 10s, http: { url: http://b.example, method: HEAD } }
  fresh: { service: billing, every: 60s, http: { url: http://a.example } }`;
    const found = diff(before, after);
    expect(found.head).toEqual([{ field: 'timezone', before: 'Europe/Berlin', after: 'Europe/Vienna' }]);
    expect(found.entries).toEqual([
      {
        section: 'checks',
        id: 'door',
        kind: 'changed',
        fields: [
          { field: 'every', before: '60s', after: '30s' },
          { field: 'degraded', before: { above: '4s' } },
          { field: 'http.url', before: 'http://a.example', after: 'http://b.example' },
          { field: 'http.method', after: 'HEAD' },
        ],
      },
      { section: 'checks', id: 'fresh', kind: 'added', fields: [] },
      { section: 'checks', id: 'gone', kind: 'retired', fields: [] },
    ]);
    expect(found.checks).toEqual({ added: ['fresh'], changed: ['door'], retired: ['gone'] });
  });

  test('of a tenant is told once, with the number of its checks, and not of every check that is made for it', () => {
    const before = `${TENANTS}\nchecks: { ${DOOR} }`;
    expect(diff(before, before.replace('hillcrest: { url: http://h.example }', 'lakeside: { url: http://l.example }')).entries).toEqual([
      { section: 'tenants', id: 'lakeside', kind: 'added', fields: [], checks: 1 },
      { section: 'tenants', id: 'hillcrest', kind: 'retired', fields: [], checks: 1 },
    ]);
    const moved = diff(before, before.replace('http://h.example', 'http://new.example'));
    expect(moved.entries).toEqual([
      {
        section: 'tenants',
        id: 'hillcrest',
        kind: 'changed',
        fields: [{ field: 'url', before: 'http://h.example', after: 'http://new.example' }],
        checks: 1,
      },
    ]);
    expect(moved.checks.changed).toEqual(['door/hillcrest']);
  });

  test('of a location is told once where checks run everywhere, and of the check where it names its own', () => {
    const before =
      'locations: { north: {}, south: {} }\nchecks: { door: { service: billing, every: 60s, http: { url: http://a.example } } }';
    const added = diff(before, before.replace('south: {}', 'south: {}, west: {}'));
    expect(added.entries).toEqual([{ section: 'locations', id: 'west', kind: 'added', fields: [], checks: 1 }]);
    expect(added.checks.changed).toEqual(['door']);
    const named = diff(before, before.replace('every: 60s', 'every: 60s, locations: [north]'));
    expect(named.entries).toMatchObject([{ id: 'door', fields: [{ field: 'locations', after: ['north'] }] }]);
  });

  test('tells what follows from elsewhere where no other line would', () => {
    const check = `checks: { vitals: { component: db, every: 60s, postgres: { url: '\${secret:URL}' } } }`;
    const found = diff(`components: { db: { title: Database } }\n${check}`, `components: { db: { title: PostgreSQL } }\n${check}`);
    expect(found.entries.map(({ section, fields }) => [section, fields])).toEqual([
      ['components', [{ field: 'title', before: 'Database', after: 'PostgreSQL' }]],
      [
        'checks',
        [
          { field: 'title', before: 'Database', after: 'PostgreSQL' },
          { field: 'does', before: 'Database', after: 'PostgreSQL' },
        ],
      ],
    ]);
  });

  test('against nothing is everything', () => {
    const found = diffConfigs(undefined, read(''));
    expect(new Set(found.entries.map(({ kind }) => kind))).toEqual(new Set(['added']));
    expect(found.checks.added).toEqual(['front-door']);
  });
});

test('fields are compared inside maps, lists as a whole, and missing is not null', () => {
  expect(fieldChanges({ a: [1, 2], b: { c: null } }, { a: [1, 3], b: {} })).toEqual([
    { field: 'a', before: [1, 2], after: [1, 3] },
    { field: 'b.c', before: null },
  ]);
  expect(fieldChanges({ a: '1000ms', b: '1.0' }, { a: '1s', b: '1' })).toEqual([{ field: 'b', before: '1.0', after: '1' }]);
});

test('the load is counted for each location, before and after', () => {
  const before = read('checks: { door: { service: billing, every: 30s, locations: [north], http: { url: http://a.example } } }').config;
  const after = read('checks: { door: { service: billing, every: 5m, http: { url: http://a.example } } }').config;
  expect(loadByLocation(before, after)).toEqual([
    { location: 'north', before: 2, after: 0.2 },
    { location: 'south', before: 0, after: 0.2 },
  ]);
});

test('secrets are named that a location needs and did not before, of checks and of actions', () => {
  const door = (more: string) => `checks: { door: { service: billing, every: 60s, ${more} } }`;
  const before = read(door(`locations: [north], http: { url: http://a.example, bearer: '\${secret:KEY}' }`)).config;
  const after = read(`${door(`http: { url: 'http://u:\${secret:PASSWORD}@a.example', bearer: '\${secret:KEY}' }`)}
runbooks: { fix: { when: { check: door }, action: { http.request: { url: '\${secret:OPS_URL}', location: south } } } }`).config;
  expect(newSecrets(before, after)).toEqual([
    { location: 'north', secrets: ['PASSWORD'] },
    { location: 'south', secrets: ['KEY', 'OPS_URL', 'PASSWORD'] },
  ]);
});

test('an incident closes with its last check, and moves with the scope of those that are left', () => {
  const { config } = read(`
services: { billing: { owner: billing-ops }, care: { owner: billing-ops } }
checks: { door: { service: care, every: 60s, http: { url: http://a.example } } }`);
  const about = (scope: string, ...checks: string[]) => {
    const facts = { services: [], components: [], blind: checks.map((id) => ({ id, title: id })) } as unknown as Facts;
    return { scope, facts };
  };
  expect(fateOf(config, about('care', 'gone', 'door'))).toBe('stays');
  expect(fateOf(config, about('shared', 'gone', 'door'))).toBe('moves');
  expect(fateOf(config, about('care', 'gone'))).toBe('closes');
});
