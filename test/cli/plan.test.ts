import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { register } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrateAll } from '../../cli/migrate.ts';
import { configFileOf, databaseUrlOf } from '../../cli/places.ts';
import { writeTable } from '../../cli/process-table.ts';
import type { Started } from '../../core/process.ts';
import { start } from '../../jobs/main.ts';
import { openPool, type Pool } from '../../store/db.ts';
import { migrate } from '../../store/migrate.ts';
import { keepingLog, quietLog } from '../helpers/log.ts';
import { type TestDatabase, testDatabase } from '../helpers/postgres.ts';
import { rounds as runRounds } from '../helpers/program.ts';

const BEFORE = `version: 1
timezone: UTC
locations: { north: { title: North } }
people: { ana: { slack: U0ANA, roles: [responder] } }
teams: { ops: { channel: '#ops', members: [ana] } }
services: { billing: { title: Patient billing, owner: ops } }
checks:
  door: { service: billing, every: 60s, http: { url: http://127.0.0.1:9 } }
  gone: { service: billing, every: 60s, http: { url: http://127.0.0.1:9 } }
`;
const AFTER = BEFORE.replace('north: { title: North }', 'north: { title: North }, west: {}')
  .replace('door: { service: billing, every: 60s', 'door: { service: billing, every: 30s')
  .replace('  gone: { service: billing, every: 60s, http: { url: http://127.0.0.1:9 } }\n', '')
  .replace('url: http://127.0.0.1:9 }', `url: http://127.0.0.1:9, headers: { X-Key: '\${secret:DOOR_KEY}' } }`);

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rounds-plan-'));
  file = join(folder, 'rounds.yaml');
  writeFileSync(file, BEFORE);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What is said does not depend on where the folder is. */
async function rounds(env: Record<string, string>, ...args: string[]) {
  const { code, out, err } = await runRounds({ ROUNDS_DATA: folder, ...env }, ...args);
  return { code, out: out.replaceAll(folder, '.'), err: err.replaceAll(folder, '.') };
}

const write = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

describe('rounds plan with two files', () => {
  it('shows what the one changes of the other, in the words of the file, and asks for nothing else', async () => {
    const { code, out } = await rounds({}, 'plan', write('new.yaml', AFTER), '--against', file);
    expect(code).toBe(2);
    expect(out.replaceAll(/revision [0-9a-f]{12}/g, 'revision R')).toBe(
      `./new.yaml (revision R) against ./rounds.yaml (revision R):

+ location west (1 check)
~ check door
    every: 60s → 30s
    http.headers: { X-Key: \${secret:DOOR_KEY} } (new)
- check gone

Runs a minute: west 0 → 2.
Secrets that agents need and did not before: DOOR_KEY at north and west. Give them to the agents first.
Location west is new: make its agent's credentials (rounds location add west) and start it. "rounds up" does both by itself.
1 to add, 1 to change, 1 to retire. To apply it: rounds reload ./new.yaml
`,
    );
  });

  it('says that nothing changes, with code 0, where only the writing differs', async () => {
    const { code, out } = await rounds({}, 'plan', write('new.yaml', `# the same\n${BEFORE.replaceAll('60s', '1m')}`), '--against', file);
    expect(code).toBe(0);
    expect(out).toMatch(/^Nothing changes: \.\/new\.yaml says what \.\/rounds\.yaml says, revision [0-9a-f]{12}\.\n$/);
  });

  it('tells machines the same', async () => {
    const { code, out } = await rounds({}, 'plan', write('new.yaml', AFTER), '--against', file, '--json');
    expect(code).toBe(2);
    expect(JSON.parse(out)).toMatchObject({
      diff: { checks: { added: [], changed: ['door'], retired: ['gone'] }, entries: [{ id: 'west' }, { id: 'door' }, { id: 'gone' }] },
      locations: { added: [{ id: 'west' }], retired: [] },
      secrets: [
        { location: 'north', secrets: ['DOOR_KEY'] },
        { location: 'west', secrets: ['DOOR_KEY'] },
      ],
    });
  });

  it('names what is wrong with either, with code 1', async () => {
    const broken = write('broken.yaml', BEFORE.replace('every: 60s', 'every: fast'));
    const problem = './broken.yaml:8:36 checks.door.every: expected a duration such as 30s or 5m, got "fast"\n';
    expect(await rounds({}, 'plan', broken, '--against', file)).toEqual({ code: 1, out: '', err: problem });
    expect(await rounds({}, 'plan', file, '--against', broken)).toEqual({ code: 1, out: '', err: problem });
  });

  it('does not print what may be a secret, nor what a terminal would act upon', async () => {
    const before = BEFORE.replace('title: North', 'title: "No\\e[31mrth"');
    const { out } = await rounds({}, 'plan', file, '--against', write('old.yaml', before));
    expect(out).toContain('title: "No\\u001b[31mrth" → North');
  });
});

