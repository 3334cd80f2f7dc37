/** `rounds bot`: reads the environment, builds the adapters, starts the bot. */
import { hostname } from 'node:os';
import { withTables } from '../cli/apply.ts';
import { readConfig, readWritten } from '../cli/config.ts';
import type { Start } from '../core/process.ts';
import { openQueues, queueUrlOf } from '../jobs/queue.ts';
import { openPool } from '../store/db.ts';
import { watchConfig } from '../store/in-force.ts';
import { startBot } from './bot.ts';
import { TIMING } from './timing.ts';
import { SlackWeb } from './web.ts';

/** Four posts in hand take turns with presses and commands. */
const STORE_CONNECTIONS = 4;

/**
 * Starts the bot. Needs `DATABASE_URL`, `SLACK_BOT_TOKEN` and `SLACK_SIGNING_SECRET` (or `SLACK_APP_TOKEN` for Socket Mode); reads
 * `ROUNDS_CONFIG` (while no worker has put a configuration in force), `ROUNDS_BOT_PORT` (4620), `ROUNDS_BOT_HOST` (127.0.0.1), `REDIS_URL` or `ROUNDS_QUEUE_URL`, and `SLACK_API_URL`.
 */
export const start: Start = async ({ env, log, options }) => {
  const url = required(env.DATABASE_URL, 'DATABASE_URL', 'the address of the database, such as postgres://rounds@127.0.0.1/rounds');
  const botToken = required(env.SLACK_BOT_TOKEN, 'SLACK_BOT_TOKEN', 'the bot token of the Slack app, which begins with xoxb-');
  const appToken = env.SLACK_APP_TOKEN || undefined;
  const signingSecret = appToken
    ? (env.SLACK_SIGNING_SECRET ?? '')
    : required(env.SLACK_SIGNING_SECRET, 'SLACK_SIGNING_SECRET', 'the signing secret of the Slack app, under "Basic Information"');
  const file = options.config ?? env.ROUNDS_CONFIG ?? 'rounds.yaml';
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const pool = openPool({ url, name: 'bot', max: STORE_CONNECTIONS, log });
  const runner = { id: `bot@${hostname()}/${process.pid}`, kind: 'bot' };
  const watch = await withTables(pool, () => watchConfig({ pool, log, read: readWritten, fallback: () => readConfig(file), runner }));
  const queues = await openQueues({ url: queueUrlOf(env) ?? url, log, name: 'bot' });
  const slack = new SlackWeb({
    token: botToken,
    ...(env.SLACK_API_URL ? { apiUrl: env.SLACK_API_URL } : {}),
    timeoutMs: TIMING.requestTimeoutMs,
    log,
    now: clock.now,
  });
  const host = env.ROUNDS_BOT_HOST ?? '127.0.0.1';
  const apiUrl = env.SLACK_API_URL ? { apiUrl: env.SLACK_API_URL } : {};
  const door = { signingSecret, botToken, ...(appToken ? { appToken } : {}), ...apiUrl, host, port: portOf(env.ROUNDS_BOT_PORT) };
  const bot = await startBot({
    pool,
    log,
    clock,
    slack,
    queues,
    ...door,
    get config() {
      return watch.config;
    },
  });
  log.info({ port: bot.port, people: Object.keys(watch.config.people).length }, 'the bot listens to Slack');
  return {
    ready: async () => {
      const answer = await pool.query('select 1').catch((error: Error) => error);
      return answer instanceof Error ? `PostgreSQL does not answer: ${answer.message}` : (bot.trouble() ?? watch.trouble());
    },
    // It has no file of its own to apply: it looks at what is in force.
    reload: () => watch.refreshConfig(),
    stop: async () => {
      await bot.stop();
      await watch.stop();
      await queues.close();
      await pool.end();
    },
  };
};

function required(value: string | undefined, name: string, expected: string): string {
  if (!value) throw new Error(`${name} is not set: expected ${expected}.`);
  return value;
}

function portOf(text: string | undefined): number {
  const port = Number(text || 4620);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error(`ROUNDS_BOT_PORT: expected a port such as 4620, got "${text}".`);
  return port;
}
