import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openPool, type Pool } from '../../store/db.ts';
import { migrate } from '../../store/migrate.ts';
import { claimNext, enqueue, holdChannel, markSending, markSent, markUnclear, type NewOutboxRow, putBack } from '../../store/outbox.ts';
import { quietLog } from '../helpers/log.ts';
import { type TestDatabase, testDatabase } from '../helpers/postgres.ts';

let database: TestDatabase;
let pool: Pool;
beforeEach(async () => {
  database = await testDatabase();
  await migrate(database.url, quietLog);
  pool = openPool({ url: database.url, name: 'test', max: 8, log: quietLog });
});
afterEach(async () => {
  await pool.end();
  await database.drop();
});

const LEASE = { leaseMs: 60_000, channelGapMs: 0 };

async function add(...rows: (Partial<NewOutboxRow> & { reason: string })[]): Promise<void> {
  await enqueue(
    pool,
    rows.map((row) => ({ kind: 'thread', lane: 'incident/1', channel: '#a', priority: 50, ...row })),
  );
}

async function take(options: Partial<Parameters<typeof claimNext>[1]> = {}) {
  return claimNext(pool, { ...LEASE, ...options });
}

/** Claims and sends until nothing is left; the reasons in their order. */
async function drain(): Promise<string[]> {
  const order: string[] = [];
  for (let claim = await take(); claim; claim = await take()) {
    order.push(claim.reason);
    await markSent(pool, claim, {});
  }
  return order;
}

describe('claiming', () => {
  test('keeps the order of a lane, and takes the most urgent lane first', async () => {
    await add({ reason: 'a1' }, { reason: 'a2' }, { reason: 'b1', lane: 'incident/2', priority: 10 }, { reason: 'a3' });
    expect(await drain()).toEqual(['b1', 'a1', 'a2', 'a3']);
  });

  test('takes nothing of a lane that has a row in flight', async () => {
    await add({ reason: 'a1' }, { reason: 'a2' }, { reason: 'post', kind: 'incident', priority: 20 });
    const first = await take();
    expect(first?.reason).toBe('post');
    expect(await take()).toBeUndefined();
    await markSent(pool, first!, {});
    expect((await take())?.reason).toBe('a1');
  });

  test('the newest post of an incident goes first and supersedes the older ones', async () => {
    await add({ reason: 'p1', kind: 'incident' }, { reason: 't1' }, { reason: 'p2', kind: 'incident' }, { reason: 't2' });
    expect(await drain()).toEqual(['p2', 't1', 't2']);
    const { rows } = await pool.query(`select reason from outbox where state = 'superseded'`);
    expect(rows).toEqual([{ reason: 'p1' }]);
  });

  test('a post of which nothing is known is cleared up before a newer one goes out', async () => {
    await add({ reason: 'p1', kind: 'incident' });
    const first = await take();
    await markSending(pool, first!, 0);
    await markUnclear(pool, first!, { afterRequestMs: 0, delayMs: 0 }, 'lost');
    await add({ reason: 'p2', kind: 'incident' });
    const again = await take();
    expect(again?.reason).toBe('p1');
    expect(again?.sentAgoMs).toBeGreaterThanOrEqual(0);
  });

  test('a picture that is due later holds nobody up; a post that is tried again does', async () => {
    await add({ reason: 'picture', kind: 'incident', delayMs: 60_000 }, { reason: 't1' });
    expect(await drain()).toEqual(['t1']);
    await add({ reason: 'post', kind: 'incident', lane: 'incident/2' }, { reason: 't2', lane: 'incident/2' });
    await putBack(pool, (await take())!, 60_000, 'refused for now');
    expect(await take()).toBeUndefined();
  });

  test('leaves channels alone that are paced, held by Slack, or in hand', async () => {
    await add({ reason: 'a' }, { reason: 'b', lane: 'incident/2' }, { reason: 'c', lane: 'incident/3', channel: '#c' });
    const first = (await take())!;
    await markSending(pool, first, 60_000);
    expect((await take({ channelGapMs: 60_000 }))?.reason).toBe('c');
    expect(await take({ channelsHeld: ['#a'] })).toBeUndefined();
    await holdChannel(pool, '#a', 60_000);
    expect(await take()).toBeUndefined();
  });

  test('gives every row to one of many', async () => {
    await add(...Array.from({ length: 30 }, (_, index) => ({ reason: `r${index}`, lane: `incident/${index}` })));
    const claims = await Promise.all(Array.from({ length: 40 }, () => take()));
    const reasons = claims.flatMap((claim) => claim?.reason ?? []);
    expect(new Set(reasons).size).toBe(30);
    expect(reasons).toHaveLength(30);
  });

  test('puts one row of a lane in flight, whoever asks at the same moment', async () => {
    await add(...Array.from({ length: 10 }, (_, index) => ({ reason: `p${index}`, kind: 'incident' as const })));
    const claims = await Promise.all(Array.from({ length: 8 }, () => take()));
    expect(claims.flatMap((claim) => claim?.reason ?? [])).toEqual(['p9']);
  });
});

describe('the token', () => {
  test('of a lease that ran out writes nothing any more', async () => {
    await add({ reason: 'a' });
    const slow = (await take({ leaseMs: -1 }))!;
    const quick = (await take())!;
    expect(quick.id).toBe(slow.id);
    expect(await markSending(pool, slow, 1_000)).toBe(false);
    expect(await markSent(pool, slow, { ts: '1.1' })).toBe(false);
    expect(await putBack(pool, slow, 0, 'late')).toBe(false);
    expect(await markSent(pool, quick, { ts: '2.2' })).toBe(true);
    expect(await markSent(pool, quick, { ts: '3.3' })).toBe(false);
  });
});