describe('with a database', () => {
  let database: TestDatabase;
  let pool: Pool;
  let env: Record<string, string>;

  beforeEach(async () => {
    database = await testDatabase();
    pool = openPool({ url: database.url, name: 'test', max: 2, log: quietLog });
    env = { DATABASE_URL: database.url };
  });
  afterEach(async () => {
    await pool.end();
    await database.drop();
  });

  const sentence = 'The tables in the database are not those of this version: run "rounds migrate" first.\n';

  it('says of a database between two versions that it must be migrated, and starts no worker on it', async () => {
    // Enough of them for a configuration to be in force.
    await migrate(database.url, quietLog, 3);
    expect(await rounds(env, 'plan', file)).toEqual({ code: 1, out: '', err: sentence });
    await expect(start({ env: { ...env, ROUNDS_CONFIG: file }, log: quietLog, options: {} })).rejects.toThrow(sentence.trim());
  });

  it('says that it must be migrated first', async () => {
    expect(await rounds(env, 'plan', file)).toEqual({ code: 1, out: '', err: sentence });
    expect(await rounds(env, 'reload', file)).toEqual({ code: 1, out: '', err: sentence });
  });

  it('a file is all new at first, then in force, then nothing is left to do', async () => {
    await migrateAll(database.url, database.url, quietLog);
    const first = await rounds(env, 'plan', file);
    expect(first).toMatchObject({ code: 2, err: '' });
    expect(first.out).toContain('nothing is in force yet, all of it is new.');
    expect(first.out).toContain('Runs a minute: north 2.\n');
    const applied = await rounds(env, 'reload', file);
    expect(applied).toMatchObject({ code: 0, err: '' });
    expect(applied.out).toMatch(
      /Revision [0-9a-f]{12} is in force\. Nothing runs at present: a worker that starts applies its own file\.\n$/,
    );
    expect(await rounds(env, 'plan', file)).toMatchObject({ code: 0, out: expect.stringContaining('says what is in force') });
    expect(await rounds(env, 'reload', file)).toMatchObject({ code: 0, out: expect.stringContaining('Nothing to do: revision') });
    writeFileSync(file, `# only a comment more\n${BEFORE.replaceAll('60s', '1m')}`);
    expect(await rounds(env, 'reload', file)).toMatchObject({
      code: 0,
      out: expect.stringContaining('Nothing changes but how it is written'),
    });
    const { rows } = await pool.query(`select outcome, reason, subject from audit where verb = 'reload'`);
    expect(rows).toEqual([1, 2].map(() => ({ outcome: 'done', reason: 'applied', subject: 'configuration' })));
  });

  it('a plan tells which open incidents would close, and whose agents have credentials', async () => {
    await migrateAll(database.url, database.url, quietLog);
    await rounds(env, 'reload', file);
    const facts = {
      services: [{ id: 'billing', title: 'Patient billing', class: 'degradation', symptoms: [{ checks: ['gone'] }] }],
      components: [],
      blind: [],
    };
    await pool.query(
      `insert into incident (scope, root, class, peak, channel, facts, config_revision, began_at, opened_at)
       values ('billing', 'service:billing', 'degradation', 'degradation', '#ops', $1, 'x', now(), now())`,
      [JSON.stringify({ tenants: [], offers: [], ...facts })],
    );
    const after = write('new.yaml', AFTER);
    expect((await rounds(env, 'plan', after)).out).toContain('INC-1 (Patient billing) closes: none of its checks is left.\n');
    const [{ name }] = (await pool.query('select current_database() as name')).rows;
    await pool.query(`create role ${name}_agent_west`);
    expect((await rounds(env, 'plan', after)).out).toContain(
      'Location west is new: start its agent, with the credentials that were made for it.\n',
    );
    await pool.query(`drop role ${name}_agent_west`);
  });

  describe('a worker that runs', () => {
    let worker: Started;
    const log = keepingLog();

    beforeEach(async () => {
      await migrateAll(database.url, database.url, quietLog);
      worker = await start({ env: { ...env, ROUNDS_CONFIG: file }, log, options: {} });
      log.lines.length = 0;
    });
    afterEach(() => worker.stop());

    const runs = async () =>
      (
        await pool.query(
          `select config -> 'checks' -> 'door' ->> 'everyMs' as every from config_revision join config_in_force using (revision)`,
        )
      ).rows[0].every;

    it('takes over what rounds reload applies, and the answer says so', async () => {
      const { code, out } = await rounds(env, 'reload', write('new.yaml', AFTER));
      expect(code).toBe(0);
      expect(out).toMatch(
        /Revision [0-9a-f]{12} is in force\. Taken over by 1 worker\.\nWhat was in force before came from \.\/rounds\.yaml\. Workers that start apply their own file/,
      );
      expect(await runs()).toBe('30000');
    });

    it('reads its own file again when it is told, and keeps what is in force when that is broken', async () => {
      writeFileSync(file, AFTER);
      await worker.reload?.();
      expect(await runs()).toBe('30000');
      writeFileSync(file, AFTER.replace('every: 30s', 'every: fast'));
      await worker.reload?.();
      expect(await runs()).toBe('30000');
      expect(await worker.ready(), 'what it runs is sound').toBeUndefined();
      const errors = log.lines.filter(({ level }) => level === 'error').map(({ message }) => message.replaceAll(folder, '.'));
      expect(errors).toEqual([
        './rounds.yaml:8:36 checks.door.every: expected a duration such as 30s or 5m, got "fast"',
        'The file is not applied: the configuration in force stays',
      ]);
      expect(await register.metrics()).toMatch(/rounds_config_last_reload_successful 0\n/);
      writeFileSync(file, AFTER);
      await worker.reload?.();
      expect(await register.metrics()).toMatch(/rounds_config_last_reload_successful 1\n/);
    });
  });

  it('a worker starts with what is in force when its file is broken, and not at all when nothing is', async () => {
    await migrateAll(database.url, database.url, quietLog);
    const broken = write('broken.yaml', 'version: 1\n');
    const begin = (log = keepingLog()) => start({ env: { ...env, ROUNDS_CONFIG: broken }, log, options: {} });
    await expect(begin()).rejects.toThrow(`${broken}:1:1 checks: expected at least one entry; it is missing`);
    await rounds(env, 'reload', file);
    const log = keepingLog();
    const worker = await begin(log);
    expect(await worker.ready()).toBeUndefined();
    expect(log.lines.filter(({ level }) => level === 'error').at(-1)?.message).toMatch(
      /^The file is not applied: going on with the configuration in force, revision/,
    );
    await worker.stop();
  });
});

