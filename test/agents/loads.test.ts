/** What an agent passes on of loads and owners: nothing that would have the worker refuse a whole report. */
import { expect, test } from 'vitest';
import * as z from 'zod';
import { execute } from '../../agents/execute.ts';
import { secretsFrom } from '../../agents/secrets.ts';
import { type Load, type Loads, resultSchema } from '../../core/result.ts';
import { defineProbe, type Outcome } from '../../probes/probe.ts';
import { quietLog } from '../helpers/log.ts';

async function passedOn(outcome: Partial<Outcome>) {
  const run = async (): Promise<Outcome> => ({ verdict: 'up', durationMs: 1, ...outcome });
  const probe = defineProbe({ type: 'vital', summary: '', schema: z.object({}), failures: [], measurements: {}, examples: [], run });
  const order = {
    ...{ run: 'vital@north@1000000@scheduled@0', check: 'vital', title: 'Vital', type: 'vital', params: {}, revision: 'r1' },
    ...{ timeoutMs: 1_000, retries: 0, notBeforeMs: 1_000_000, notAfterMs: 1_060_000 },
  };
  const deps = {
    probes: new Map([['vital', probe]]),
    secrets: secretsFrom({ env: {} }),
    clock: { now: () => 1_000_000, monotonic: () => performance.now() },
    log: quietLog,
  };
  return resultSchema.parse(JSON.parse(JSON.stringify(await execute(order, deps, new AbortController().signal))));
}

function load(name: string, change: Partial<Load> = {}): Load {
  return { by: 'role', name, countingSinceMs: 7, counters: { statementMs: 1.23456789 }, levels: { connections: 2 }, ...change };
}

test('loads are passed on, with numbers that were measured', async () => {
  const { loads } = await passedOn({
    loads: { atMs: 5.5, loads: [load('hillcrest_app')], unreadable: ['sizes: mail to ops@clinic.example'] },
  });
  expect(loads).toEqual({
    atMs: 5.5,
    loads: [load('hillcrest_app', { counters: { statementMs: 1.234568 } })],
    unreadable: ['sizes: mail to [address]'],
  });
});

test('names that are none, values that are none, and too many of them are left out; the rest stays', async () => {
  const odd = ['', 'a\nb', '\ud800', 'x'.repeat(64)].map((name) => load(name));
  const many = Array.from({ length: 250 }, (_, index) => load(`role_${index}`));
  const nothing = load('nothing', { countingSinceMs: Number.NaN });
  const some = load('some', { levels: { connections: Number.POSITIVE_INFINITY, locks: 3 } });
  const { loads } = await passedOn({ loads: { atMs: 1, loads: [...odd, nothing, some, ...many], unreadable: Array(20).fill('why') } });
  expect(loads?.loads).toHaveLength(200);
  expect(loads?.loads[0]).toMatchObject({ name: 'some', levels: { locks: 3 } });
  expect(loads?.unreadable).toHaveLength(8);
});

test('loads of no time are none at all', async () => {
  const loads: Loads = { atMs: Number.NaN, loads: [load('a')], unreadable: [] };
  expect(await passedOn({ loads })).not.toHaveProperty('loads');
});

test('a finding keeps whose it is, unless that is no name', async () => {
  const finding = { kind: 'blocking-session', text: 'somebody blocks', target: { pid: 1 } };
  const whose = async (role: string) => (await passedOn({ findings: [{ ...finding, whose: { role } }] })).findings[0];
  expect(await whose('hillcrest_app')).toEqual({ ...finding, whose: { role: 'hillcrest_app' } });
  expect(await whose('two\nlines')).toEqual(finding);
});
