import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { migrateAll } from '../../cli/migrate.ts';
import type { ChildSpec } from '../../cli/supervisor.ts';
import { childrenOf, type UpPlan } from '../../cli/up-children.ts';
import { followConfig } from '../../cli/up-follow.ts';
import { applyConfig } from '../../jobs/config.ts';
import { openPool, type Pool } from '../../store/db.ts';
import { written } from '../helpers/config.ts';
import { startGate } from '../helpers/gate.ts';
import { keepingLog, quietLog } from '../helpers/log.ts';
import { type TestDatabase, testDatabase } from '../helpers/postgres.ts';

const yaml = (locations: string, secret = 'KEY') => `version: 1
timezone: UTC
locations: { ${locations} }
teams: { ops: { channel: '#ops' } }
services: { billing: { owner: ops } }
checks: { door: { service: billing, every: 60s, http: { url: http://127.0.0.1:9, headers: { X-Key: '\${secret:${secret}}' } } } }
`;

let folder: string;
let database: TestDatabase;
let pool: Pool;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rounds-follow-'));
  database = await testDatabase();
  await migrateAll(database.url, database.url, quietLog);
  pool = openPool({ url: database.url, name: 'test', max: 2, log: quietLog });
});
afterEach(async () => {
  const { rows } = await pool.query<{ rolname: string }>(
    `select rolname from pg_roles where rolname like current_database() || '\\_agent\\_%'`,
  );
  await pool.end();
  await database.drop();
  const admin = openPool({ url: database.adminUrl, name: 'test', max: 1, log: quietLog });
  for (const { rolname } of rows) await admin.query(`drop role "${rolname}"`);
  await admin.end();
  rmSync(folder, { recursive: true, force: true });
});

function planOf(configPath: string): UpPlan {
  return {
    program: '/bin/node',
    programArgs: ['main.ts'],
    env: { KEY: 'first', OTHER: 'second', UNNAMED: 'third' },
    configPath,
    journeysFolder: folder,
    facts: { locations: ['north', 'south'], seed: { channels: [], users: [] }, secrets: ['KEY'] },
    dataFolder: folder,
    databaseUrl: database.url,
    queueUrl: database.url,
    agentQueueUrls: { north: 'postgres://north', south: 'postgres://south' },
    browser: undefined,
    ports: { desk: 1, bot: 2, clinic: 3, clinicControl: 4 },
    slack: { botToken: 'xoxb', signingSecret: 'signing', appToken: undefined, apiUrl: undefined },
    withDesk: false,
    clinic: undefined,
    agentSecretsFolder: join(folder, 'secrets', 'agents'),
  };
}

it('fits the agents to the configuration in force, whoever applied it, and nothing else', async () => {
  const file = join(folder, 'rounds.yaml');
  await applyConfig(pool, await written(yaml('north: {}, south: {}')), 'worker');
  const plan = planOf(file);
  const children = childrenOf(plan);
  const updates: (readonly ChildSpec[])[] = [];
  const update = async (specs: readonly ChildSpec[]) => void updates.push(specs);
  const log = keepingLog();
  const following = await followConfig({ plan, children, supervisor: { update }, secretsFolder: folder, writeConfig: () => file, log });
  const names = () => updates.at(-1)?.map(({ name }) => name);
  const byName = (specs: readonly ChildSpec[]) => new Map(specs.map((spec) => [spec.name, spec]));
  await expect.poll(() => updates.length).toBe(1);
  expect(byName(updates[0] ?? []), 'what runs is left alone').toEqual(byName(children));

  await applyConfig(pool, await written(yaml('north: {}, west: {}')), 'ana');
  await expect.poll(names, { timeout: 10_000 }).toEqual(['bot', 'worker', 'agent-north', 'agent-west']);
  const west = byName(updates.at(-1) ?? []).get('agent-west');
  expect(west?.env).toMatchObject({ ROUNDS_LOCATION: 'west', KEY: 'first', ROUNDS_QUEUE_URL: expect.stringContaining('_agent_west:') });
  expect(west?.env).not.toHaveProperty('UNNAMED');

  writeFileSync(file, yaml('north: {}', 'OTHER'));
  await following.reload();
  await expect.poll(names, { timeout: 10_000 }).toEqual(['bot', 'worker', 'agent-north']);
  expect(byName(updates.at(-1) ?? []).get('agent-north')?.env).toMatchObject({ OTHER: 'second' });

  writeFileSync(file, 'version: [');
  await following.reload();
  expect(log.lines.at(-1)?.message).toBe('The file is not applied: the configuration in force stays');
  expect(names()).toEqual(['bot', 'worker', 'agent-north']);
  await following.stop();
});

it('starts the agent of a new location with credentials of its own, or not yet, while the queue is away', async () => {
  const gate = await startGate(database.url);
  await applyConfig(pool, await written(yaml('north: {}, south: {}')), 'worker');
  const plan = { ...planOf(join(folder, 'rounds.yaml')), queueUrl: gate.url };
  const updates: (readonly ChildSpec[])[] = [];
  const update = async (specs: readonly ChildSpec[]) => void updates.push(specs);
  const log = keepingLog();
  const options = { plan, children: childrenOf(plan), secretsFolder: folder, writeConfig: () => plan.configPath, log, retryMs: 100 };
  const following = await followConfig({ ...options, supervisor: { update } });
  await gate.shut();
  await applyConfig(pool, await written(yaml('north: {}, west: {}')), 'ana');
  await expect.poll(() => log.lines.at(-1)?.message, { timeout: 10_000 }).toContain('The agents do not fit the configuration yet');
  await gate.open();
  const west = () => updates.at(-1)?.find(({ name }) => name === 'agent-west')?.env.ROUNDS_QUEUE_URL;
  await expect.poll(west, { timeout: 10_000 }).toContain('_agent_west:');
  await following.stop();
  await gate.close();
});
