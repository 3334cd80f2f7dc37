import * as z from 'zod';
import { durationMs, percentRatio, sizeBytes, text, urlOrSecret } from '../../core/config/units.ts';
import { attempt } from '../attempt.ts';
import { AgentFault, defineProbe, type Outcome, type ProbeContext } from '../probe.ts';
import { writeAndRead } from '../redis/canary.ts';
import { judge } from '../redis/judge.ts';
import { MEASUREMENTS, measurementsOf } from '../redis/measurements.ts';
import { openSession, type Session } from '../redis/session.ts';
import { readVitals, SLOW_LOG_ENTRIES, type Vitals } from '../redis/vitals.ts';
import { limits, limitsWith } from '../signs.ts';
import { ca, tls } from '../tls/options.ts';
import { limitInWords } from '../words.ts';

const limited = <T extends z.ZodType<number>>(value: T) => limits(value).optional();
const perSecond = () =>
  z.number({ error: 'expected a number of times a second, such as 10' }).positive({ error: 'expected a number above 0' });
const count = (most: number) => {
  const expected = `expected a whole number from 1 to ${most}`;
  return z.int({ error: expected }).min(1, { error: expected }).max(most, { error: expected });
};
const ratio = () => z.number({ error: 'expected a ratio such as 1.5' }).gt(1, { error: 'expected a ratio above 1, such as 1.5' });

const schema = z.strictObject({
  url: urlOrSecret(['redis', 'rediss']).describe(
    'The address, with user and password; the user needs `+ping +info`, and what the options below name',
  ),
  ca: ca(),
  tls: tls(),
  role: z.enum(['primary', 'replica']).optional().describe('The role that the server must have'),
  memory: limited(percentRatio()).describe('Memory used, of `maxmemory`'),
  memoryUsed: limited(sizeBytes()).describe('Memory used'),
  fragmentation: limitsWith(ratio(), {
    above: sizeBytes().default(100_000_000).describe('Only where more than this is lost; 100MB unless said'),
  })
    .optional()
    .describe('Memory taken from the system, of memory used, such as 1.5'),
  evictions: limited(perSecond()).describe('Keys a second that are thrown out for want of memory'),
  rejections: limited(perSecond()).describe('Connections a second that are turned away'),
  window: durationMs({ min: '100ms', max: '10s' })
    .default(1000)
    .describe('For `evictions` and `rejections`: how long they are counted; 1s unless said. The attempt takes that much longer'),
  connections: limited(percentRatio()).describe('Connections taken, of `maxclients`'),
  blockedClients: limited(count(1_000_000)).describe('Clients that wait in a blocking command'),
  persistence: z.boolean().default(true).describe('Whether a failed write to disk counts as degraded'),
  lastSave: limited(durationMs()).describe('Age of the last snapshot, when it lacks changes'),
  replicas: limits(count(1000), 'fewer').optional().describe('Replicas that follow'),
  replicationLag: limited(durationMs()).describe(
    'How far the slowest replica is behind; asked of a replica, since it heard of its primary',
  ),
  replicationLagBytes: limited(sizeBytes()).describe('The same in bytes; asked of a primary'),
  latency: limited(durationMs()).describe('How long a PING takes, the median of five'),
  latencyMax: limited(durationMs()).describe('How long the slowest of the five takes'),
  slowCommands: limitsWith(count(SLOW_LOG_ENTRIES), { within: durationMs().default(300_000).describe('How far back; 5m unless said') })
    .optional()
    .describe('Commands that entered the slow log lately; needs `+slowlog|get`'),
  restartedWithin: durationMs().optional().describe('A server that was started within this time is degraded'),
  canary: text(200)
    .optional()
    .describe(
      'Write, read back and remove a key that begins with this, such as `rounds`; needs `+set +get +del` and `~rounds:*`. Unless said, nothing is written',
    ),
});
type Params = z.infer<typeof schema>;

