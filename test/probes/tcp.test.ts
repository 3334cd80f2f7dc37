import { createServer, type Server, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { AgentFault } from '../../probes/probe.ts';
import tcp from '../../probes/types/tcp.ts';
import { blackHole, keptServers, listening, probeContext, type TestServer } from '../helpers/probing.ts';

const keep = keptServers();

function serve(talk: (socket: Socket) => void): Promise<TestServer> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => {});
    talk(socket);
  });
  return keep(listening(server));
}

function probe(params: Record<string, unknown>, changes: Parameters<typeof probeContext>[0] = {}) {
  return tcp.run(tcp.schema.parse({ host: '127.0.0.1', ...params }), probeContext(changes));
}

describe('a server that listens', () => {
  test('is up, whatever it says', async () => {
    const server = await keep(blackHole());
    const outcome = await probe({ port: server.port });
    expect(outcome.verdict).toBe('up');
    expect(Object.keys(outcome.measurements ?? {})).toEqual(['connect_ms']);
    await server.drained();
  });

  test('is up by name, with the time that the name took', async () => {
    const server = await keep(blackHole());
    const outcome = await probe({ host: 'localhost', family: 'ipv4', port: server.port });
    expect(outcome.verdict).toBe('up');
    expect(Object.keys(outcome.measurements ?? {}).sort()).toEqual(['connect_ms', 'dns_ms']);
  });

  test.each(['220 mail', '/^220 .*esmtp/i'])('is up when it greets with %s', async (expected) => {
    const server = await serve((socket) => socket.write('220 mail.riverside.example ESMTP\r\n'));
    const outcome = await probe({ port: server.port, expect: expected });
    expect(outcome.verdict).toBe('up');
    expect(outcome.measurements).toHaveProperty('first_byte_ms');
    await server.drained();
  });

  test('is up when its answer comes in pieces that are expected together', async () => {
    const server = await serve((socket) => {
      socket.setNoDelay();
      socket.write('+PO');
      setTimeout(() => socket.write('NG\r\n'), 20);
    });
    expect((await probe({ port: server.port, expect: '+PONG' })).verdict).toBe('up');
  });

  test('is up when it answers what was sent', async () => {
    const server = await serve((socket) => socket.once('data', (said) => socket.end(said.toString() === 'PING\r\n' ? '+PONG' : '-ERR')));
    expect((await probe({ port: server.port, send: 'PING\r\n', expect: '+PONG' })).verdict).toBe('up');
  });

  test('is up on IPv6', async () => {
    const server = createServer((socket) => socket.end('ready'));
    const family = await new Promise<string>((resolve) => {
      server.once('error', () => resolve('none'));
      server.listen(0, '::1', () => resolve('ipv6'));
    });
    const { port } = (server.address() ?? { port: 1 }) as { port: number };
    const outcome = await probe({ host: '::1', family: 'ipv6', port, expect: 'ready' });
    await new Promise((resolve) => server.close(resolve));
    // A machine without IPv6 must say so, and not that all is well.
    if (family === 'ipv6') expect(outcome.verdict).toBe('up');
    else expect(outcome.failure?.kind).toBe('unreachable');
  });
});

describe('an answer that is not the one expected', () => {
  test('is quoted beside what was expected', async () => {
    const server = await serve((socket) => socket.end('421 too busy\r\n'));
    const outcome = await probe({ port: server.port, expect: '220' });
    expect(outcome).toMatchObject({
      verdict: 'down',
      failure: { kind: 'assertion', message: `127.0.0.1:${server.port} answered "421 too busy", expected "220"` },
    });
  });

  test('is told as what it is when the server then waits until the time is up', async () => {
    const server = await serve((socket) => socket.write('421 too busy\r\n'));
    const outcome = await probe({ port: server.port, expect: '/^220/' }, { timeoutMs: 500 });
    expect(outcome.failure).toEqual({
      kind: 'assertion',
      message: `127.0.0.1:${server.port} answered "421 too busy", expected a match of /^220/`,
    });
    await server.drained();
  });

  test('is read no further than the limit', async () => {
    const server = await serve((socket) => {
      const more = () => {
        while (socket.write('x'.repeat(10_000)));
      };
      socket.on('drain', more);
      more();
    });
    const outcome = await probe({ port: server.port, expect: 'never said', readLimit: '1KB' });
    expect(outcome.failure?.kind).toBe('assertion');
    expect(outcome.failure?.message.length).toBeLessThan(200);
    await server.drained();
  });

  test('counts up to the last byte of the limit', async () => {
    const server = await serve((socket) => socket.end(`${'x'.repeat(997)}end and more`));
    expect((await probe({ port: server.port, expect: 'end', readLimit: '1000B' })).verdict).toBe('up');
    expect((await probe({ port: server.port, expect: 'end', readLimit: '999B' })).verdict).toBe('down');
  });

  test.each(['4KB', '35B', '50B'])('hides the secret that it repeats, when %s of it are read', async (readLimit) => {
    const secret = 'correct-horse-battery-staple'.repeat(5);
    const server = await serve((socket) => socket.once('data', (said) => socket.end(`-ERR unknown command ${said.toString()}`)));
    const outcome = await probe({ port: server.port, send: `AUTH ${secret}`, expect: '+OK', readLimit }, { secrets: [secret] });
    expect(outcome.failure?.message).toContain('answered "-ERR unknown command AUTH [hidden]", expected "+OK"');
    expect(JSON.stringify(outcome)).not.toContain('corr');
  });
});

