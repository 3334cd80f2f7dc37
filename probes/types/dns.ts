import { isIP } from 'node:net';
import * as z from 'zod';
import { withoutReferences } from '../../core/config/references.ts';
import { text } from '../../core/config/units.ts';
import { TargetTrouble } from '../deadline.ts';
import { judge, type Reply } from '../dns/judge.ts';
import { isServer, OWN_RESOLVER, query, type ServerAnswer } from '../dns/query.ts';
import { canonical, misfit, RECORD_TYPES } from '../dns/records.ts';
import { isHost } from '../net/options.ts';
import { defineProbe, type Outcome, type ProbeContext } from '../probe.ts';
import { hiding } from '../quote.ts';

/** As many as a zone's name servers ever are. */
const MAX_SERVERS = 8;
const SERVER = 'expected a DNS server such as 192.0.2.53, ns1.example.org or 192.0.2.53:5353';
const NAME = 'expected a name such as portal.example.org';

const COUNT = 'expected a number of records from 1 to 1000';
const count = z.int({ error: COUNT }).min(1, { error: COUNT }).max(1000, { error: COUNT });

const schema = z
  .strictObject({
    name: z.string({ error: NAME }).refine(isHost, { error: NAME }).describe('The name to look up; for PTR also an address'),
    type: z.enum(RECORD_TYPES).default('A').describe('The type of record'),
    servers: z
      .array(z.string({ error: SERVER }).refine(isServer, { error: SERVER }))
      .min(1, { error: 'expected at least one server; without the key, the resolver of the agent is asked' })
      .max(MAX_SERVERS, { error: `expected at most ${MAX_SERVERS} servers` })
      .refine((servers) => new Set(servers).size === servers.length, { error: 'expected each server once' })
      .optional()
      .describe('Who is asked, all at once, with port 53 unless said; the resolver of the agent where nobody is named'),
    need: z
      .enum(['all', 'any', 'same'])
      .default('all')
      .describe('How many servers must answer as expected: all, any (the others then make it degraded), or all with the same records'),
    expect: z
      .strictObject({
        equals: z.array(text(1000)).min(1).max(100).optional().describe('Exactly these records, in any order, written as in a zone file'),
        contains: z.array(text(1000)).min(1).max(100).optional().describe('These records, and perhaps others'),
        count: z
          .union([count.transform((one) => ({ min: one, max: one })), z.strictObject({ min: count.optional(), max: count.optional() })], {
            error: `${COUNT}, or a range such as { min: 2 }`,
          })
          .optional()
          .describe('How many records, as a number or as { min: …, max: … }'),
      })
      .default({})
      .describe('What the answer must be; an answer without records never is'),
  })
  .superRefine((params, context) => {
    const report = (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message });
    if (params.type !== 'PTR' && isIP(params.name) !== 0) report(['name'], `${NAME}; an address only has a record of type PTR`);
    for (const key of ['equals', 'contains'] as const) {
      params.expect[key]?.forEach((record, index) => {
        const form = withoutReferences(record, '') === record ? misfit(params.type, record) : undefined;
        if (form !== undefined) report(['expect', key, index], `expected ${form}`);
      });
    }
    const { min = 1, max = Infinity } = params.expect.count ?? {};
    if (min > max) report(['expect', 'count'], 'expected min to be at most max');
  });
type Params = z.infer<typeof schema>;

export default defineProbe({
  type: 'dns',
  summary: 'Looks up a name at one or several DNS servers and compares the records.',
  schema,
  failures: [
    { kind: 'timeout', means: 'a server does not answer in time' },
    { kind: 'connection-refused', means: 'no DNS server listens at the address, or there is no way to it' },
    { kind: 'dns', means: 'the name of a server cannot be resolved' },
    { kind: 'nxdomain', means: 'the name does not exist' },
    { kind: 'nodata', means: 'the name has no record of this type' },
    { kind: 'servfail', means: 'the server failed to look the name up' },
    { kind: 'refused', means: 'the server refuses to answer for the name' },
    { kind: 'protocol', means: 'the answer is not DNS, or the server cannot read the question' },
    { kind: 'assertion', means: 'the records are others than `expect` asks for' },
    { kind: 'disagree', means: 'with `need: same`: two servers answer with different records' },
  ],
  measurements: {
    dns_ms: 'looking up the name: the slowest server that answered',
    records_count: 'records in the answer; of several, the one with the fewest',
    ttl_s: 'the shortest time to live; only of A and AAAA records',
  },
  examples: [
    `portal-name:
  title: The portal's name leads to the ingress
  component: dns
  every: 60s
  locations: [north, cloud]
  dns:
    name: portal.riverside.example
    expect: { equals: [192.0.2.10, 192.0.2.11] }`,
    `name-servers:
  title: The name servers agree about the zone
  component: dns
  every: 5m
  locations: [cloud]
  dns:
    name: riverside.example
    type: SOA
    servers: [ns1.riverside.example, ns2.riverside.example]
    need: same`,
    `mail-exchangers:
  title: Mail finds its way
  component: dns
  every: 5m
  locations: [cloud]
  dns:
    name: riverside.example
    type: MX
    expect: { contains: [10 mail.riverside.example], count: { min: 2 } }`,
  ],
  run,
});

async function run(params: Params, context: ProbeContext): Promise<Outcome> {
  const startedMs = context.monotonic();
  const servers = params.servers ?? [undefined];
  const heard = await Promise.all(servers.map((server) => ask(server, params, context)));
  const replies: Reply[] = heard.map((one, index) => ({ server: servers[index] ?? OWN_RESOLVER, heard: one }));
  const durationMs = context.monotonic() - startedMs;
  return {
    ...judge(
      replies,
      expectation(params),
      params.need,
      hiding(() => context.secrets),
    ),
    durationMs,
    measurements: measured(heard),
  };
}

async function ask(server: string | undefined, params: Params, context: ProbeContext): Promise<ServerAnswer | TargetTrouble> {
  try {
    return await query(server, params, context);
  } catch (error) {
    if (error instanceof TargetTrouble) return error;
    throw error;
  }
}

function expectation({ type, expect }: Params) {
  const read = (records: string[] | undefined) => records?.map((record) => canonical(type, record));
  return { equals: read(expect.equals), contains: read(expect.contains), count: expect.count };
}

function measured(heard: readonly (ServerAnswer | TargetTrouble)[]): Record<string, number> {
  const answers = heard.flatMap((one) => (one instanceof TargetTrouble ? [] : [one]));
  const ttls = answers.flatMap(({ ttlS }) => ttlS ?? []);
  return {
    ...(answers.length === 0
      ? {}
      : {
          dns_ms: Math.max(...answers.map(({ tookMs }) => tookMs)),
          records_count: Math.min(...answers.map(({ records }) => records.length)),
        }),
    ...(ttls.length === 0 ? {} : { ttl_s: Math.min(...ttls) }),
  };
}
