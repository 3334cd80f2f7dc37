/** The redis probe of real servers: what is wrong with them, and how it is told. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { redisIsThere } from '../helpers/redis.ts';
import { admin, afterwards, probe, server } from '../helpers/redis-probing.ts';

const here = describe.runIf(await redisIsThere('the redis probe'));

here('a server that is well', () => {
  test('is up, with its vital signs', async () => {
    const { url } = await server({ maxmemory: '100mb' });
    const outcome = await probe({
      url,
      role: 'primary',
      memory: { degraded: '80%', down: '95%' },
      fragmentation: { degraded: 1.5 },
      evictions: { degraded: 1 },
      rejections: { degraded: 1 },
      window: '100ms',
      connections: { down: '95%' },
      blockedClients: { degraded: 100 },
      lastSave: { degraded: '1h' },
      latency: { down: '5s' },
      latencyMax: { down: '5s' },
      slowCommands: { degraded: 100 },
      canary: 'rounds',
    });
    expect(outcome).toMatchObject({ verdict: 'up', findings: [], measurements: { evictions_per_s: 0, rejections_per_s: 0, unsaved_s: 0 } });
    const { memory_used_bytes = 0, memory_used_ratio = 0, connections_ratio = 0 } = outcome.measurements ?? {};
    expect(memory_used_bytes).toBeGreaterThan(100_000);
    expect(memory_used_ratio).toBeCloseTo(memory_used_bytes / (100 * 2 ** 20), 3);
    expect(connections_ratio).toBeGreaterThan(0);
    expect(Object.keys(outcome.measurements ?? {})).toEqual(expect.arrayContaining(['login_ms', 'ping_p50_ms', 'ping_max_ms', 'write_ms']));
  });

  test('is left as it was: no key and no connection', async () => {
    const redis = await server();
    const client = admin(redis);
    await probe({ url: redis.url, canary: 'rounds' });
    await expect.poll(async () => (await client.info('clients')).match(/connected_clients:(\d+)/)?.[1]).toBe('1');
    expect(await client.dbsize()).toBe(0);
  });

  test('is not written to unless told so', async () => {
    const redis = await server();
    const client = admin(redis);
    await client.acl('SETUSER', 'watcher', 'on', '>watching', '+ping', '+info');
    expect((await probe({ url: `redis://watcher:watching@127.0.0.1:${redis.port}/0` })).verdict).toBe('up');
  });
});

here('memory', () => {
  test('that is nearly full', async () => {
    const { url } = await server({ maxmemory: '2mb' });
    const outcome = await probe({ url, memory: { degraded: '10%', down: '100%' } });
    expect(outcome).toMatchObject({ verdict: 'degraded', failure: { kind: 'memory' } });
    expect(outcome.failure?.message).toMatch(/^\d+ % of its memory is used, limit 10 %$/);
  });

  test('above a size', async () => {
    const { url } = await server();
    const outcome = await probe({ url, memoryUsed: { degraded: '1KB', down: '100GB' } });
    expect(outcome).toMatchObject({ verdict: 'degraded', failure: { kind: 'memory' } });
    expect(outcome.failure?.message).toMatch(/^\d+ kB of memory are used, limit 1 kB$|^\d.*MB of memory are used, limit 1 kB$/);
  });

  test('without a maxmemory is no part of anything: a fault', async () => {
    const { url } = await server();
    const outcome = await probe({ url, memory: { degraded: '80%' } });
    expect(outcome).toMatchObject({ verdict: 'fault', failure: { kind: 'unreadable' } });
    expect(outcome.failure?.message).toContain('memory cannot be judged: the server has no maxmemory');
    expect(outcome.measurements).not.toHaveProperty('memory_used_ratio');
  });

  test('that is full refuses writes, which is told without a write and with one', async () => {
    const redis = await server({ maxmemory: '2mb', 'maxmemory-policy': 'noeviction' });
    const client = admin(redis);
    const value = 'x'.repeat(10_000);
    await expect(
      (async () => {
        for (let key = 0; ; key++) await client.set(`key:${key}`, value);
      })(),
    ).rejects.toThrow('OOM');
    const told = await probe({ url: redis.url });
    expect(told).toMatchObject({ verdict: 'down', failure: { kind: 'oom' } });
    expect(told.failure?.message).toContain('noeviction');
    const tried = await probe({ url: redis.url, canary: 'rounds' });
    expect(tried).toMatchObject({
      verdict: 'down',
      failure: { kind: 'oom', message: `127.0.0.1:${redis.port} refuses writes: its memory is full` },
    });
  });

  test('from which keys are thrown out', async () => {
    const redis = await server({ maxmemory: '2mb', 'maxmemory-policy': 'allkeys-lru' });
    const client = admin(redis);
    const value = 'x'.repeat(10_000);
    let probing = true;
    const writing = (async () => {
      for (let key = 0; probing; key++) await client.set(`key:${key}`, value);
    })();
    await expect.poll(async () => /evicted_keys:[1-9]/.test(await client.info('stats'))).toBe(true);
    const outcome = await probe({ url: redis.url, evictions: { degraded: 1, down: 1_000_000 }, window: '300ms' });
    const unasked = await probe({ url: redis.url });
    probing = false;
    await writing;
    expect(outcome).toMatchObject({ verdict: 'degraded', failure: { kind: 'evictions' } });
    expect(outcome.failure?.message).toMatch(/^its memory is full: [\d.]+ keys are thrown out each second, limit 1$/);
    expect(unasked.verdict).toBe('up');
    expect(unasked.measurements?.evicted_keys_count).toBeGreaterThan(0);
    // Nothing is thrown out now, whatever the counter has come to.
    expect((await probe({ url: redis.url, evictions: { degraded: 1 }, window: '100ms' })).verdict).toBe('up');
  });

  test('that is lost between the data, where it is worth a word', async () => {
    const { url } = await server();
    const outcome = await probe({ url, fragmentation: { degraded: 1.1, above: '1KB' } });
    expect(outcome).toMatchObject({ verdict: 'degraded', failure: { kind: 'fragmentation' } });
    expect((await probe({ url, fragmentation: { degraded: 1.1 } })).verdict).toBe('up');
  });
});

here('connections', () => {
  test('that take every connection', async () => {
    const redis = await server({ maxclients: '2' });
    for (const client of [admin(redis), admin(redis)]) await client.ping();
    const outcome = await probe({ url: redis.url });
    expect(outcome.failure).toEqual({ kind: 'connections', message: `127.0.0.1:${redis.port} has no connection left` });
  });

  test('that take many of them', async () => {
    const redis = await server({ maxclients: '4' });
    await admin(redis).ping();
    const outcome = await probe({ url: redis.url, connections: { degraded: '50%', down: '100%' } });
    expect(outcome).toMatchObject({
      verdict: 'degraded',
      failure: { kind: 'connections', message: '50 % of its connections are taken, limit 50 %' },
    });
  });

  test('that are turned away', async () => {
    const redis = await server({ maxclients: '2' });
    const client = admin(redis);
    await client.ping();
    const probing = probe({ url: redis.url, rejections: { degraded: 0.1, down: 1_000_000 }, window: '1s' });
    await expect.poll(async () => /connected_clients:2/.test(await client.info('clients'))).toBe(true);
    let ended = false;
    void probing.then(() => {
      ended = true;
    });
    while (!ended) await expect(admin(redis).ping()).rejects.toThrow();
    expect(await probing).toMatchObject({ verdict: 'degraded', failure: { kind: 'rejections' } });
  });

  test('that wait', async () => {
    const redis = await server();
    admin(redis)
      .blpop('nothing', 0)
      .catch(() => {});
    await expect.poll(async () => (await probe({ url: redis.url, blockedClients: { degraded: 1 } })).failure?.kind).toBe('blocked-clients');
    expect((await probe({ url: redis.url, blockedClients: { degraded: 2 } })).verdict).toBe('up');
  });
});

here('what is on disk', () => {
  /** The folder is gone, so a snapshot fails, whoever we are. */
  async function failedSnapshot(settings: Record<string, string>) {
    const redis = await server({ appendonly: 'no', save: '3600 1', ...settings });
    const client = admin(redis);
    await client.set('patient', '1');
    rmSync(join(redis.folder, 'data'), { recursive: true });
    await client.bgsave();
    await expect.poll(async () => /rdb_last_bgsave_status:err/.test(await client.info('persistence'))).toBe(true);
    return redis;
  }

  test('a failed snapshot, for which writes are refused', async () => {
    const { url, port } = await failedSnapshot({});
    const outcome = await probe({ url });
    expect(outcome).toMatchObject({
      verdict: 'down',
      failure: { kind: 'misconf', message: `127.0.0.1:${port} refuses writes: it could not store its last snapshot` },
    });
  });

  test('a failed snapshot, for which they are not', async () => {
    const { url } = await failedSnapshot({ 'stop-writes-on-bgsave-error': 'no' });
    const outcome = await probe({ url });
    expect(outcome).toMatchObject({
      verdict: 'degraded',
      failure: { kind: 'persistence', message: 'the last snapshot could not be stored' },
    });
    expect((await probe({ url, persistence: false })).verdict).toBe('up');
  });

  const canBeFull = existsSync('/dev/full');
  if (!canBeFull) process.stderr.write('Skipped: an append-only file on a disk that is full. There is no /dev/full here: Linux has it.\n');
  test.runIf(canBeFull)('an append-only file on a disk that is full (Linux: /dev/full)', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'rounds-redis-full-'));
    afterwards(() => rmSync(dir, { recursive: true }));
    mkdirSync(join(dir, 'appendonlydir'));
    for (const at of ['appendonlydir/appendonly.aof.1.incr.aof', 'appendonly.aof']) symlinkSync('/dev/full', join(dir, at));
    const redis = await server({ dir });
    await admin(redis).set('patient', '1');
    await expect.poll(async () => (await probe({ url: redis.url })).failure?.kind).toBe('misconf');
    expect((await probe({ url: redis.url })).failure?.message).toContain('it cannot write its append-only file');
  });

  test('a snapshot that is old, when it lacks changes', async () => {
    const redis = await server({ appendonly: 'no', save: '3600 1000' });
    expect((await probe({ url: redis.url, lastSave: { degraded: '1ms' } })).verdict).toBe('up');
    await admin(redis).set('patient', '1');
    const outcome = await probe({ url: redis.url, lastSave: { degraded: '1ms', down: '1h' } });
    expect(outcome).toMatchObject({ verdict: 'degraded', failure: { kind: 'persistence' } });
    expect(outcome.failure?.message).toMatch(/^the last snapshot is .+ old and lacks changes, limit 1 ms$/);
  });

  test('data that is being loaded', async () => {
    const slowly = { 'key-load-delay': '1000', 'loading-process-events-interval-bytes': '1024' };
    const redis = await server({ appendonly: 'no', save: '3600 100000', ...slowly });
    const client = admin(redis);
    const pipeline = client.pipeline();
    for (let key = 0; key < 2000; key++) pipeline.set(`key:${key}`, 'x'.repeat(500));
    await pipeline.exec();
    await client.save();
    await redis.stop('SIGKILL');
    const starting = redis.start();
    await expect.poll(async () => (await probe({ url: redis.url })).failure?.kind, { interval: 20, timeout: 10_000 }).toBe('not-accepting');
    await starting;
  });

  test('a restart', async () => {
    const redis = await server();
    const outcome = await probe({ url: redis.url, restartedWithin: '10m' });
    expect(outcome).toMatchObject({
      verdict: 'degraded',
      failure: { kind: 'restarted', message: expect.stringMatching(/^it was started .+ s ago, limit 10 min$/) },
    });
  });
});