describe('no answer', () => {
  test('nothing listens', async () => {
    const server = await blackHole();
    await server.close();
    const outcome = await probe({ port: server.port });
    expect(outcome).toMatchObject({
      verdict: 'down',
      failure: { kind: 'connection-refused', message: `127.0.0.1:${server.port} refused the connection` },
    });
  });

  test('the server says nothing', async () => {
    const server = await keep(blackHole());
    const outcome = await probe({ port: server.port, expect: 'ready' }, { timeoutMs: 500 });
    expect(outcome.failure).toEqual({ kind: 'timeout', message: 'no answer within 500 ms' });
    expect(outcome.measurements).not.toHaveProperty('first_byte_ms');
    await server.drained();
  });

  test('the server breaks the connection off', async () => {
    const server = await serve((socket) => socket.once('data', () => socket.resetAndDestroy()));
    const outcome = await probe({ port: server.port, send: 'PING', expect: 'PONG' });
    expect(outcome.failure).toEqual({ kind: 'connection-reset', message: `127.0.0.1:${server.port} closed the connection` });
  });

  test('the server closes the connection without a word', async () => {
    const server = await serve((socket) => socket.end());
    const outcome = await probe({ port: server.port, expect: 'ready' });
    expect(outcome.failure).toEqual({ kind: 'connection-reset', message: `127.0.0.1:${server.port} closed the connection without a word` });
  });

  test('the name does not exist', async () => {
    const outcome = await probe({ host: 'no-such-clinic.invalid', port: 80 });
    expect(outcome.failure).toEqual({ kind: 'dns', message: 'no-such-clinic.invalid is not known to DNS' });
  });

  test('the name has no address of the family', async () => {
    const outcome = await probe({ host: 'no-such-clinic.invalid', family: 'ipv6', port: 80 });
    expect(outcome.failure).toEqual({ kind: 'dns', message: 'no-such-clinic.invalid has no IPv6 address in DNS' });
  });

  test('there is no way to the address', async () => {
    // The kernel refuses to route a connection to the whole of a network.
    const outcome = await probe({ host: '255.255.255.255', port: 80 });
    expect(outcome.failure).toEqual({ kind: 'unreachable', message: '255.255.255.255:80 cannot be reached' });
  });
});

test('an expression that backtracks without end is the fault of the check, and does not stop the agent', async () => {
  const server = await serve((socket) => socket.end(`${'a'.repeat(60)}!`));
  const run = probe({ port: server.port, expect: '/^(a+)+$/' });
  await expect(run).rejects.toThrow(AgentFault);
  await expect(run).rejects.toMatchObject({ kind: 'parameters' });
  await server.drained();
});

test('an agent that stops ends the conversation at once, and it is nobody’s failure', async () => {
  const server = await keep(blackHole());
  const stop = new AbortController();
  const stopping = new Error('stopping');
  const run = probe({ port: server.port, expect: 'ready' }, { signal: stop.signal });
  setTimeout(() => stop.abort(stopping), 20);
  await expect(run).rejects.toBe(stopping);
  await server.drained();
});

test('time that was over before the run is a time-out', async () => {
  const over = AbortSignal.abort(new DOMException('the time is up', 'TimeoutError'));
  const outcome = await probe({ port: 9 }, { signal: over, timeoutMs: 1000 });
  expect(outcome.failure).toEqual({ kind: 'timeout', message: 'no connection within 1 s' });
});

describe('options that make no sense', () => {
  const problem = (params: Record<string, unknown>) => {
    const issues = tcp.schema.safeParse({ host: 'db.example.org', port: 5432, ...params }).error?.issues ?? [];
    return issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  };
  test.each([
    [{}, []],
    [{ host: `\${tenant.database}` }, []],
    [{ host: 'https://db.example.org' }, ['host: expected a host name or an address, such as db.example.org or 192.0.2.10']],
    [{ host: 'db.example.org:5432' }, ['host: expected a host name or an address, such as db.example.org or 192.0.2.10']],
    [{ host: '10.0.0.256' }, ['host: expected a host name or an address, such as db.example.org or 192.0.2.10']],
    [{ port: 0 }, ['port: expected a port from 1 to 65535']],
    [{ port: 65_536 }, ['port: expected a port from 1 to 65535']],
    [{ port: '5432' }, ['port: expected a port from 1 to 65535']],
    [{ send: 'PING' }, ['expect: expected what the server must answer, since to send alone proves nothing']],
    [{ expect: '/[/' }, ['expect: expected a regular expression such as /^220 /; unterminated character class']],
    [{ expect: '' }, ['expect: expected a text that is not empty']],
    [{ readLimit: '17KB' }, ['readLimit: expected a size of at most 16KiB']],
    [{ host: '::1', family: 'ipv4' }, ['host: expected a name, or an address of the family that is asked for']],
  ])('%j', (params, expected) => {
    expect(problem(params)).toEqual(expected);
  });
});