export default defineProbe({
  type: 'redis',
  summary: 'Logs in to a Redis (6.2 or newer), pings it, takes its vital signs, and writes a key when told to.',
  schema,
  failures: [
    { kind: 'timeout', means: 'no connection or no answer in time' },
    { kind: 'connection-refused', means: 'nothing listens at the address' },
    { kind: 'connection-reset', means: 'the server closed the connection' },
    { kind: 'unreachable', means: 'there is no route to the host' },
    { kind: 'dns', means: 'the name cannot be resolved' },
    { kind: 'tls', means: 'the handshake failed, or a certificate is not accepted' },
    { kind: 'protocol', means: 'what answers is no Redis' },
    { kind: 'authentication', means: 'user or password is missing or refused' },
    { kind: 'no-database', means: 'the server has no database of that number' },
    { kind: 'permission', means: 'the user may not run a command that is needed, which the message names: a fault of the monitoring' },
    { kind: 'not-accepting', means: 'the server is starting up: it is loading its data' },
    { kind: 'busy', means: 'a script runs for too long, and nobody else is answered' },
    { kind: 'connections', means: 'no connection is left, or more are taken than `connections` allows' },
    { kind: 'rejections', means: 'more connections are turned away than `rejections` allows' },
    { kind: 'blocked-clients', means: 'more clients wait in a blocking command than `blockedClients` allows' },
    { kind: 'misconf', means: 'writes are refused because nothing can be stored on disk' },
    { kind: 'oom', means: 'writes are refused because the memory is full' },
    { kind: 'readonly', means: 'the `canary` cannot be written: the server is a replica' },
    { kind: 'cluster', means: 'the `canary` cannot be written: its cluster is not complete, or the key is of another node' },
    { kind: 'lost-write', means: 'what was read back is not the `canary` that was written' },
    { kind: 'memory', means: 'more memory is used than `memory` or `memoryUsed` allows' },
    { kind: 'evictions', means: 'more keys are thrown out than `evictions` allows' },
    { kind: 'fragmentation', means: 'more memory is lost between the data than `fragmentation` allows' },
    { kind: 'persistence', means: 'a snapshot or the append-only file could not be written, or the snapshot is older than `lastSave`' },
    { kind: 'wrong-role', means: 'the server is not what `role` says' },
    { kind: 'replication-broken', means: 'a replica has no link to its primary (down), or fetches all data anew (degraded)' },
    { kind: 'replication-lag', means: 'a replica is further behind than `replicationLag` or `replicationLagBytes` allows' },
    {
      kind: 'too-few-replicas',
      means: 'fewer replicas follow than `replicas` asks for, or than the server itself wants before it takes a write',
    },
    { kind: 'latency', means: 'a PING takes longer than `latency` or `latencyMax` allows' },
    { kind: 'slow-commands', means: 'more commands entered the slow log than `slowCommands` allows; the finding names the slowest' },
    { kind: 'restarted', means: 'the server was started within `restartedWithin`' },
    { kind: 'command', means: 'a command failed for another reason' },
    { kind: 'unreadable', means: 'a limit is set, but its value cannot be read: a fault of the monitoring' },
  ],
  measurements: MEASUREMENTS,
  examples: [
    `redis-sessions:
  component: redis-sessions
  every: 30s
  locations: [north]
  redis:
    url: \${secret:REDIS_SESSIONS_URL}
    role: primary
    memory: { degraded: 80%, down: 95% }
    evictions: { degraded: 1 }
    replicas: { degraded: 2, down: 1 }
    replicationLag: { degraded: 5s, down: 60s }
    canary: rounds`,
    `redis-queues-replica:
  component: redis-queues
  every: 60s
  locations: [north]
  redis:
    url: rediss://rounds:\${secret:REDIS_PASSWORD}@replica.redis.example:6380
    ca: \${secret:REDIS_CA}
    role: replica
    connections: { degraded: 80%, down: 95% }
    latency: { degraded: 20ms, down: 500ms }
    slowCommands: { degraded: 20, within: 10m }`,
  ],
  run,
});

function run(params: Params, context: ProbeContext): Promise<Outcome> {
  return attempt(context, async (measurements) => {
    const vitals = await examine(params, context, measurements);
    const findings = vitals.slowest ? [vitals.slowest] : [];
    return { ...judge(vitals, params), durationMs: felt(measurements), findings };
  });
}

/** What a user of the server would feel, not our reading of its signs. */
function felt({ login_ms = 0, ping_p50_ms = 0, write_ms = 0 }: Record<string, number>): number {
  return login_ms + ping_p50_ms + write_ms;
}

async function examine(params: Params, context: ProbeContext, measurements: Record<string, number>): Promise<Vitals> {
  const windowMs = windowOf(params, context);
  const startedMs = context.monotonic();
  const session = await openSession({
    url: params.url,
    tls: { ...params.tls, ca: params.ca },
    signal: context.signal,
    timeoutMs: context.timeoutMs,
  });
  try {
    measurements.login_ms = context.monotonic() - startedMs;
    const slowLogMs = params.slowCommands?.within ?? 0;
    const vitals = await readVitals(session, { windowMs, slowLogMs, monotonic: context.monotonic });
    Object.assign(measurements, measurementsOf(vitals));
    if (params.canary !== undefined) measurements.write_ms = await write(session, params.canary, context);
    return vitals;
  } finally {
    session.close();
  }
}

/** Nothing is counted, and no time spent on it, unless a limit asks for it. */
function windowOf({ evictions, rejections, window }: Params, { timeoutMs }: ProbeContext): number {
  if (!evictions && !rejections) return 0;
  if (window < timeoutMs) return window;
  throw new AgentFault('parameters', `The window of ${limitInWords(window)} does not fit into the time-out of ${limitInWords(timeoutMs)}.`);
}

/** The attempt names the key, so that two locations do not read each other's. */
async function write(session: Session, prefix: string, { traceparent, monotonic }: ProbeContext): Promise<number> {
  const startedMs = monotonic();
  await writeAndRead(session, prefix, traceparent);
  return monotonic() - startedMs;
}
