/** Runs as they would be there after some days, written by PostgreSQL itself: what a usual HTTP check from three locations leaves. */
import pg from 'pg';
import type { Config } from '../../core/config/model.ts';
import { EMPTY_STATE, foldResult } from '../../core/evaluate.ts';
import { slotsBetween } from '../../core/run.ts';
import { numberArray } from '../../store/arrays.ts';
import { lockStates, writeStates } from '../../store/check.ts';
import type { Pool } from '../../store/db.ts';
import { keysOf, shapeText } from '../../store/keys.ts';
import { partitionsFor } from '../../store/partitions.ts';
import { LOCATIONS } from './load.ts';
import type { Database } from './postgres.ts';

const MEASURED = ['dns_ms', 'connect_ms', 'tls_ms', 'first_byte_ms', 'download_ms', 'body_bytes'];
const HOUR_MS = 3_600_000;

/** Numbers as long as an agent's, the same for each row of a slot and no other. */
const NUMBERS = `concat_ws(' ', round((random() * 2)::numeric, 3), round((random() * 20)::numeric, 3), round((random() * 40)::numeric, 3),
  round((random() * 150)::numeric, 3), round((random() * 5)::numeric, 3), 3)`;

/** Writes every run of the checks of the configuration from `fromMs` to `untilMs`, in the order in which they would have come. Returns how many. */
export async function generateRuns(
  { pool, url }: Pick<Database, 'pool' | 'url'>,
  config: Config,
  { fromMs, untilMs, onHour }: { fromMs: number; untilMs: number; onHour?: (runs: number) => void },
): Promise<number> {
  const keys = keysOf(pool);
  const checks = Object.values(config.checks);
  const checkKeys = await keys.made(
    'check',
    checks.map(({ id }) => id),
  );
  const locationKeys = await keys.made('location', [...LOCATIONS]);
  const revisionKey = (await keys.made('revision', [config.revision])).get(config.revision);
  const shape = shapeText({ measurements: MEASURED, steps: [] });
  const shapeKey = (await keys.shapes([shape])).get(shape);
  await partitionsFor(pool, fromMs, untilMs);
  // An hour of many checks takes longer than a statement of Rounds may.
  const client = new pg.Client({ connectionString: url, application_name: 'generate' });
  await client.connect();
  await client.query('set synchronous_commit = off');
  try {
    let runs = 0;
    for (let hourMs = fromMs; hourMs < untilMs; hourMs += HOUR_MS) {
      const first = checks.map((check) => slotsBetween(check, hourMs - 1, hourMs + check.everyMs - 1)[0] ?? hourMs);
      const { rowCount } = await client.query(
        `insert into run (slot, received_at, check_key, revision_key, state, verdict, duration_ms, start_lateness_ms, shape_key, location_key, numbers)
             select to_timestamp((first_ms + round * every_ms) / 1000), to_timestamp((first_ms + round * every_ms) / 1000) + interval '1.2 s', check_key, $4,
               'run', case when random() < 0.001 then 'down' else 'up' end::verdict, 20 + random() * 200, random() * 20, $5, location_key, ${NUMBERS}
             from unnest($1::int[], $2::float8[], $3::float8[]) as one (check_key, first_ms, every_ms)
             cross join lateral generate_series(0, floor(($7::float8 - 1 - first_ms) / every_ms)::int) as round cross join unnest($6::int[]) as location_key
             order by 1`,
        [
          numberArray(checks.map(({ id }) => checkKeys.get(id) ?? 0)),
          numberArray(first),
          numberArray(checks.map(({ everyMs }) => everyMs)),
          revisionKey,
          shapeKey,
          numberArray([...locationKeys.values()]),
          Math.min(untilMs, hourMs + HOUR_MS),
        ],
      );
      runs += rowCount ?? 0;
      onHour?.(runs);
    }
    return runs;
  } finally {
    await client.end();
  }
}

/** Writes the states in which these runs would have left the checks at that time. */
export async function generateStates(pool: Pool, config: Config, atMs: number): Promise<void> {
  const checks = Object.values(config.checks);
  await lockStates(pool, checks, config.revision);
  const changes = checks.map((check) => {
    const slotMs = slotsBetween(check, atMs - check.everyMs, atMs)[0] ?? atMs;
    const state = LOCATIONS.reduce(
      (before, location) =>
        foldResult(check, before, {
          run: `${check.id}@${location}@${slotMs}@scheduled@0`,
          location,
          plannedAtMs: slotMs,
          verdict: 'up',
          durationMs: 123.456,
          findings: [],
        }),
      EMPTY_STATE,
    );
    return {
      check: check.id,
      scope: check.scope,
      state: { ...state, held: 'up' as const, moment: 'up' as const },
      staleAtMs: slotMs + 120_000,
    };
  });
  await writeStates(pool, changes, config.revision);
}
