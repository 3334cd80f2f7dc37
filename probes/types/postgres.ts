import * as z from 'zod';
import { durationMs, percentRatio, urlOrSecret } from '../../core/config/units.ts';
import type { Loads } from '../../core/result.ts';
import { attempt } from '../attempt.ts';
import { judge } from '../postgres/judge.ts';
import { readLoads } from '../postgres/load.ts';
import { openSession } from '../postgres/session.ts';
import { readVitals, type Vitals } from '../postgres/vitals.ts';
import { defineProbe, type Outcome, type ProbeContext } from '../probe.ts';
import { limits, readable } from '../signs.ts';

const limited = <T extends z.ZodType<number>>(value: T) => limits(value).optional();

const schema = z.strictObject({
  url: urlOrSecret(['postgres', 'postgresql']).describe('The address, with role and password; the role needs `pg_monitor`'),
  connections: limited(percentRatio()).describe('Connections taken, of those that ordinary roles can have'),
  lockWait: limited(durationMs()).describe('The longest time that a session waits for a lock'),
  replicationLag: limited(durationMs()).describe('How far the slowest replica is behind; asked of a replica, how far it is itself'),
  longQuery: limited(durationMs()).describe('How long the longest query runs'),
  load: z
    .boolean()
    .optional()
    .describe(
      'Whether the load of each database and role is read, to tell which tenant drives it; unless said, where a tenant of this component has a `database` or a `role`. By role it needs `pg_stat_statements` in the database of `url`',
    ),
});
type Params = z.infer<typeof schema>;

export default defineProbe({
  type: 'postgres',
  summary: 'Logs in to a PostgreSQL (14 or newer), runs a query and takes its vital signs.',
  schema,
  loads: ['database', 'role'],
  failures: [
    { kind: 'timeout', means: 'no connection or no answer in time' },
    { kind: 'connection-refused', means: 'nothing listens at the address' },
    { kind: 'connection-reset', means: 'the server closed the connection' },
    { kind: 'unreachable', means: 'there is no route to the host' },
    { kind: 'dns', means: 'the name cannot be resolved' },
    { kind: 'tls', means: 'the handshake failed, or the server offers no TLS' },
    { kind: 'protocol', means: 'what answers is no PostgreSQL' },
    { kind: 'authentication', means: 'role or password is refused' },
    { kind: 'no-database', means: 'the database does not exist' },
    { kind: 'not-accepting', means: 'the server is starting up or shutting down' },
    { kind: 'query', means: 'a query failed for another reason' },
    { kind: 'connections', means: 'no connection is left, or more are taken than `connections` allows' },
    { kind: 'lock-wait', means: 'a session waits for a lock longer than `lockWait`; the finding names who blocks' },
    { kind: 'replication-lag', means: 'a replica is further behind than `replicationLag`' },
    { kind: 'long-query', means: 'a query runs longer than `longQuery`' },
    { kind: 'unreadable', means: 'a limit is set, but its value cannot be read: a fault of the monitoring' },
  ],
  measurements: {
    login_ms: 'connecting and logging in',
    query_ms: 'one trivial query',
    connections_ratio: 'connections taken, of those that ordinary roles can have',
    longest_lock_wait_s: 'the longest wait for a lock',
    blocked_sessions_count: 'sessions that wait for a lock of another',
    longest_query_s: 'age of the longest query',
    replication_lag_s: 'the slowest replica; absent when there is none',
  },
  examples: [
    `postgres-main:
  component: postgres-main
  every: 30s
  locations: [north]
  postgres:
    url: \${secret:POSTGRES_MAIN_URL}
    replicationLag: { degraded: 10s, down: 60s }
    lockWait: { degraded: 5s, down: 30s }
    connections: { degraded: 80%, down: 95% }
    load: true`,
    `reporting-database:
  component: reporting-database
  every: 60s
  locations: [north]
  postgres:
    url: postgres://rounds:\${secret:REPORTING_PASSWORD}@reporting.example:5432/reports
    longQuery: { degraded: 10m }`,
  ],
  run,
});

function run(params: Params, context: ProbeContext): Promise<Outcome> {
  return attempt(context, async (measurements) => {
    const { vitals, loads } = await examine(params, context, measurements);
    const findings = vitals.blocker ? [vitals.blocker] : [];
    return { ...judge(vitals, params), durationMs: felt(measurements), findings, ...(loads ? { loads } : {}) };
  });
}

/** What a user of the database would feel: login and a query, not our reading of statistics. */
function felt({ login_ms = 0, query_ms = 0 }: Record<string, number>): number {
  return login_ms + query_ms;
}

interface Seen {
  vitals: Vitals;
  loads?: Loads | undefined;
}

async function examine(params: Params, context: ProbeContext, measurements: Record<string, number>): Promise<Seen> {
  const startedMs = context.monotonic();
  const session = await openSession({ url: params.url, signal: context.signal, timeoutMs: context.timeoutMs });
  try {
    const connectedMs = context.monotonic();
    measurements.login_ms = connectedMs - startedMs;
    await session.rows('SELECT 1');
    measurements.query_ms = context.monotonic() - connectedMs;
    const vitals = await readVitals(session);
    Object.assign(measurements, measured(vitals));
    return { vitals, loads: params.load ? await readLoads(session, vitals.waiting) : undefined };
  } finally {
    await session.close();
  }
}

function measured(vitals: Vitals): Record<string, number> {
  return readable([
    ['connections_ratio', vitals.connectionsRatio],
    ['longest_lock_wait_s', vitals.lockWaitS],
    ['blocked_sessions_count', vitals.blockedSessions],
    ['longest_query_s', vitals.longestQueryS],
    ['replication_lag_s', vitals.replicationLagS],
  ]);
}
