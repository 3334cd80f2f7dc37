/** The redis probe of a primary and its replicas: real ones, whose processes are stopped and killed. */
import type { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { redisIsThere, type TestRedis } from '../helpers/redis.ts';
import { admin, afterwards, probe, processOf, server } from '../helpers/redis-probing.ts';

const here = describe.runIf(await redisIsThere('the redis probe of replicas'));

/** A full copy begins at once, and not after a wait for other replicas. */
const AT_ONCE = { 'repl-diskless-sync-delay': '0' };

function replicaOf(primary: TestRedis, settings: Record<string, string> = {}): Promise<TestRedis> {
  return server({ replicaof: `127.0.0.1 ${primary.port}`, ...settings });
}

/** A primary and a replica that follows it. */
async function pairOf(settings: Record<string, string> = {}): Promise<{ primary: TestRedis; replica: TestRedis }> {
  const primary = await server(AT_ONCE);
  const replica = await replicaOf(primary, settings);
  await expect.poll(async () => (await probe({ url: primary.url, replicas: { down: 1 } })).verdict).toBe('up');
  await expect.poll(async () => (await probe({ url: replica.url })).verdict).toBe('up');
  return { primary, replica };
}

/** The process stands still, as on a machine that is overloaded, until the test has ended. */
async function freeze(client: Redis): Promise<void> {
  const pid = await processOf(client);
  process.kill(pid, 'SIGSTOP');
  afterwards(() => process.kill(pid, 'SIGCONT'));
}

here('a replica that follows', () => {
  test('is up, on both sides', async () => {
    const { primary, replica } = await pairOf();
    const ofPrimary = await probe({
      url: primary.url,
      role: 'primary',
      replicas: { degraded: 1 },
      replicationLag: { down: '10s' },
      replicationLagBytes: { down: '1MB' },
      canary: 'rounds',
    });
    expect(ofPrimary).toMatchObject({ verdict: 'up', measurements: { replicas_count: 1 } });
    expect(Object.keys(ofPrimary.measurements ?? {})).toEqual(expect.arrayContaining(['replication_lag_s', 'replication_lag_bytes']));
    const ofReplica = await probe({ url: replica.url, role: 'replica', replicationLag: { down: '1m' } });
    expect(ofReplica.verdict).toBe('up');
    expect(ofReplica.measurements).toHaveProperty('replication_lag_s');
    expect(ofReplica.measurements).not.toHaveProperty('replication_lag_bytes');
  });

  test('is not the primary, and takes no writes', async () => {
    const { primary, replica } = await pairOf();
    const wrong = await probe({ url: replica.url, role: 'primary' });
    expect(wrong).toMatchObject({ verdict: 'down', failure: { kind: 'wrong-role', message: 'it is a replica, expected a primary' } });
    expect((await probe({ url: primary.url, role: 'replica' })).failure?.message).toBe('it is a primary, expected a replica');
    expect(await probe({ url: replica.url, canary: 'rounds' })).toMatchObject({ verdict: 'down', failure: { kind: 'readonly' } });
  });
});

here('replicas that are missing', () => {
  test('are counted', async () => {
    const { primary } = await pairOf();
    const outcome = await probe({ url: primary.url, replicas: { degraded: 2, down: 1 } });
    expect(outcome).toMatchObject({ verdict: 'degraded', failure: { kind: 'too-few-replicas' } });
    expect(outcome.failure?.message).toBe('1 replica is connected, expected at least 2');
  });

  test('leave no lag to be judged: a fault', async () => {
    const { url } = await server();
    for (const option of ['replicationLag', 'replicationLagBytes']) {
      const outcome = await probe({ url, [option]: { down: option === 'replicationLag' ? '10s' : '1MB' } });
      expect(outcome).toMatchObject({
        verdict: 'fault',
        failure: { kind: 'unreadable', message: `${option} cannot be judged: no replica follows` },
      });
    }
  });

  test('are missed by the server itself, which then takes no writes', async () => {
    const { url } = await server({ 'min-replicas-to-write': '1' });
    expect(await probe({ url, canary: 'rounds' })).toMatchObject({ verdict: 'down', failure: { kind: 'too-few-replicas' } });
  });
});

here('a replica that lags', () => {
  test('is seen by its primary, in bytes and in time', async () => {
    const { primary, replica } = await pairOf();
    await freeze(admin(replica));
    await admin(primary).set('patient', 'x'.repeat(200_000));
    const bytes = await probe({ url: primary.url, replicationLagBytes: { degraded: '100KB', down: '1GB' } });
    expect(bytes).toMatchObject({ verdict: 'degraded', failure: { kind: 'replication-lag' } });
    expect(bytes.failure?.message).toMatch(/^a replica is 20\d kB behind, limit 100 kB$/);
    await expect
      .poll(async () => (await probe({ url: primary.url, replicationLag: { down: '3s' } })).failure?.kind, { timeout: 10_000 })
      .toBe('replication-lag');
  });

  test('says itself that it hears nothing', async () => {
    const { primary, replica } = await pairOf();
    await freeze(admin(primary));
    await expect
      .poll(async () => (await probe({ url: replica.url, replicationLag: { down: '2s' } })).failure?.message, { timeout: 10_000 })
      .toMatch(/^the replica has heard nothing of its primary and is .+ behind, limit 2 s$/);
  });
});

here('a replica without its primary', () => {
  test('is down', async () => {
    const { primary, replica } = await pairOf();
    await primary.stop('SIGKILL');
    await expect.poll(async () => (await probe({ url: replica.url })).failure?.kind).toBe('replication-broken');
    // The limit that cannot be read now does not hide what is wrong.
    const outcome = await probe({ url: replica.url, role: 'replica', replicationLag: { degraded: '10s' } });
    expect(outcome).toMatchObject({ verdict: 'down', failure: { kind: 'replication-broken' } });
    expect(outcome.failure?.message).toMatch(/^the replica has had no link to its primary/);
  });

  test('is down, too, when it then answers nothing', async () => {
    const { primary, replica } = await pairOf({ 'replica-serve-stale-data': 'no' });
    await primary.stop('SIGKILL');
    await expect.poll(async () => (await probe({ url: replica.url })).failure?.message).toContain('has lost its primary');
    expect((await probe({ url: replica.url })).failure?.kind).toBe('replication-broken');
  });

  test('is degraded while it fetches all data, and no replica to rely on', async () => {
    const primary = await server({ ...AT_ONCE, 'rdb-key-save-delay': '2000' });
    const pipeline = admin(primary).pipeline();
    for (let key = 0; key < 2000; key++) pipeline.set(`key:${key}`, 'x'.repeat(100));
    await pipeline.exec();
    const replica = await replicaOf(primary);
    const fetching = { verdict: 'degraded', failure: { kind: 'replication-broken' } };
    await expect
      .poll(() => probe({ url: replica.url, replicationLag: { degraded: '10s' } }), { interval: 20, timeout: 10_000 })
      .toMatchObject(fetching);
    expect((await probe({ url: primary.url, replicas: { down: 1 } })).failure?.message).toBe(
      '0 replicas are connected, expected at least 1',
    );
  });
});
