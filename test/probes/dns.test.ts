import { afterEach, describe, expect, test } from 'vitest';
import { parseServer } from '../../probes/dns/query.ts';
import { canonical, RECORD_TYPES, reverseName } from '../../probes/dns/records.ts';
import dns from '../../probes/types/dns.ts';
import { type Datagrams, type DnsServer, datagrams, dnsServer, type Zone } from '../helpers/dns.ts';
import { probeContext } from '../helpers/probing.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function serve(zone: Zone): Promise<DnsServer> {
  const server = await dnsServer(zone);
  open.push(server);
  return server;
}

async function hole(reply?: (question: Buffer) => Buffer | undefined): Promise<Datagrams> {
  const made = await datagrams(0, reply);
  open.push(made);
  return made;
}

function probe(params: Record<string, unknown>, changes: Parameters<typeof probeContext>[0] = {}) {
  return dns.run(dns.schema.parse(params), probeContext(changes));
}

const NAME = 'portal.riverside.example';
const TWO = {
  [NAME]: {
    A: [
      { address: '192.0.2.10', ttl: 300 },
      { address: '192.0.2.11', ttl: 60 },
    ],
  },
} satisfies Zone;

describe('a name that is known', () => {
  test('is up, with the number of its records and their time to live', async () => {
    const server = await serve(TWO);
    const outcome = await probe({ name: NAME, servers: [server.address] });
    expect(outcome).toMatchObject({ verdict: 'up', measurements: { records_count: 2, ttl_s: 60 } });
    expect(outcome.measurements?.dns_ms).toBeGreaterThan(0);
    expect(outcome.failure).toBeUndefined();
  });

  const soa = {
    primary: 'ns1.dns.test',
    admin: 'hostmaster.dns.test',
    serial: 2026010101,
    refresh: 7200,
    retry: 3600,
    expiration: 9,
    minimum: 60,
  };
  test.each([
    ['A', { A: [{ address: '192.0.2.10' }] }, ['192.0.2.10']],
    ['AAAA', { AAAA: [{ address: '2001:db8::10' }] }, ['2001:DB8:0:0::10']],
    ['CAA', { CAA: [{ flags: 0, tag: 'issue', value: 'letsencrypt.org' }] }, ['0 issue "letsencrypt.org"']],
    ['CNAME', { CNAME: [{ domain: 'Ingress.dns.test' }] }, ['ingress.dns.test.']],
    ['MX', { MX: [{ exchange: 'mail.dns.test', priority: 10 }] }, ['10 mail.dns.test']],
    ['NS', { NS: [{ ns: 'ns1.dns.test' }, { ns: 'ns2.dns.test' }] }, ['NS2.dns.test', 'ns1.dns.test']],
    ['SOA', { SOA: [soa] }, ['ns1.dns.test hostmaster.dns.test 2026010101 7200 3600 9 60']],
    ['SRV', { SRV: [{ priority: 10, weight: 5, port: 5060, target: 'sip.dns.test' }] }, ['10 5 5060 sip.dns.test']],
    ['TXT', { TXT: [{ data: ['v=spf1 ', '-all'] }] }, ['v=spf1 -all']],
  ] as [string, Zone[string], string[]][])('%s records are compared', async (type, records, expected) => {
    const server = await serve({ 'riverside.example': records });
    const asked = { name: 'riverside.example', type, servers: [server.address] };
    expect(await probe({ ...asked, expect: { equals: expected } })).toMatchObject({ verdict: 'up' });
    expect(await probe({ ...asked, expect: { contains: expected.slice(0, 1), count: expected.length } })).toMatchObject({ verdict: 'up' });
  });

  test.each(['192.0.2.10', '2001:db8::1'])('the name of %s is looked up in reverse', async (address) => {
    const server = await serve({ [reverseName(address)]: { PTR: [{ domain: 'portal.dns.test' }] } });
    const outcome = await probe({ name: address, type: 'PTR', servers: [server.address], expect: { equals: ['portal.dns.test'] } });
    expect(outcome.verdict).toBe('up');
  });

  test('an answer that is too large for a datagram comes by TCP', async () => {
    const records = Array.from({ length: 30 }, (_, index) => ({ data: [`${index} ${'x'.repeat(100)}`] }));
    const server = await serve({ 'large.example': { TXT: records } });
    const outcome = await probe({ name: 'large.example', type: 'TXT', servers: [server.address], expect: { count: 30 } });
    expect(outcome.verdict).toBe('up');
  });

  test('a datagram that is lost is sent again', async () => {
    let questions = 0;
    const flaky = await hole((question) => (++questions === 1 ? undefined : aRecordFor(question)));
    expect((await probe({ name: NAME, servers: [flaky.address] }, { timeoutMs: 4000 })).verdict).toBe('up');
    expect(flaky.count()).toBeGreaterThan(1);
  });
});

