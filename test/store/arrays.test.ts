import { afterAll, beforeAll, expect, it } from 'vitest';
import { jsonArray, numberArray, textArray } from '../../store/arrays.ts';
import { openPool, type Pool } from '../../store/db.ts';
import { quietLog } from '../helpers/log.ts';
import { type TestDatabase, testDatabase } from '../helpers/postgres.ts';

let database: TestDatabase;
let pool: Pool;
beforeAll(async () => {
  database = await testDatabase();
  pool = openPool({ url: database.url, name: 'test', max: 1, log: quietLog });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

const HOSTILE = [
  '',
  ' ',
  'NULL',
  'null',
  'plain',
  'a,b',
  '{a}',
  '"',
  '\\',
  '\\"',
  '\\\\',
  "'",
  'a\nb\tc\r',
  'ä€😀',
  '\\n',
  '}',
  '{}',
  ' x ',
  '\b\u001f',
];

it('hands over every text as it is', async () => {
  const texts = [...HOSTILE, null];
  const { rows } = await pool.query<{ texts: (string | null)[] }>('select $1::text[] as texts', [textArray(texts)]);
  expect(rows[0]?.texts).toEqual(texts);
});

it('hands over every number as it is', async () => {
  const numbers = [0, -1, 0.1, 1e-7, 1e21, 1_790_000_000_123, null];
  const { rows } = await pool.query<{ numbers: (number | null)[] }>('select $1::float8[] as numbers', [numberArray(numbers)]);
  expect(rows[0]?.numbers).toEqual(numbers);
});

it('hands over every value as JSON, and nothing as null', async () => {
  const values = [{ a: [1, null, 'x'] }, [], {}, 0, false, 'text', ...HOSTILE.map((text) => ({ [text]: text })), undefined];
  const { rows } = await pool.query<{ value: unknown; missing: boolean }>(
    'select value, value is null as missing from unnest($1::jsonb[]) with ordinality as one (value, place) order by place',
    [jsonArray(values)],
  );
  expect(rows.map(({ value, missing }) => (missing ? undefined : value))).toEqual(values);
});

it('hands over no values at all', async () => {
  const { rows } = await pool.query('select $1::text[] as a, $2::float8[] as b, $3::jsonb[] as c', [
    textArray([]),
    numberArray([]),
    jsonArray([]),
  ]);
  expect(rows).toEqual([{ a: [], b: [], c: [] }]);
});
