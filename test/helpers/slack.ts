/** A bot on a real database before a real local Slack, with a proxy between that can be made to fail. */
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createPort } from 'node:net';
import { type Bot, type BotOptions, startBot } from '../../bot/bot.ts';
import { start as startDesk } from '../../bot/desk/main.ts';
import { Notifier } from '../../bot/notify.ts';
import { loadButtonVerbs } from '../../bot/registry.ts';
import type { Timing } from '../../bot/timing.ts';
import { SlackWeb } from '../../bot/web.ts';
import type { Config } from '../../core/config/model.ts';
import type { Facts, TimelineEntry } from '../../core/incident.ts';
import type { Started } from '../../core/process.ts';
import { openPool, type Pool } from '../../store/db.ts';
import { addTimeline, insertIncident } from '../../store/incident.ts';
import { migrate } from '../../store/migrate.ts';
import { enqueue, PRIORITY } from '../../store/outbox.ts';
import { aCheck, aConfig } from './domain.ts';
import { keepingLog, type LogLine } from './log.ts';
import { testDatabase } from './postgres.ts';
import { type FaultProxy, startProxy } from './proxy.ts';

export const SECRET = 'a-signing-secret-of-the-test';
const TOKEN = 'xoxb-of-the-test';
export const CHANNEL = '#incidents';

/** Short enough for a test, in the proportions of the real ones. */
export const SHORT: Timing = {
  pollMs: 40,
  leaseMs: 1_600,
  requestTimeoutMs: 600,
  graceMs: 200,
  channelGapMs: 0,
  updateGapMs: 0,
  atOnce: 4,
  drainMs: 2_000,
  retryMs: 50,
  pictureRetryMs: 100,
};

export interface SlackMessage {
  ts: string;
  text: string;
  thread_ts?: string;
  blocks?: {
    type: string;
    text?: { text: string };
    elements?: { value?: string; text?: { text: string } | string }[];
    slack_file?: { id: string };
  }[];
  metadata?: { event_payload: { outbox_id: string } };
}

export interface TestSlack {
  pool: Pool;
  /** The desk's page. */
  deskUrl: string;
  proxy: FaultProxy;
  config: Config;
  log: { lines: LogLine[] };
  /** Everything in the channel but the threads, oldest first. */
  history(): Promise<SlackMessage[]>;
  /** The replies under a message, oldest first. */
  replies(ts: string): Promise<SlackMessage[]>;
  /** Deletes a message as a person would. */
  remove(ts: string): Promise<void>;
  /** Slack forgets everything. */
  restartDesk(): Promise<void>;
  /** A notifier alone, not started. */
  notifier(timing?: Partial<Timing>): Promise<Notifier>;
  /** `more`: what is to be other than usual. */
  bot(more?: Partial<BotOptions>): Promise<Bot & { url: string }>;
  query<T extends object>(text: string, values?: unknown[]): Promise<T[]>;
  close(): Promise<void>;
}

/** Below the ports that the system gives to outgoing connections: one of those could take it before it is listened on. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const isFree = await new Promise<boolean>((resolve) => {
      const probe = createPort().once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}

/** The configuration that the tests of the bot speak about: two clinics, Ana may run the runbook, Ben has no role. */
export function botConfig(): Config {
  const tenants = ['riverside', 'hillcrest'];
  const checks = [
    ...tenants.map((tenant) => aCheck({ tenant })),
    ...tenants.map((tenant) =>
      aCheck({ tenant, template: 'book', title: 'Book an appointment', does: 'book appointments', service: 'scheduling' }),
    ),
  ];
  const runbook = {
    id: 'reopen-sign-in',
    title: 'Reopen sign-in',
    when: {},
    action: { type: 'http.request', params: { url: 'http://127.0.0.1/reopen' }, location: 'north' },
    mayRun: ['responder'],
    verify: ['post-invoice'],
  };
  return aConfig(checks, { runbooks: { 'reopen-sign-in': runbook } });
}