describe('records that are not the ones expected', () => {
  const run = async (zone: Zone, params: Record<string, unknown>, context: Parameters<typeof probeContext>[0] = {}) => {
    const server = await serve(zone);
    const outcome = await probe({ name: NAME, servers: [server.address], ...params }, context);
    expect(outcome.verdict).toBe('down');
    return { kind: outcome.failure?.kind, message: outcome.failure?.message.replace(server.address, 'SERVER') };
  };

  test('are told beside these', async () => {
    expect(await run(TWO, { expect: { equals: ['192.0.2.10'] } })).toEqual({
      kind: 'assertion',
      message: 'SERVER answers "192.0.2.10; 192.0.2.11", expected "192.0.2.10"',
    });
  });

  test('lack one', async () => {
    expect(await run(TWO, { expect: { contains: ['192.0.2.10', '192.0.2.99'] } })).toEqual({
      kind: 'assertion',
      message: 'SERVER answers "192.0.2.10; 192.0.2.11", expected also "192.0.2.99"',
    });
  });

  test.each([
    [1, '1 record'],
    [3, '3 records'],
    [{ min: 3 }, 'at least 3 records'],
    [{ max: 1 }, '1 record'],
    [{ min: 3, max: 4 }, '3 to 4 records'],
  ])('are not %j', async (count, words) => {
    const found = await run(TWO, { expect: { count } });
    expect(found).toEqual({ kind: 'assertion', message: `SERVER answers "192.0.2.10; 192.0.2.11", expected ${words}, not 2` });
  });

  test.each([2, { min: 2 }, { max: 2 }, { min: 2, max: 2 }])('are as many when they are exactly at the limit: %j', async (count) => {
    const server = await serve(TWO);
    expect(await probe({ name: NAME, servers: [server.address], expect: { count } })).toMatchObject({ verdict: 'up' });
  });

  test('are told without a secret that they repeat', async () => {
    const secret = 'correct-horse-battery-staple'.repeat(4);
    const found = await run(
      { [NAME]: { TXT: [{ data: [secret] }] } },
      { type: 'TXT', expect: { equals: ['another'] } },
      { secrets: [secret] },
    );
    expect(found).toEqual({ kind: 'assertion', message: 'SERVER answers "[hidden]", expected "another"' });
  });
});

describe('no answer that is one', () => {
  test.each([
    ['NXDOMAIN', 'nxdomain', `SERVER says that ${NAME} does not exist`],
    ['SERVFAIL', 'servfail', `SERVER failed to look up ${NAME} (SERVFAIL)`],
    ['REFUSED', 'refused', `SERVER refuses to answer for ${NAME} (REFUSED)`],
    ['NOTIMP', 'protocol', 'SERVER answered what cannot be read, or cannot read the question'],
    [{}, 'nodata', `SERVER has no A record of ${NAME}`],
    // c-ares gives an empty list and no error for these two.
    [{ CNAME: [{ domain: 'nowhere.dns.test' }] }, 'nodata', `SERVER has no A record of ${NAME}`],
  ] as [Zone[string], string, string][])('%j is %s', async (answer, kind, message) => {
    const server = await serve({ [NAME]: answer });
    const outcome = await probe({ name: NAME, servers: [server.address] });
    expect(outcome).toMatchObject({ verdict: 'down', failure: { kind, message: message.replace('SERVER', server.address) } });
    expect(outcome.measurements).toEqual({});
  });

  test.each(RECORD_TYPES)('an empty answer for %s never passes', async (type) => {
    const server = await serve({ [NAME]: {} });
    expect(await probe({ name: NAME, type, servers: [server.address] })).toMatchObject({ verdict: 'down', failure: { kind: 'nodata' } });
  });

  test('records of another type never pass', async () => {
    const server = await hole((question) => aRecordFor(question));
    expect(await probe({ name: NAME, type: 'A', servers: [server.address] })).toMatchObject({ verdict: 'up' });
    expect(await probe({ name: NAME, type: 'MX', servers: [server.address] })).toMatchObject({
      verdict: 'down',
      failure: { kind: 'nodata', message: `${server.address} has no MX record of ${NAME}` },
    });
  });

  test('an answer cut short is no DNS', async () => {
    const server = await hole((question) => aRecordFor(question).subarray(0, -3));
    expect((await probe({ name: NAME, servers: [server.address] })).failure?.kind).toBe('protocol');
  });

  test('a server that says nothing', async () => {
    const server = await hole();
    const outcome = await probe({ name: NAME, servers: [server.address] }, { timeoutMs: 1000 });
    expect(outcome.failure).toEqual({ kind: 'timeout', message: `no answer from ${server.address} within 1 s` });
  });

  test('a port where nothing listens', async () => {
    const { address, close } = await datagrams();
    await close();
    const outcome = await probe({ name: NAME, servers: [address] });
    expect(outcome.failure).toEqual({
      kind: 'connection-refused',
      message: `no DNS server listens at ${address}, or it cannot be reached`,
    });
  });

  test('a server whose own name is not known', async () => {
    const outcome = await probe({ name: NAME, servers: ['ns1.no-such-clinic.invalid'] });
    const message = 'the name of the server ns1.no-such-clinic.invalid cannot be resolved';
    expect(outcome).toMatchObject({ verdict: 'down', failure: { kind: 'dns', message } });
  });
});

