/** What the desk is told by its environment, checked. */

import { z } from 'zod';

/** Somebody who sits at the desk. The id is fixed, because the configuration maps people by their Slack user id. */
export interface Person {
  id: string;
  name: string;
}

/** One line of the composer's help: what can be typed, and what it does. */
export interface CommandHint {
  usage: string;
  summary: string;
}

/** Where the sample clinic is switched, and the token for it. The token stays on the server. */
export interface ClinicSettings {
  controlUrl: string;
  token: string;
  pagesUrl: string;
}

export interface DeskSettings {
  port: number;
  signingSecret: string;
  botToken: string;
  /** The app-level token with which the bot may use Socket Mode; without one it cannot. */
  appToken: string | undefined;
  botUrl: string;
  channels: string[];
  people: Person[];
  commands: CommandHint[];
  clinic?: ClinicSettings;
}

const slackId = z.string().regex(/^[UW][A-Z0-9]{2,}$/, 'expected a Slack user id such as U0ANA');
const channelName = z
  .string()
  .transform((name) => name.replace(/^#/, ''))
  .pipe(z.string().regex(/^[a-z0-9_-]{1,80}$/, 'expected a Slack channel name such as billing-incidents'));

const seedSchema = z.object({
  channels: z.array(channelName).min(1),
  users: z.array(z.object({ id: slackId, name: z.string().min(1) })).min(1),
  commands: z.array(z.object({ usage: z.string(), summary: z.string() })).optional(),
});

const DEFAULT_SEED = {
  channels: ['billing-incidents', 'operations', 'service-reports'],
  users: [
    { id: 'U0ANA', name: 'Ana' },
    { id: 'U0BEN', name: 'Ben' },
  ],
};

const DEFAULT_COMMANDS: CommandHint[] = [
  { usage: '/rounds status [service]', summary: 'How the services are' },
  { usage: '/rounds incidents', summary: 'What is open' },
  { usage: '/rounds report [REPORT] [--here]', summary: 'How the last 24 hours went' },
  { usage: '/rounds run [CHECK]', summary: 'Run a check now' },
  { usage: '/rounds why INCIDENT', summary: 'Why it was classified and posted' },
  { usage: '/rounds slo [service]', summary: 'What is left of the error budgets' },
  { usage: '/rounds tenants', summary: 'Who drives the load' },
  { usage: '/rounds changes', summary: 'What was deployed' },
  { usage: '/rounds silence billing 30m "known"', summary: 'Keep posts back' },
  { usage: '/rounds oncall', summary: 'Who is on call' },
  { usage: '/rounds help', summary: 'What can be typed' },
];

const environmentSchema = z.object({
  ROUNDS_DESK_PORT: z.coerce.number().int().min(1).max(65_535).default(4600),
  SLACK_SIGNING_SECRET: z.string().min(8),
  SLACK_BOT_TOKEN: z.string().startsWith('xoxb-', 'expected a bot token, which begins with xoxb-'),
  SLACK_APP_TOKEN: z.string().startsWith('xapp-', 'expected an app-level token, which begins with xapp-').optional(),
  ROUNDS_BOT_URL: z.url(),
  ROUNDS_DESK_SEED: z.string().optional(),
  CLINIC_CONTROL_URL: z.url().optional(),
  CLINIC_OPS_TOKEN: z.string().optional(),
  CLINIC_URL: z.url().default('http://127.0.0.1:4610'),
});

type Environment = z.infer<typeof environmentSchema>;

/**
 * The desk's settings out of the environment.
 * @throws with one sentence for each variable that is missing or wrong.
 */
export function readSettings(env: Readonly<Record<string, string | undefined>>): DeskSettings {
  const parsed = environmentSchema.safeParse(dropEmpty(env));
  if (!parsed.success) throw new Error(parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('\n'));
  const seed = readSeed(parsed.data.ROUNDS_DESK_SEED);
  const clinic = clinicSettings(parsed.data);
  return {
    port: parsed.data.ROUNDS_DESK_PORT,
    signingSecret: parsed.data.SLACK_SIGNING_SECRET,
    botToken: parsed.data.SLACK_BOT_TOKEN,
    appToken: parsed.data.SLACK_APP_TOKEN,
    botUrl: parsed.data.ROUNDS_BOT_URL,
    channels: seed.channels,
    people: seed.users,
    commands: seed.commands ?? DEFAULT_COMMANDS,
    ...(clinic ? { clinic } : {}),
  };
}

function dropEmpty(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => Boolean(entry[1])));
}

function readSeed(text: string | undefined): z.infer<typeof seedSchema> {
  if (text === undefined) return DEFAULT_SEED;
  const parsed = seedSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new Error(parsed.error.issues.map((issue) => `ROUNDS_DESK_SEED.${issue.path.join('.')}: ${issue.message}`).join('\n'));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('ROUNDS_DESK_SEED: expected JSON such as {"channels":["operations"],"users":[{"id":"U0ANA","name":"Ana"}]}');
  }
}

function clinicSettings(env: Environment): ClinicSettings | undefined {
  if (!env.CLINIC_CONTROL_URL) return undefined;
  const trim = (url: string): string => url.replace(/\/+$/, '');
  return { controlUrl: trim(env.CLINIC_CONTROL_URL), token: env.CLINIC_OPS_TOKEN ?? '', pagesUrl: trim(env.CLINIC_URL) };
}
