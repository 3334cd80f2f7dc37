/** The redis probe where it is not let in, and where what answers is no Redis or tells too little. */
import { createServer } from 'node:http';
import { describe, expect, test } from 'vitest';
import { freePort } from '../../cli/ports.ts';
import redisProbe from '../../probes/types/redis.ts';
import { blackHole, listening, probeContext } from '../helpers/probing.ts';
import { redisIsThere } from '../helpers/redis.ts';
import { admin, afterwards, pretender, probe, server } from '../helpers/redis-probing.ts';

const here = describe.runIf(await redisIsThere('logins of the redis probe'));

here('a login that is refused', () => {
  const refused = (outcome: Awaited<ReturnType<typeof probe>>, message: string) => {
    expect(outcome.failure).toMatchObject({ kind: 'authentication', message: expect.stringContaining(message) });
    expect(JSON.stringify(outcome)).not.toContain('guessed');
  };

  test('no password, a wrong one, and one for a server that wants none', async () => {
    const redis = await server();
    refused(await probe({ url: `redis://:guessed@127.0.0.1:${redis.port}` }), 'lets everybody in');
    await admin(redis).acl('SETUSER', 'default', 'resetpass', '>secret');
    refused(await probe({ url: redis.url }), 'wants a user and a password');
    refused(await probe({ url: `redis://:guessed@127.0.0.1:${redis.port}` }), 'refuses the user or the password');
    refused(await probe({ url: `redis://nobody:guessed@127.0.0.1:${redis.port}` }), 'refuses the user or the password');
    expect((await probe({ url: `redis://:secret@127.0.0.1:${redis.port}` })).verdict).toBe('up');
  });

  test('a user without a right is a fault that names the right', async () => {
    const redis = await server();
    const client = admin(redis);
    const url = `redis://watcher:p%40ss%2Fword@127.0.0.1:${redis.port}`;
    const right = async (more: string[], params: Record<string, unknown> = {}) => {
      await client.acl('SETUSER', 'watcher', 'on', '>p@ss/word', ...more);
      const outcome = await probe({ url, ...params });
      return [outcome.verdict, outcome.failure?.kind, outcome.failure?.message.replace(/^\S+ /, '')];
    };
    const lacks = (command: string, rule: string) => ['fault', 'permission', `does not let this user run ${command} (${rule} is missing)`];
    expect(await right([])).toEqual(lacks('PING', '+ping'));
    expect(await right(['+ping'])).toEqual(lacks('INFO', '+info'));
    expect(await right(['+info'], { slowCommands: { degraded: 10 } })).toEqual(lacks('SLOWLOG GET', '+slowlog|get'));
    expect(await right(['+info'], { canary: 'rounds' })).toEqual(lacks('SET', '+set'));
    expect(await right(['+set'], { canary: 'rounds' })).toEqual([
      'fault',
      'permission',
      'does not let this user touch the key of `canary`',
    ]);
    expect(await right(['+get', '+del', '~rounds:*'], { canary: 'rounds' })).toEqual(['up', undefined, undefined]);
  });

  test('a command that was renamed', async () => {
    const redis = await server({ 'rename-command': 'INFO ""' });
    const outcome = await probe({ url: redis.url });
    expect(outcome).toMatchObject({ verdict: 'fault', failure: { kind: 'permission', message: expect.stringContaining('knows no INFO') } });
  });

  test('a database that is not there', async () => {
    const { url } = await server();
    expect((await probe({ url: `${url}/99` })).failure?.kind).toBe('no-database');
  });

  test('a key that its cluster does not serve', async () => {
    const redis = await server({ 'cluster-enabled': 'yes', port: String(await freePort(21_700)) });
    expect((await probe({ url: redis.url, canary: 'rounds' })).failure?.kind).toBe('cluster');
  });
});

