/** The bot, put together from what it is handed. Starting needs neither Slack nor a healthy workspace: it goes on trying, and says so. */
import { setTimeout as sleep } from 'node:timers/promises';
import { QUEUES } from '../jobs/contract.ts';
import type { Queues } from '../jobs/queue.ts';
import { loadActions } from '../runbooks/registry.ts';
import { forgetModals } from '../store/modal.ts';
import { firstSeen, forgetSeen } from '../store/seen.ts';
import { handleCommand } from './command.ts';
import { type BotParts, type OpenForm, type SlackApi, SlackTrouble, type SubmissionAnswer } from './contract.ts';
import { type FormParts, handleFormChange, handleFormClosed, handleSubmission } from './form.ts';
import { HOME_TIMING, Home, type HomeTiming } from './home.ts';
import { handleHomePress } from './home-press.ts';
import * as metrics from './metrics.ts';
import { Notifier } from './notify.ts';
import { tellDirectly } from './open.ts';
import { handlePress } from './press.ts';
import { reconcilePosts } from './reconcile.ts';
import { loadButtonVerbs, loadCommandVerbs, loadFormVerbs } from './registry.ts';
import { data, sentence } from './render/blocks.ts';
import { messageModal } from './render/modal.ts';
import { failed } from './render/refusal.ts';
import { openSlackDoor } from './slack.ts';
import type { SocketTiming } from './socket.ts';
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
  homeTiming?: HomeTiming;
  socketTiming?: SocketTiming;
  /** Where the Web API is, when it is not Slack itself; Socket Mode asks there for its connections. */
  apiUrl?: string;
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
  const [buttons, commands, forms, actions] = await Promise.all([loadButtonVerbs(), loadCommandVerbs(), loadFormVerbs(), loadActions()]);
  const timing = options.timing ?? TIMING;
  // Configurations come and go: whoever spreads these parts has one from beginning to end.
  const parts = {
    pool,
    log,
    clock,
    slack,
    buttons,
    commands,
    forms,
    actions,
    timing,
    wake: () => wake(),
    get config() {
      return options.config;
    },
  };
  const notifier = new Notifier(parts);
  const home = new Home(parts, options.homeTiming ?? HOME_TIMING);
  const wake = () => {
    notifier.wake();
    home.wake();
  };
  const door = await openSlackDoor({
    ...options,
    firstSeen: (ids) => firstSeen(pool, ids),
    onPress: (press) => handlePress({ ...parts }, press),
    onCommand: (call) => handleCommand({ ...parts }, call),
    onViewPress: ({ form, ...press }) => (form ? handleFormChange({ ...parts }, { ...press, form }) : handleHomePress({ ...parts }, press)),
    onSubmission: (submission) => handleSubmission({ ...parts }, submission),
    onLateAnswer: (form, answer) => tellLate(parts, form, answer),
    onFormClosed: (submission) => handleFormClosed(parts, submission),
    onHomeOpened: (user) => home.opened(user),
    onFailure: (whom) => tellFailure(parts, whom),
    onAck: (seconds) => metrics.ackSeconds.observe(seconds),
  });
  const hello = sayHello(parts, wake);
  notifier.start();
  home.start();
  const forget = () => Promise.all([forgetSeen(pool), forgetModals(pool)]);
  const forgetting = setInterval(
    () => void forget().catch((error: Error) => log.debug({ error: error.message }, 'later')),
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
      await Promise.all([door.stop(), notifier.stop(), home.stop(), working?.close(1_000)]);
    },
  };
}

/** Nobody who pressed looks at nothing, not even when Rounds itself failed. */
async function tellFailure(parts: Pick<FormParts, 'slack' | 'log'>, whom: { responseUrl?: string; user?: string }): Promise<void> {
  try {
    if (whom.responseUrl) await parts.slack.respond(whom.responseUrl, failed());
    else if (whom.user) await tellDirectly(parts, whom.user, failed());
  } catch (error) {
    parts.log.error({ error: (error as Error).message }, 'Somebody who asked for something could not be answered');
  }
}

/** What came of a form that took longer than Slack waits. What stands wrong in a field can no longer be shown there. */
async function tellLate(parts: Pick<FormParts, 'slack'>, form: OpenForm, answer: SubmissionAnswer): Promise<void> {
  if (answer.response_action === 'update') return parts.slack.updateView({ id: form.viewId, view: answer.view });
  const said = answer.response_action === 'clear' ? ['Done. What comes of it is told where you asked.'] : Object.values(answer.errors);
  await parts.slack.updateView({ id: form.viewId, view: messageModal('Rounds', sentence(...said.map(data))) });
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
