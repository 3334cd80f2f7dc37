import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { testDatabase } from '../helpers/postgres.ts';
import { rounds } from '../helpers/program.ts';

describe('the rounds program', () => {
  it('names every verb, with an example to begin with', async () => {
    const { code, out } = await rounds({}, '--help');
    expect(code).toBe(0);
    for (const verb of [
      'up',
      'agent',
      'worker',
      'bot',
      'desk',
      'clinic',
      'validate',
      'plan',
      'reload',
      'schema',
      'run',
      'report',
      'change',
      'migrate',
    ])
      expect(out).toMatch(new RegExp(`^ {2}${verb} `, 'm'));
    expect(out).toContain('$ rounds up');
  });

  it.each(['up', 'agent', 'worker', 'bot', 'validate', 'plan', 'reload', 'schema', 'run', 'report', 'change', 'migrate'])(
    'shows an example of "%s"',
    async (verb) => {
      const { code, out } = await rounds({}, verb, '--help');
      expect(code).toBe(0);
      expect(out).toMatch(/Examples?:\n {2}\$ /);
    },
  );

  it('names the nearest verb to one that it does not know', async () => {
    const { code, err } = await rounds({}, 'wroker');
    expect(code).toBe(1);
    expect(err).toBe('rounds has no verb "wroker". Did you mean "worker"? Type: rounds worker --help\n');
  });

  it('says what is missing', async () => {
    expect(await rounds({}, 'agent')).toMatchObject({ code: 1, err: expect.stringContaining('--location <id>') });
    expect(await rounds({}, 'validate')).toMatchObject({ code: 1, err: expect.stringContaining("'file'") });
    expect(await rounds({}, 'migrate')).toMatchObject({ code: 1, err: expect.stringContaining('DATABASE_URL is not set') });
  });
});

it('migrates the database and the queue, twice without harm', async () => {
  const database = await testDatabase();
  try {
    for (let time = 0; time < 2; time++)
      expect(await rounds({ DATABASE_URL: database.url }, 'migrate')).toMatchObject({ code: 0, err: '' });
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const { rows } = await client.query(
      "SELECT DISTINCT table_schema FROM information_schema.tables WHERE table_schema IN ('public', 'bullmq')",
    );
    await client.end();
    expect(rows.map(({ table_schema }) => table_schema).sort()).toEqual(['bullmq', 'public']);
  } finally {
    await database.drop();
  }
});