describe('what a verb is not told', () => {
  it('is the configuration of the environment, of this folder, or of the sample that runs here', () => {
    expect(configFileOf('a.yaml', { ROUNDS_CONFIG: 'b.yaml' })).toBe('a.yaml');
    expect(configFileOf(undefined, { ROUNDS_CONFIG: 'b.yaml' })).toBe('b.yaml');
    expect(existsSync('rounds.yaml')).toBe(false);
    expect(configFileOf(undefined, { ROUNDS_DATA: folder })).toBe('rounds.yaml');
    mkdirSync(join(folder, 'demo'));
    write('demo/rounds.yaml', readFileSync(file, 'utf8'));
    expect(configFileOf(undefined, { ROUNDS_DATA: folder })).toBe(join(folder, 'demo', 'rounds.yaml'));
  });

  it('is the database of the rounds up that runs here, and a sentence where none does', () => {
    expect(databaseUrlOf({ DATABASE_URL: 'postgres://a' })).toBe('postgres://a');
    expect(() => databaseUrlOf({ ROUNDS_DATA: folder })).toThrow('DATABASE_URL is not set, and no "rounds up" runs in this folder');
    writeTable(folder, { up: { pid: 1 }, processes: {}, urls: {}, ports: { postgres: 4632 }, ready: true });
    mkdirSync(join(folder, 'secrets'));
    write('secrets/POSTGRES_PASSWORD', 'word\n');
    expect(databaseUrlOf({ ROUNDS_DATA: folder })).toBe('postgres://postgres:word@127.0.0.1:4632/rounds');
  });
});
