import * as z from 'zod';
import { durationMs, text, urlOrSecret } from '../../core/config/units.ts';
import { type Loads, MOST_LOADS } from '../../core/result.ts';
import { attempt } from '../attempt.ts';
import { type Backlog, readBacklog } from '../bullmq/backlog.ts';
import { findQueues } from '../bullmq/find.ts';
import { isName, judge } from '../bullmq/judge.ts';
import { TargetTrouble } from '../deadline.ts';
import { defineProbe, type Outcome, type ProbeContext } from '../probe.ts';
import { openSession, type Session } from '../redis/session.ts';
import { limits, limitsWith } from '../signs.ts';
import { ca, tls } from '../tls/options.ts';

const HOUR_MS = 3_600_000;

const EXPECTED_COUNT = 'expected a whole number of jobs, from 1 to 100000000';
const jobs = () => z.int({ error: EXPECTED_COUNT }).min(1, { error: EXPECTED_COUNT }).max(100_000_000, { error: EXPECTED_COUNT });
const EXPECTED_QUEUE = 'expected the name of a queue, which may end in * and holds no colon';
const queueName = z
  .string({ error: EXPECTED_QUEUE })
  .regex(/^[^:*\s]{0,199}(?:[^:*\s]|\*)$/, { error: EXPECTED_QUEUE })
  .meta({ patternErrorMessage: EXPECTED_QUEUE });

const schema = z.strictObject({
  url: urlOrSecret(['redis', 'rediss']).describe(
    'The address, with user and password; the user needs `+time +exists +llen +lindex +zcard +zcount +zrange +hexists +hmget`, `+scan` for names that end in `*`, and `%R~bull:*`',
  ),
  ca: ca(),
  tls: tls(),
  prefix: text(100).default('bull').describe('What the keys of BullMQ begin with, as it was told itself'),
  queues: z
    .array(queueName)
    .min(1, { error: 'expected at least one queue' })
    .max(50, { error: 'expected at most 50 names' })
    .describe(
      'The queues by their names; a name that ends in `*` stands for all that begin so, which is looked for among all keys of the database. Each queue is judged by itself, and the worst is told',
    ),
  waiting: limits(jobs()).optional().describe('Jobs that wait, also those of a queue that is paused'),
  oldest: limits(durationMs()).optional().describe('How long the oldest job could have been taken and was not'),
  delayed: limits(jobs()).optional().describe('Jobs that are put off'),
  active: limits(jobs()).optional().describe('Jobs that are being worked on'),
  failed: limitsWith(jobs(), { within: durationMs().default(HOUR_MS).describe('How far back; 1h unless said') })
    .optional()
    .describe('Jobs that have failed for good, as long as BullMQ keeps them'),
});
type Params = z.infer<typeof schema>;

export default defineProbe({
  type: 'bullmq',
  summary: 'Looks at queues of BullMQ (4 or newer) on a Redis: what waits, for how long, what is put off and what has failed.',
  schema,
  loads: ['queue'],
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
    { kind: 'permission', means: 'the user may not run a command or read the keys: a fault of the monitoring' },
    { kind: 'not-accepting', means: 'the server is starting up: it is loading its data' },
    { kind: 'busy', means: 'a script runs for too long, and nobody else is answered' },
    { kind: 'connections', means: 'no connection is left' },
    { kind: 'replication-broken', means: 'the server is a replica that has lost its primary' },
    { kind: 'cluster', means: 'the keys of the queues are on another node' },
    { kind: 'command', means: 'a command failed for another reason' },
    { kind: 'no-queue', means: 'there is no queue of that name, or none that begins so' },
    { kind: 'oldest-job', means: 'a job waits for longer than `oldest`' },
    { kind: 'waiting', means: 'more jobs wait than `waiting` allows' },
    { kind: 'failed-jobs', means: 'more jobs have failed of late than `failed` allows' },
    { kind: 'delayed', means: 'more jobs are put off than `delayed` allows' },
    { kind: 'active', means: 'more jobs are being worked on than `active` allows' },
    { kind: 'unreadable', means: 'there are too many keys or queues to look at: a fault of the monitoring' },
  ],
  measurements: {
    login_ms: 'connecting and logging in',
    queues_count: 'queues that were looked at',
    paused_queues_count: 'those of them that are paused',
    waiting_count: 'jobs that wait, of all these queues',
    delayed_count: 'jobs that are put off',
    active_count: 'jobs that are being worked on',
    failed_count: 'jobs that have failed of late',
    oldest_s: 'how long the oldest job could have been taken; 0 when none waits',
  },
  examples: [
    `job-queues:
  component: redis-queues
  every: 30s
  locations: [north]
  bullmq:
    url: \${secret:REDIS_QUEUES_URL}
    queues: ['reports-*', mail]
    oldest: { degraded: 5m, down: 30m }
    waiting: { degraded: 1000 }
    failed: { degraded: 10, down: 200, within: 1h }`,
  ],
  run,
});

