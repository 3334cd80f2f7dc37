/** The bot, put together from what it is handed. Starting needs neither Slack nor a healthy workspace: it goes on trying, and says so. */
import { setTimeout as sleep } from 'node:timers/promises';
import { QUEUES } from '../jobs/contract.ts';
import type { Queues } from '../jobs/queue.ts';
import { firstSeen, forgetSeen } from '../store/seen.ts';
import { handleCommand } from './command.ts';
import { type BotParts, type SlackApi, SlackTrouble } from './contract.ts';
import * as metrics from './metrics.ts';
import { Notifier } from './notify.ts';
import { handlePress } from './press.ts';
import { reconcilePosts } from './reconcile.ts';
import { loadButtonVerbs, loadCommandVerbs } from './registry.ts';
import { failed } from './render/refusal.ts';
import { openSlackDoor } from './slack.ts';
import { TIMING, type Timing } from './timing.ts';

const RETRY_MS = 2_000;
const FORGET_EVERY_MS = 600_000;

export interface BotOptions extends BotParts {
  slack: SlackApi;
  signingSecret: string;
  botToken: string;
  appToken?: string;
  host: string;
  port: number;
  /** Without it the bot only polls. */
  queues?: Queues;
  timing?: Timing;
}

export interface Bot {
  /** Where presses and commands arrive; `undefined` in Socket Mode. */
  port: number | undefined;
  /** One sentence while the bot cannot do its work, else `undefined`. */
  trouble(): string | undefined;
  wake(): void;
  stop(): Promise<void>;
}

/** Starts the bot. Throws when its port is taken or a verb's file is not one. */
export async function startBot(options: BotOptions): Promise<Bot> {
  const { pool, log, clock, slack } = options;
  const [buttons, commands] = await Promise.all([loadButtonVerbs(), loadCommandVerbs()]);
  const timing = options.timing ?? TIMING;
  // Configurations come and go: whoever spreads these parts has one from beginning to end.
  const parts = {
    pool,
    log,
    clock,
    slack,
    buttons,
    timing,
    get config() {
      return options.config;
    },
  };
  const notifier = new Notifier(parts);
  const wake = () => notifier.wake();
  const door = await openSlackDoor({
    ...options,
    firstSeen: (ids) => firstSeen(pool, ids),
    onPress: (press) => handlePress({ ...parts, wake }, press),
    onCommand: (call) => handleCommand({ ...parts, commands }, call),
    onFailure: (responseUrl) => tellFailure(parts, responseUrl),
    onAck: (seconds) => metrics.ackSeconds.observe(seconds),
  });
  const hello = sayHello(parts, wake);
  notifier.start();
  const forgetting = setInterval(
    () => void forgetSeen(pool).catch((error: Error) => log.debug({ error: error.message }, 'later')),
    FORGET_EVERY_MS,
  );
  const working = options.queues?.work(QUEUES.notify, { concurrency: 1, policy: 'once' }, async () => wake());
  return {
    port: door.port,
    trouble: () => hello.trouble() ?? notifier.trouble() ?? door.trouble(),
    wake,
    stop: async () => {
      clearInterval(forgetting);
      hello.stop();
      await Promise.all([door.stop(), notifier.stop(), working?.close(1_000)]);
    },
  };
}

/** Nobody who pressed looks at nothing, not even when Rounds itself failed. */
async function tellFailure(parts: BotParts & { slack: SlackApi }, responseUrl: string | undefined): Promise<void> {
  if (!responseUrl) return;
  try {
    await parts.slack.respond(responseUrl, failed());
  } catch (error) {
    parts.log.error({ error: (error as Error).message }, 'Somebody who asked for something could not be answered');
  }
}

/** Asks Slack until it takes our token, then looks once whether our posts are still there. */
function sayHello(parts: BotParts & { slack: SlackApi }, wake: () => void): { trouble(): string | undefined; stop(): void } {
  let trouble: string | undefined = 'Slack has not been reached yet.';
  let stopped = false;
  const greet = async (): Promise<void> => {
    while (!stopped) {
      try {
        await parts.slack.check();
        const gone = await reconcilePosts(parts);
        trouble = undefined;
        if (gone > 0) wake();
        return;
      } catch (error) {
        const next = troubleInWords(error);
        if (next !== trouble) parts.log.warn({}, next);
        trouble = next;
        await sleep(RETRY_MS, undefined, { ref: false });
      }
    }
  };
  void greet();
  return {
    trouble: () => trouble,
    stop: () => {
      stopped = true;
    },
  };
}

function troubleInWords(error: unknown): string {
  if (!(error instanceof SlackTrouble)) return `Slack could not be asked: ${error instanceof Error ? error.message : String(error)}`;
  if (error.kind !== 'auth') return error.message;
  return `Slack refuses the bot's token (${error.code}): check SLACK_BOT_TOKEN and the app's scopes.`;
}