describe('what is no Redis, or none that can be understood', () => {
  test('nothing listens, nothing answers, no such name, no way there', async () => {
    const hole = await blackHole();
    const url = `redis://rounds:hidden@127.0.0.1:${hole.port}`;
    expect((await probe({ url }, { timeoutMs: 200 })).failure).toEqual({ kind: 'timeout', message: 'no answer to AUTH within 200 ms' });
    await hole.drained();
    await hole.close();
    expect((await probe({ url })).failure?.kind).toBe('connection-refused');
    expect((await probe({ url: 'redis://nowhere.invalid' })).failure?.kind).toBe('dns');
    // TCP has no way to everybody, on any network.
    expect((await probe({ url: 'redis://255.255.255.255:6379' })).failure?.kind).toBe('unreachable');
  });

  test('something else answers', async () => {
    const web = await listening(createServer((_, response) => response.end('hello')));
    afterwards(web.close);
    const outcome = await probe({ url: `redis://127.0.0.1:${web.port}` });
    expect(outcome.failure).toEqual({ kind: 'protocol', message: `127.0.0.1:${web.port} does not speak the protocol of Redis` });
  });

  test.each(['http://127.0.0.1', 'redis://', 'redis://127.0.0.1/one', 'redis://127.0.0.1/1?family=6', 'redis://rounds:hidden%@127.0.0.1'])(
    'an address that cannot be used is a fault that does not quote it: %s',
    async (url) => {
      // As it comes out of a secret: the configuration has seen a reference only.
      const params = { ...redisProbe.schema.parse({ url: 'redis://127.0.0.1' }), url };
      const running = redisProbe.run(params, probeContext());
      await expect(running).rejects.toMatchObject({ kind: 'parameters', message: expect.not.stringContaining('hidden') });
    },
  );

  test('an error that nobody knows is told by its first word alone', async () => {
    const { url } = await pretender({ PING: '-WHATEVER patient Jane Doe\r\n' });
    const outcome = await probe({ url });
    expect(outcome).toMatchObject({ verdict: 'down', failure: { kind: 'command' } });
    expect(outcome.failure?.message).toMatch(/answered PING with the error WHATEVER$/);
  });

  test('a write that is not there afterwards', async () => {
    const { url } = await pretender({ INFO: bulk('role:master'), GET: '$-1\r\n' });
    expect((await probe({ url, persistence: false, canary: 'rounds' })).failure?.kind).toBe('lost-write');
  });

  test.each([
    [{}, '', 'does not tell its role in INFO'],
    [{}, 'role:master', 'persistence cannot be judged: INFO tells no aof_last_write_status'],
    [{}, 'role:slave', 'the link to the primary cannot be judged: INFO tells no master_link_status'],
    [{ role: 'primary' }, 'role:sentinel', 'role cannot be judged: INFO tells another role'],
    [{ memory: { down: '90%' } }, 'role:master', 'memory cannot be judged: INFO tells no used_memory'],
    [
      { memoryUsed: { down: '1GB' } },
      'role:master\r\nused_memory:much',
      'memoryUsed cannot be judged: INFO tells no number in used_memory',
    ],
    [{ fragmentation: { down: 2 } }, 'role:master\r\nmem_fragmentation_ratio:nan', 'fragmentation cannot be judged: INFO tells no number'],
    [{ evictions: { down: 1 }, window: '100ms' }, 'role:master', 'evictions cannot be judged: INFO tells no evicted_keys'],
    [{ rejections: { down: 1 }, window: '100ms' }, 'role:master', 'rejections cannot be judged: INFO tells no rejected_connections'],
    [{ connections: { down: '90%' } }, 'role:master\r\nconnected_clients:3', 'connections cannot be judged: INFO tells no maxclients'],
    [{ blockedClients: { down: 9 } }, 'role:master', 'blockedClients cannot be judged: INFO tells no blocked_clients'],
    [{ lastSave: { down: '1h' } }, 'role:master\r\nrdb_last_save_time:1', 'lastSave cannot be judged: INFO tells no server_time_usec'],
    [{ replicas: { down: 1 } }, 'role:master', 'replicas cannot be judged: INFO tells nothing of replicas'],
    [
      { replicationLag: { down: '1m' } },
      'role:master\r\nslave0:state=online',
      'replicationLag cannot be judged: INFO tells nothing of replicas',
    ],
    [
      { replicationLag: { down: '1m' } },
      'role:slave\r\nmaster_link_status:up',
      'replicationLag cannot be judged: INFO tells no master_last_io_seconds_ago',
    ],
    [
      { replicationLagBytes: { down: '1MB' } },
      'role:slave\r\nmaster_link_status:up',
      'replicationLagBytes cannot be judged: a replica does not know',
    ],
    [{ slowCommands: { down: 9 } }, 'role:master', 'slowCommands cannot be judged: INFO tells no server_time_usec'],
    [
      { slowCommands: { down: 9 } },
      'role:master\r\nserver_time_usec:1000000',
      'slowCommands cannot be judged: the slow log is not as expected',
    ],
    [{ restartedWithin: '1m' }, 'role:master', 'restartedWithin cannot be judged: INFO tells no uptime_in_seconds'],
  ])('what a limit needs and is not told never passes: %j of %j', async (params, info, message) => {
    const { url } = await pretender({ INFO: bulk(info) });
    const persistence = message.startsWith('persistence');
    const outcome = await probe({ url, persistence, ...params });
    expect(outcome).toMatchObject({ verdict: 'fault', failure: { kind: 'unreadable', message: expect.stringContaining(message) } });
  });
});

function bulk(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
}