here('a server that is slow', () => {
  test('answers a PING late', async () => {
    const redis = await server();
    await admin(redis).call('CLIENT', 'PAUSE', '300', 'ALL');
    const outcome = await probe({ url: redis.url, latencyMax: { down: '1ms' } });
    expect(outcome).toMatchObject({ verdict: 'down', failure: { kind: 'latency' } });
    expect(outcome.failure?.message).toMatch(/^a PING took .+, limit 1 ms$/);
  });

  test('has slow commands in its log, told by name and without what they were about', async () => {
    const redis = await server();
    const client = admin(redis);
    await client.config('SET', 'slowlog-log-slower-than', '0');
    await client.set('patient', 'Jane Doe');
    await client.config('SET', 'slowlog-log-slower-than', '-1');
    const outcome = await probe({ url: redis.url, slowCommands: { degraded: 1, within: '1h' } });
    expect(outcome).toMatchObject({ verdict: 'degraded', failure: { kind: 'slow-commands' } });
    expect(outcome.findings?.[0]?.text).toMatch(/^the slowest command was [A-Z]+, \d+ ms$/);
    expect(JSON.stringify(outcome)).not.toContain('Jane Doe');
  });

  test('answers nobody while a script runs', async () => {
    const redis = await server({ 'lua-time-limit': '20' });
    const other = admin(redis);
    // Before the script: a server that is busy lets no client begin.
    await other.ping();
    const script = admin(redis)
      .eval('while true do end', 0)
      .catch(() => {});
    await expect.poll(async () => (await probe({ url: redis.url })).failure?.kind).toBe('busy');
    await other.script('KILL');
    await script;
  });

  test('answers nothing in time', async () => {
    const redis = await server();
    await admin(redis).call('CLIENT', 'PAUSE', '60000', 'ALL');
    const outcome = await probe({ url: redis.url }, { timeoutMs: 300 });
    expect(outcome.failure).toEqual({ kind: 'timeout', message: 'no answer to PING within 300 ms' });
  });

  test('is killed in the middle', async () => {
    const redis = await server();
    const client = admin(redis);
    const probing = probe({ url: redis.url, evictions: { degraded: 1 }, window: '9s' });
    await expect.poll(async () => /connected_clients:2/.test(await client.info('clients'))).toBe(true);
    await redis.stop('SIGKILL');
    expect((await probing).failure).toEqual({ kind: 'connection-reset', message: `127.0.0.1:${redis.port} closed the connection` });
  });

  test('is not waited for longer than its time', async () => {
    const redis = await server();
    const probing = probe({ url: redis.url, evictions: { degraded: 1 }, window: '9s' }, { timeoutMs: 5_000 });
    await expect(probing).rejects.toMatchObject({ kind: 'parameters', message: expect.stringContaining('The window of 9 s does not fit') });
  });
});
