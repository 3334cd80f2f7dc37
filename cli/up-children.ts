/** Which processes `rounds up` runs, and what each is told. A process gets what it needs and nothing else, secrets by environment or file. */
import type { Browser } from '../scripts/find-browser.ts';
import type { ChildSpec } from './supervisor.ts';
import type { ConfigFacts } from './up-config.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Everything that the list of processes follows from. */
export interface UpPlan {
  /** What to run: the program and its first arguments, before the verb. */
  program: string;
  programArgs: readonly string[];
  env: Env;
  configPath: string;
  /** Agents load journeys from below this folder only. */
  journeysFolder: string;
  facts: ConfigFacts;
  dataFolder: string;
  databaseUrl: string;
  /** Where worker and bot reach the queue. */
  queueUrl: string;
  /** Where each location's agent does. */
  agentQueueUrls: Record<string, string>;
  browser: Browser | undefined;
  ports: { desk: number; bot: number; clinic: number; clinicControl: number };
  /** The Slack of the bot: the desk's secrets, or those of a workspace. */
  slack: { botToken: string; signingSecret: string | undefined; appToken: string | undefined; apiUrl: string | undefined };
  withDesk: boolean;
  /** What the sample clinic is told; without it there is none. */
  clinic: { adminUrl: string; opsToken: string; monitorPassword: string } | undefined;
  agentSecretsFolder: string;
}

/** The list of processes. */
export function childrenOf(plan: UpPlan): ChildSpec[] {
  const agents = agentsOf(plan);
  const front = [...(plan.withDesk ? [desk(plan)] : []), ...(plan.clinic ? [clinic(plan, plan.clinic)] : [])].map((spec) => ({
    ...spec,
    stopsLast: true,
  }));
  const others = [...front, bot(plan), ...agents];
  // The worker gives out the work: were it first, checks would run while the clinic is still opening, and raise an alarm about nothing.
  return [...others, { ...worker(plan), after: others.map(({ name }) => name) }];
}

/** The agents, one for each location. */
export function agentsOf(plan: UpPlan): ChildSpec[] {
  return plan.facts.locations.map((location) => agent(plan, location));
}

/** Whether a process of that name is an agent. */
export function isAgent(name: string): boolean {
  return name.startsWith('agent-');
}

/** Addresses to look at and call. */
export function urlsOf({ ports, withDesk, clinic: sample }: UpPlan): Record<string, string> {
  const at = (port: number) => `http://127.0.0.1:${port}`;
  return {
    ...(withDesk ? { desk: at(ports.desk) } : {}),
    bot: at(ports.bot),
    ...(sample ? { clinic: at(ports.clinic), clinicControl: at(ports.clinicControl) } : {}),
  };
}

function child(plan: UpPlan, name: string, args: readonly string[], own: Env): ChildSpec {
  const env = { ...commonEnv(plan.env), ...own };
  return { name, program: plan.program, args: [...plan.programArgs, ...args], env: withoutGaps(env) };
}

const COMMON = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'ROUNDS_LOG_LEVEL'];

/** NODE_CHANNEL_… is our own line to whoever started us: a child must not talk into it. */
function commonEnv(env: Env): Env {
  const names = Object.keys(env).filter((name) => COMMON.includes(name) || (name.startsWith('NODE_') && !name.startsWith('NODE_CHANNEL_')));
  return Object.fromEntries(names.map((name) => [name, env[name]]));
}

function withoutGaps(env: Env): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

function rounds(plan: UpPlan): Env {
  return { ROUNDS_CONFIG: plan.configPath, ROUNDS_DATA: plan.dataFolder };
}

function worker(plan: UpPlan): ChildSpec {
  return child(plan, 'worker', ['worker'], {
    ...rounds(plan),
    DATABASE_URL: plan.databaseUrl,
    ROUNDS_QUEUE_URL: plan.queueUrl,
    ROUNDS_CHANGES_TOKEN: plan.env.ROUNDS_CHANGES_TOKEN,
    ROUNDS_SMTP_URL: plan.env.ROUNDS_SMTP_URL,
    ROUNDS_FALLBACK_WEBHOOK: plan.env.ROUNDS_FALLBACK_WEBHOOK,
    ROUNDS_FALLBACK_WEBHOOK_TOKEN: plan.env.ROUNDS_FALLBACK_WEBHOOK_TOKEN,
  });
}

function bot(plan: UpPlan): ChildSpec {
  return child(plan, 'bot', ['bot'], {
    ...rounds(plan),
    DATABASE_URL: plan.databaseUrl,
    ROUNDS_QUEUE_URL: plan.queueUrl,
    SLACK_BOT_TOKEN: plan.slack.botToken,
    SLACK_SIGNING_SECRET: plan.slack.signingSecret,
    SLACK_APP_TOKEN: plan.slack.appToken,
    SLACK_API_URL: plan.slack.apiUrl,
    ROUNDS_BOT_PORT: String(plan.ports.bot),
  });
}

/** The secrets that the configuration names may also stand in our own environment; an agent gets those and no others. */
function agent(plan: UpPlan, location: string): ChildSpec {
  const named = Object.fromEntries(plan.facts.secrets.map((name) => [name, plan.env[name]]));
  return child(plan, `agent-${location}`, ['agent', '--location', location], {
    ...named,
    ...rounds(plan),
    ROUNDS_LOCATION: location,
    ROUNDS_JOURNEYS: plan.journeysFolder,
    ROUNDS_QUEUE_URL: plan.agentQueueUrls[location],
    ROUNDS_SECRETS_DIR: plan.agentSecretsFolder,
    ROUNDS_CHROMIUM: plan.browser?.executablePath,
    ...plan.browser?.env,
  });
}

function desk(plan: UpPlan): ChildSpec {
  const urls = urlsOf(plan);
  return child(plan, 'desk', ['desk'], {
    ...rounds(plan),
    ROUNDS_DESK_PORT: String(plan.ports.desk),
    ROUNDS_DESK_SEED: plan.facts.seed.users.length && plan.facts.seed.channels.length ? JSON.stringify(plan.facts.seed) : undefined,
    ROUNDS_BOT_URL: `${urls.bot}/slack/events`,
    SLACK_SIGNING_SECRET: plan.slack.signingSecret,
    SLACK_BOT_TOKEN: plan.slack.botToken,
    SLACK_APP_TOKEN: plan.slack.appToken,
    CLINIC_URL: urls.clinic,
    CLINIC_CONTROL_URL: urls.clinicControl,
    CLINIC_OPS_TOKEN: plan.clinic?.opsToken,
  });
}

function clinic(plan: UpPlan, sample: NonNullable<UpPlan['clinic']>): ChildSpec {
  return child(plan, 'clinic', ['clinic'], {
    CLINIC_ADMIN_DATABASE_URL: sample.adminUrl,
    CLINIC_PORT: String(plan.ports.clinic),
    CLINIC_CONTROL_PORT: String(plan.ports.clinicControl),
    CLINIC_OPS_TOKEN: sample.opsToken,
    CLINIC_MONITOR_PASSWORD: sample.monitorPassword,
  });
}
