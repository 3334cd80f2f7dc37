/** Vital signs against limits, as postgres, redis and tls judge them. */
import { describe, expect, test } from 'vitest';
import { judgeSign, type Reading, type Sign, worst } from '../../probes/signs.ts';
import postgres from '../../probes/types/postgres.ts';
import redis from '../../probes/types/redis.ts';
import tls from '../../probes/types/tls.ts';
import { limitInWords } from '../../probes/words.ts';

function sign(reading: Reading, below = false): Sign {
  return {
    kind: 'lag',
    option: 'replicationLag',
    reading,
    below,
    show: String,
    words: (value, limit) => `${value} behind, limit ${limit}`,
  };
}

describe('a sign', () => {
  const limits = { degraded: 10, down: 60 };
  test.each([
    [9.9, 'up', undefined],
    [10, 'degraded', '10 behind, limit 10'],
    [59.9, 'degraded', '59.9 behind, limit 10'],
    [60, 'down', '60 behind, limit 60'],
  ])('%d is %s', (value, verdict, message) => {
    const judged = judgeSign(sign({ value }), limits);
    expect([judged.verdict, judged.failure?.message]).toEqual([verdict, message]);
  });

  test.each([
    [1, 'up'],
    [0.9, 'degraded'],
    [0, 'down'],
  ])('of which too little is wrong: %d is %s', (value, verdict) => {
    expect(judgeSign(sign({ value }, true), { degraded: 1, down: 0.5 }).verdict).toBe(verdict);
  });

  test('that cannot be read is a fault where a limit needs it, and nothing otherwise', () => {
    const unread = sign({ unreadable: 'no right' });
    const failure = { kind: 'unreadable', message: 'replicationLag cannot be judged: no right' };
    expect(judgeSign(unread, { degraded: 10 })).toEqual({ verdict: 'fault', failure });
    expect(judgeSign(unread)).toEqual({ verdict: 'up' });
  });
});

test('the worst counts: down before what cannot be read, and that before degraded', () => {
  const [up, degraded, fault, down] = (['up', 'degraded', 'fault', 'down'] as const).map((verdict) => ({ verdict }));
  if (!up || !degraded || !fault || !down) throw new Error('four verdicts');
  expect(worst([up, degraded, fault, down])).toBe(down);
  expect(worst([up, degraded, fault])).toBe(fault);
  expect(worst([up, degraded])).toBe(degraded);
  expect(worst([])).toEqual({ verdict: 'up' });
});

describe('limits in the file', () => {
  const problems = (result: { error?: { issues: { path: PropertyKey[]; message: string }[] } }) =>
    (result.error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
  const ofPostgres = (options: object) => problems(postgres.schema.safeParse({ url: 'postgres://db.example/main', ...options }));
  const ofRedis = (options: object) => problems(redis.schema.safeParse({ url: 'redis://redis.example', ...options }));

  test.each([
    [{ lockWait: { degraded: '2s', down: '5s' }, connections: { down: '95%' } }, []],
    [{ lockWait: { degraded: '5s', down: '5s' } }, ['lockWait.degraded: expected less than for down, so that the warning comes first']],
    [
      { connections: { degraded: '95%', down: '80%' } },
      ['connections.degraded: expected less than for down, so that the warning comes first'],
    ],
    [{ longQuery: {} }, ['longQuery: expected degraded, down or both']],
    [{ longQuery: { degraded: 'long' } }, ['longQuery.degraded: expected a duration such as 30s or 5m']],
    [{ longQuery: { warning: '5m' } }, ['longQuery: Unrecognized key: "warning"']],
  ])('postgres %j', (options, expected) => {
    expect(ofPostgres(options)).toEqual(expected);
  });

  test.each([
    [{ replicas: { degraded: 2, down: 1 }, slowCommands: { down: 5, within: '1m' } }, []],
    [{ replicas: { degraded: 1, down: 2 } }, ['replicas.degraded: expected more than for down, so that the warning comes first']],
    [{ slowCommands: { within: '1m' } }, ['slowCommands: expected degraded, down or both']],
    [{ fragmentation: { above: '1GB' } }, ['fragmentation: expected degraded, down or both']],
  ])('redis %j', (options, expected) => {
    expect(ofRedis(options)).toEqual(expected);
  });

  test('tls', () => {
    const ofTls = (expires: object) => problems(tls.schema.safeParse({ host: 'portal.example', expires }));
    expect(ofTls({ degraded: '21d', down: '7d' })).toEqual([]);
    expect(ofTls({ degraded: '7d', down: '21d' })).toEqual([
      'expires.degraded: expected more than for down, so that the warning comes first',
    ]);
  });
});

test('limits are said as people say them', () => {
  const limitsMs = [0.4, 250, 1500, 15_000, 90_000, 600_000, 5_400_000, 10_800_000, 183_600_000];
  expect(limitsMs.map(limitInWords)).toEqual(['0.4 ms', '250 ms', '1.5 s', '15 s', '90 s', '10 min', '90 min', '3 h', '2 d 3 h']);
});