function run(params: Params, context: ProbeContext): Promise<Outcome> {
  return attempt(context, async (measurements) => {
    const { nowMs, backlogs } = await examine(params, context, measurements);
    Object.assign(measurements, measured(backlogs));
    const { judged, findings } = judge(backlogs, params);
    return { ...judged, durationMs: measurements.login_ms ?? 0, findings, loads: loadsOf(backlogs, nowMs) };
  });
}

interface Seen {
  nowMs: number;
  backlogs: Backlog[];
}

async function examine(params: Params, context: ProbeContext, measurements: Record<string, number>): Promise<Seen> {
  const { url, ca, prefix, queues, failed } = params;
  const startedMs = context.monotonic();
  const { signal, timeoutMs } = context;
  const session = await openSession({ url, tls: { ...params.tls, ca }, signal, timeoutMs });
  try {
    const nowMs = await timeOf(session);
    measurements.login_ms = context.monotonic() - startedMs;
    const names = await findQueues(session, prefix, queues);
    const failedWithinMs = failed?.within ?? HOUR_MS;
    return { nowMs, backlogs: await Promise.all(names.map((queue) => readBacklog(session, { prefix, queue, nowMs, failedWithinMs }))) };
  } catch (error) {
    throw reworded(error, session.name, prefix);
  } finally {
    session.close();
  }
}

/** By the server's clock, to the millisecond. */
async function timeOf(session: Session): Promise<number> {
  const [seconds, micros] = (await session.ask('TIME')) as [string, string];
  return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
}

/** What the session says of keys is said of the one key that the redis probe writes. */
function reworded(error: unknown, name: string, prefix: string): unknown {
  if (!(error instanceof TargetTrouble) || !error.message.includes('`canary`')) return error;
  if (error.kind === 'permission')
    return new TargetTrouble(error.kind, `${name} does not let this user read the keys (%R~${prefix}:* is missing)`);
  return new TargetTrouble(
    error.kind,
    `${name} does not serve the keys of the queues: its cluster is not complete, or they are on another node`,
  );
}

function measured(backlogs: readonly Backlog[]): Record<string, number> {
  const sum = (of: (backlog: Backlog) => number) => backlogs.reduce((total, one) => total + of(one), 0);
  return {
    queues_count: backlogs.length,
    paused_queues_count: sum(({ paused }) => (paused ? 1 : 0)),
    waiting_count: sum(({ waiting }) => waiting),
    delayed_count: sum(({ delayed }) => delayed),
    active_count: sum(({ active }) => active),
    failed_count: sum(({ failed }) => failed),
    oldest_s: Math.max(0, ...backlogs.map(({ oldestMs }) => oldestMs)) / 1_000,
  };
}

/** Nothing here is counted since some time: a backlog is what there is now. */
function loadsOf(backlogs: readonly Backlog[], nowMs: number): Loads {
  const named = backlogs.filter(({ queue }) => isName(queue)).slice(0, MOST_LOADS);
  const unnamed = backlogs.length - named.length;
  return {
    atMs: nowMs,
    loads: named.map(({ queue, waiting, active }) => ({
      by: 'queue',
      name: queue,
      countingSinceMs: 0,
      counters: {},
      levels: { jobs: waiting + active },
    })),
    unreadable: unnamed > 0 ? [`${unnamed} queues whose names are longer than 63 characters`] : [],
  };
}