describe('several servers', () => {
  const good: Zone = { [NAME]: { A: [{ address: '192.0.2.10' }] } };
  const stale: Zone = { [NAME]: { A: [{ address: '192.0.2.99' }] } };

  test('must all answer as expected', async () => {
    const servers = [await serve(good), await serve({})];
    const outcome = await probe({ name: NAME, servers: servers.map(({ address }) => address) });
    expect(outcome).toMatchObject({ verdict: 'down', failure: { kind: 'nxdomain' } });
    expect(outcome.failure?.message).toBe(`1 of 2 servers: ${servers[1]?.address} says that ${NAME} does not exist`);
    expect(outcome.measurements?.records_count).toBe(1);
  });

  test('with any, one is enough, and the other makes it degraded', async () => {
    const [right, wrong] = [await serve(good), await serve(stale)];
    const expected = { need: 'any', expect: { equals: ['192.0.2.10'] } };
    const outcome = await probe({ name: NAME, servers: [wrong.address, right.address], ...expected });
    expect(outcome).toMatchObject({ verdict: 'degraded', failure: { kind: 'assertion' } });
    const none = await probe({ name: NAME, servers: [wrong.address], ...expected });
    expect(none.verdict).toBe('down');
    expect((await probe({ name: NAME, servers: [right.address], ...expected })).verdict).toBe('up');
  });

  test('with same, must agree with each other', async () => {
    const [one, other, third] = [await serve(good), await serve(stale), await serve(good)];
    const outcome = await probe({ name: NAME, servers: [one.address, third.address, other.address], need: 'same' });
    expect(outcome.verdict).toBe('down');
    expect(outcome.failure).toEqual({
      kind: 'disagree',
      message: `${one.address} answers "192.0.2.10", but ${other.address} "192.0.2.99"`,
    });
    expect((await probe({ name: NAME, servers: [one.address, third.address], need: 'same' })).verdict).toBe('up');
    expect((await probe({ name: NAME, servers: [one.address, other.address], need: 'all' })).verdict).toBe('up');
  });

  test('agree whatever the order of their records', async () => {
    const reversed: Zone = { [NAME]: { A: TWO[NAME]?.A.toReversed() ?? [] } };
    const [one, other] = [await serve(TWO), await serve(reversed)];
    expect((await probe({ name: NAME, servers: [one.address, other.address], need: 'same' })).verdict).toBe('up');
  });

  test('that disagree by a serial are told apart by its end', async () => {
    const zone = (serial: number): Zone => ({
      'riverside.example': { SOA: [{ primary: 'ns.test', admin: 'h.test', serial, refresh: 1, retry: 2, expiration: 3, minimum: 4 }] },
    });
    const [one, other] = [await serve(zone(2026010102)), await serve(zone(2026010101))];
    const outcome = await probe({ name: 'riverside.example', type: 'SOA', servers: [one.address, other.address], need: 'same' });
    expect(outcome.failure?.message).toContain('"ns.test h.test …0102, 1, 2, 3, 4", but');
    expect(outcome.failure?.message).toContain('"ns.test h.test …0101, 1, 2, 3, 4"');
  });

  test('that say nothing take no longer together than one', async () => {
    const servers = [await hole(), await hole(), await serve(good)];
    const outcome = await probe({ name: NAME, servers: servers.map(({ address }) => address) }, { timeoutMs: 1000 });
    expect(outcome.failure?.message).toBe(`2 of 3 servers fail, the first: no answer from ${servers[0]?.address} within 1 s`);
  });
});