/** What is known of an incident in which Riverside Clinic cannot post invoices. */
export function someFacts(change: Partial<Facts> = {}): Facts {
  const riverside = { id: 'riverside', title: 'Riverside Clinic' };
  return {
    root: 'service:billing',
    members: ['post-invoice/riverside'],
    suspects: [],
    changes: [],
    burns: [],
    locations: [],
    shown: { atMs: [], visible: 0, material: 0, headline: '' },
    services: [
      {
        id: 'billing',
        title: 'Patient billing',
        tier: 1,
        class: 'partial outage',
        reason: 'critical-some-tenants',
        symptoms: [
          {
            template: 'post-invoice',
            title: 'Post an invoice',
            does: 'post invoices',
            critical: true,
            checks: ['post-invoice/riverside'],
            verdict: 'down',
            tenants: [riverside],
            tenantsTotal: 2,
            failure: { kind: 'timeout', message: 'no answer within 15 s', step: 'confirm the invoice' },
          },
        ],
      },
    ],
    components: [],
    tenants: [riverside],
    tenantsTotal: 2,
    seenFrom: ['Data centre north', 'Data centre south', 'Data centre cloud'],
    locationsTotal: 3,
    sinceMs: Date.now() - 360_000,
    owner: 'ops',
    onCall: [{ id: 'ana', title: 'Ana' }],
    offers: [
      {
        runbook: 'reopen-sign-in',
        title: 'Reopen sign-in',
        preview: 'Reopens sign-in for Riverside Clinic.',
        location: 'north',
        target: { tenant: 'riverside' },
      },
    ],
    recovering: false,
    roundsLeft: 0,
    blind: [],
    ...change,
  };
}

/** Opens an incident as the worker does: the incident, its first line, and both outbox rows. Returns its number. */
export async function openIncident(pool: Pool, change: { facts?: Facts; scope?: string; pictureId?: number } = {}): Promise<number> {
  const facts = change.facts ?? someFacts();
  const id = await insertIncident(pool, {
    scope: change.scope ?? 'billing',
    class: 'partial outage',
    channel: CHANNEL,
    facts,
    configRevision: 'test',
    beganAtMs: facts.sinceMs,
    openedAtMs: Date.now(),
    ...(change.pictureId ? { pictureId: change.pictureId } : {}),
  });
  await wantPost(pool, id, 'first-notification');
  await tellThread(pool, id, {
    kind: 'opened',
    class: 'partial outage',
    reason: 'critical-some-tenants',
    headline: 'Patient billing: partial outage.',
    seenFrom: facts.seenFrom,
  });
  return id;
}

/** Wants the incident's post to be brought up to date. */
export async function wantPost(pool: Pool, incidentId: number, reason: string): Promise<void> {
  await enqueue(pool, [
    { kind: 'incident', lane: `incident/${incidentId}`, channel: CHANNEL, incidentId, priority: PRIORITY.outage, reason },
  ]);
}

/** Adds a line to the story and wants it told. */
export async function tellThread(pool: Pool, incidentId: number, entry: TimelineEntry): Promise<void> {
  const timelineId = await addTimeline(pool, incidentId, Date.now(), entry);
  const lane = `incident/${incidentId}`;
  await enqueue(pool, [{ kind: 'thread', lane, channel: CHANNEL, incidentId, timelineId, priority: PRIORITY.thread, reason: entry.kind }]);
}