test('without servers the resolver of the agent is asked', async () => {
  const outcome = await probe({ name: 'no-such-clinic.invalid' }, { timeoutMs: 2000 });
  // By RFC 6761 nobody answers for this name, but whether the machine has a resolver that says so is not ours.
  expect(outcome.verdict).toBe('down');
  expect(outcome.failure?.message).toContain("the agent's own resolver");
});

test('an agent that stops ends the question at once, and it is nobody’s failure', async () => {
  const server = await hole();
  const stop = new AbortController();
  const stopping = new Error('stopping');
  const run = probe({ name: NAME, servers: [server.address] }, { signal: stop.signal });
  setTimeout(() => stop.abort(stopping), 20);
  await expect(run).rejects.toBe(stopping);
});

test('time that was over before the run is a time-out', async () => {
  const over = AbortSignal.abort(new DOMException('the time is up', 'TimeoutError'));
  const outcome = await probe({ name: NAME, servers: ['127.0.0.1:9'] }, { signal: over, timeoutMs: 1000 });
  expect(outcome.failure).toEqual({ kind: 'timeout', message: 'no answer from 127.0.0.1:9 within 1 s' });
});

test.each([
  ['192.0.2.53', { host: '192.0.2.53', port: 53 }],
  ['192.0.2.53:5353', { host: '192.0.2.53', port: 5353 }],
  ['ns1.example.org:53', { host: 'ns1.example.org', port: 53 }],
  ['2001:db8::53', { host: '2001:db8::53', port: 53 }],
  ['[2001:db8::53]:5353', { host: '2001:db8::53', port: 5353 }],
  ['[192.0.2.53]:53', undefined],
  ['192.0.2.53:0', undefined],
  ['192.0.2.53:65536', undefined],
  ['udp://192.0.2.53', undefined],
])('the server %s', (written, expected) => {
  expect(parseServer(written)).toEqual(expected);
});

test('names mean the same in capitals and with their last dot, texts do not', () => {
  expect(canonical('CNAME', 'Portal.Example.ORG.')).toBe('portal.example.org');
  expect(canonical('MX', '0 .')).toBe('0 .');
  expect(canonical('TXT', 'Key=A. ')).toBe('Key=A. ');
  expect(reverseName('2001:db8::1')).toBe('1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa');
});

describe('options that make no sense', () => {
  const problem = (params: Record<string, unknown>) => {
    const issues = dns.schema.safeParse({ name: NAME, ...params }).error?.issues ?? [];
    return issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  };
  const server = 'expected a DNS server such as 192.0.2.53, ns1.example.org or 192.0.2.53:5353';
  test.each([
    [{}, []],
    [{ name: `\${tenant.host}`, servers: [`\${secret:RESOLVER}`], expect: { equals: [`\${tenant.address}`] } }, []],
    [{ name: 'https://portal.example' }, ['name: expected a name such as portal.example.org']],
    [{ name: '192.0.2.10' }, ['name: expected a name such as portal.example.org; an address only has a record of type PTR']],
    [{ servers: [] }, ['servers: expected at least one server; without the key, the resolver of the agent is asked']],
    [{ servers: ['1.1.1.1', '1.1.1.1'] }, ['servers: expected each server once']],
    [{ servers: ['1.1.1.1:dns'] }, [`servers.0: ${server}`]],
    [{ expect: { equals: ['portal.example'] } }, ['expect.equals.0: expected an IPv4 address such as 192.0.2.10']],
    [{ type: 'MX', expect: { contains: ['mail.example'] } }, ['expect.contains.0: expected a record such as 10 mail.example.org']],
    [{ expect: { count: 0 } }, ['expect.count: expected a number of records from 1 to 1000, or a range such as { min: 2 }']],
    [{ expect: { count: { min: 3, max: 2 } } }, ['expect.count: expected min to be at most max']],
  ])('%j', (params, expected) => {
    expect(problem(params)).toEqual(expected);
  });
});

/** An answer with the question and one A record, written by hand. */
function aRecordFor(question: Buffer): Buffer {
  const end = question.indexOf(0, 12) + 5;
  const header = Buffer.from(question.subarray(0, 12));
  header.writeUInt16BE(0x8180, 2);
  header.writeUInt16BE(1, 6);
  header.writeUInt16BE(0, 10);
  return Buffer.concat([header, question.subarray(12, end), Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1])]);
}