/** Starts the whole of it. Everything that is started is stopped by `close`. */
export async function testSlack(): Promise<TestSlack> {
  const database = await testDatabase();
  const log = keepingLog();
  await migrate(database.url, log);
  const pool = openPool({ url: database.url, name: 'test bot', max: 8, log });
  const port = await freePort();
  const botPort = await freePort();
  let desk = await openDesk(port, botPort);
  const direct = `http://127.0.0.1:${port}/api/`;
  const proxy = await startProxy(direct);
  const config = botConfig();
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const stops: (() => Promise<void>)[] = [];
  const web = (timing: Timing) =>
    new SlackWeb({ token: TOKEN, apiUrl: proxy.url, timeoutMs: timing.requestTimeoutMs, log, now: clock.now });

  const call = async <T>(method: string, body: Record<string, string>): Promise<T> => {
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/x-www-form-urlencoded' };
    const response = await fetch(direct + method, { method: 'POST', headers, body: new URLSearchParams(body) });
    return (await response.json()) as T;
  };
  const channelId = async () => {
    const answer = await call<{ channels: { id: string; name: string }[] }>('conversations.list', { limit: '1000' });
    return answer.channels.find((one) => `#${one.name}` === CHANNEL)?.id ?? '';
  };
  return {
    pool,
    deskUrl: `http://127.0.0.1:${port}/`,
    proxy,
    config,
    log,
    history: async () => {
      const body = { channel: await channelId(), limit: '900', include_all_metadata: 'true' };
      return (await call<{ messages: SlackMessage[] }>('conversations.history', body)).messages.reverse();
    },
    replies: async (ts) => {
      const body = { channel: await channelId(), ts, limit: '900', include_all_metadata: 'true' };
      return ((await call<{ messages?: SlackMessage[] }>('conversations.replies', body)).messages ?? []).filter((one) => one.ts !== ts);
    },
    remove: async (ts) => void (await call('chat.delete', { channel: await channelId(), ts })),
    restartDesk: async () => {
      await desk.stop();
      desk = await openDesk(port, botPort);
    },
    notifier: async (timing = {}) => {
      const own = { ...SHORT, ...timing };
      const notifier = new Notifier({ pool, config, log, clock, slack: web(own), buttons: await loadButtonVerbs(), timing: own });
      stops.push(() => notifier.stop());
      return notifier;
    },
    bot: async (more = {}) => {
      const door = { signingSecret: SECRET, botToken: TOKEN, host: '127.0.0.1', port: botPort };
      const options = { pool, config, log, clock, slack: web(SHORT), ...door, timing: SHORT };
      // With its getters, since what the bot is handed may change while it runs.
      const bot = await startBot(Object.defineProperties(options, Object.getOwnPropertyDescriptors(more)));
      stops.push(() => bot.stop());
      return { ...bot, url: `http://127.0.0.1:${bot.port}/slack/events` };
    },
    query: async (text, values) => (await pool.query(text, values)).rows,
    close: async () => {
      await Promise.all(stops.map((stop) => stop()));
      await proxy.close();
      await desk.stop();
      await pool.end();
      await database.drop();
    },
  };
}

function openDesk(port: number, botPort: number): Promise<Started> {
  const seed = {
    channels: [CHANNEL],
    users: [
      { id: 'U0ANA', name: 'Ana' },
      { id: 'U0BEN', name: 'Ben' },
    ],
  };
  const env = {
    ROUNDS_DESK_PORT: String(port),
    SLACK_SIGNING_SECRET: SECRET,
    SLACK_BOT_TOKEN: TOKEN,
    ROUNDS_BOT_URL: `http://127.0.0.1:${botPort}/slack/events`,
    ROUNDS_DESK_SEED: JSON.stringify(seed),
  };
  return startDesk({ env, log: keepingLog(), options: {} });
}

/** Waits until the condition holds: asked again and again, 15 s at most. Returns its value. */
export async function until<T>(what: string, ask: () => Promise<T | undefined | false>): Promise<T> {
  const endMs = performance.now() + 15_000;
  for (;;) {
    const value = await ask();
    if (value) return value;
    if (performance.now() > endMs) throw new Error(`did not happen within 15 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Waits until nothing of the outbox is open. */
export async function settled(slack: TestSlack): Promise<void> {
  await until('an empty outbox', async () => {
    const [row] = await slack.query<{ open: number }>(`select count(*) as open from outbox where state in ('wanted', 'claimed')`);
    return row?.open === 0;
  });
}

export interface Signed {
  body: string;
  headers: Record<string, string>;
}

/** A form, or a body as it is, as Slack would sign it. */
export function signed(form: Record<string, string> | string, atMs = Date.now()): Signed {
  const body = typeof form === 'string' ? form : new URLSearchParams(form).toString();
  const timestamp = String(Math.floor(atMs / 1000));
  const digest = createHmac('sha256', SECRET).update(`v0:${timestamp}:${body}`).digest('hex');
  return {
    body,
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'x-slack-request-timestamp': timestamp,
      'x-slack-signature': `v0=${digest}`,
    },
  };
}

/** Where answers for one person arrive: a `response_url`, and what came there. */
export interface Answers {
  url: string;
  received: { text: string; response_type: string; blocks: { text?: { text: string } }[] }[];
  close(): Promise<void>;
}

/** Starts it. */
export async function startAnswers(): Promise<Answers> {
  const received: Answers['received'] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    received.push(JSON.parse(Buffer.concat(chunks).toString()));
    response.end('ok');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/answers`,
    received,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
