/** Works out what `rounds up` is to run: which configuration, ports, database and secrets. */
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { findBrowser } from '../scripts/find-browser.ts';
import type { CliContext } from './context.ts';
import { freePort, isFree } from './ports.ts';
import { type EmbeddedPostgres, ensureDatabase } from './postgres.ts';
import { randomSecret, secretOnce, writeSecret } from './secret-files.ts';
import type { UpPlan } from './up-children.ts';
import { journeysBeside, readConfigFacts, writeDemoConfig } from './up-config.ts';
import { agentQueueUrls } from './up-locations.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SAMPLE_CONFIG = join(ROOT, 'examples', 'clinic', 'rounds.yaml');
const PORTS = { desk: 4600, clinic: 4610, clinicControl: 4611, bot: 4620 };
const CLINIC_DATABASE = 'clinic';
/** The role with which the probes look at PostgreSQL in the demo: it sees all sessions and may cancel them, and reads no data. */
const MONITOR_ROLE = 'rounds_monitor';

/** Where data, secrets and state are kept. */
export function dataFolderOf({ options, env }: CliContext): string {
  return resolve(options.data ?? env.ROUNDS_DATA ?? '.rounds');
}

/** Whether the sample clinic runs too: without a configuration, or with one of your own that is about the clinic. */
export function withClinic({ options }: CliContext): boolean {
  return options.config === undefined || options.clinic === 'true';
}

/** Whether the database is somebody else's: never with the sample clinic, since that makes databases and roles. */
export function ownDatabaseUrl(context: CliContext): string | undefined {
  return withClinic(context) ? undefined : context.env.DATABASE_URL;
}

/** The ports that are free now, as near to the usual ones as can be. Throws when the desk's was asked for by name and is taken. */
export async function choosePorts(asked: string | undefined): Promise<UpPlan['ports']> {
  const taken = new Set<number>();
  const ports = { ...PORTS };
  if (asked !== undefined) ports.desk = await askedPort(asked);
  taken.add(ports.desk);
  for (const name of ['desk', 'clinic', 'clinicControl', 'bot'] as const) {
    if (name === 'desk' && asked !== undefined) continue;
    ports[name] = await freePort(PORTS[name], name === 'desk' ? new Set() : taken);
    taken.add(ports[name]);
  }
  return ports;
}

async function askedPort(asked: string): Promise<number> {
  const port = Number(asked);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error(`--port: expected a port from 1 to 65535, got "${asked}".`);
  if (!(await isFree(port)))
    throw new Error(`Port ${port} is taken. Name another with --port, or leave it out and the next free one is taken.`);
  return port;
}

/** The configuration that the processes read: yours, or of the sample clinic a copy with the ports that it really has, written anew. */
export function writeConfig(context: CliContext, ports: UpPlan['ports']): Pick<UpPlan, 'configPath' | 'journeysFolder'> {
  const source = resolve(context.options.config ?? SAMPLE_CONFIG);
  if (!withClinic(context)) return { configPath: source, journeysFolder: dirname(source) };
  const journeysFolder = journeysBeside(source, dirname(SAMPLE_CONFIG));
  const target = join(dataFolderOf(context), 'demo', 'rounds.yaml');
  return { configPath: writeDemoConfig(source, target, ports, journeysFolder), journeysFolder };
}

/** Makes the databases, roles, secrets and the configuration that the processes need, and returns what to run. */
export async function makePlan(context: CliContext, postgres: EmbeddedPostgres | undefined, ports: UpPlan['ports']): Promise<UpPlan> {
  const { env, log } = context;
  const dataFolder = dataFolderOf(context);
  const secretsFolder = join(dataFolder, 'secrets');
  const agentSecretsFolder = join(secretsFolder, 'agents');
  const demo = withClinic(context);
  const { configPath, journeysFolder } = writeConfig(context, ports);
  const withDesk = demo || !env.SLACK_BOT_TOKEN;
  const facts = readConfigFacts(configPath);
  const databaseUrl = await roundsDatabase(context, postgres);
  const queueUrl = queueUrlFor({ env, demo, databaseUrl, log });
  return {
    program: process.execPath,
    programArgs: [join(ROOT, 'cli', 'main.ts')],
    env,
    configPath,
    journeysFolder,
    facts,
    dataFolder,
    databaseUrl,
    queueUrl,
    agentQueueUrls: await agentQueueUrls({ queueUrl, locations: facts.locations, secretsFolder, log }),
    browser: await findBrowser(ROOT, env),
    ports,
    slack: withDesk ? deskSlack(secretsFolder, ports.desk, context.options.socket === 'true') : workspaceSlack(env),
    withDesk,
    clinic: demo && postgres ? await sampleClinic(postgres, agentSecretsFolder) : undefined,
    agentSecretsFolder: demo ? agentSecretsFolder : (env.ROUNDS_SECRETS_DIR ?? agentSecretsFolder),
  };
}

/**
 * Where the queue is. With the sample clinic only on this machine: elsewhere it may be that of an installation that people rely on, whose
 * agents at locations of the same name would lose their password and half of their work to the sample.
 */
export function queueUrlFor({
  env,
  demo,
  databaseUrl,
  log,
}: Pick<CliContext, 'env' | 'log'> & { demo: boolean; databaseUrl: string }): string {
  const told = env.ROUNDS_QUEUE_URL || env.REDIS_URL;
  if (!told) return databaseUrl;
  if (!demo || isHere(told)) return told;
  log.warn({}, 'The queue of the sample clinic stands in its own PostgreSQL: the one in the environment is not on this machine.');
  return databaseUrl;
}

function isHere(url: string): boolean {
  return URL.canParse(url) && ['localhost', '127.0.0.1', '[::1]'].includes(new URL(url).hostname);
}

async function roundsDatabase(context: CliContext, postgres: EmbeddedPostgres | undefined): Promise<string> {
  const own = ownDatabaseUrl(context);
  if (!postgres) {
    if (!own) throw new Error('There is no database: expected DATABASE_URL or the embedded PostgreSQL.');
    return own;
  }
  await ensureDatabase(postgres.adminUrl, 'rounds');
  return postgres.url('rounds');
}

/** With an app-level token the bot uses Socket Mode, at the desk as in a workspace. */
function deskSlack(folder: string, deskPort: number, bySocket: boolean): UpPlan['slack'] {
  return {
    botToken: secretOnce(folder, 'SLACK_BOT_TOKEN', () => `xoxb-${randomSecret()}`),
    signingSecret: secretOnce(folder, 'SLACK_SIGNING_SECRET'),
    appToken: bySocket ? secretOnce(folder, 'SLACK_APP_TOKEN', () => `xapp-${randomSecret()}`) : undefined,
    apiUrl: `http://127.0.0.1:${deskPort}/api/`,
  };
}

function workspaceSlack(env: CliContext['env']): UpPlan['slack'] {
  return {
    botToken: env.SLACK_BOT_TOKEN ?? '',
    signingSecret: env.SLACK_SIGNING_SECRET,
    appToken: env.SLACK_APP_TOKEN,
    apiUrl: env.SLACK_API_URL,
  };
}

async function sampleClinic(postgres: EmbeddedPostgres, folder: string): Promise<NonNullable<UpPlan['clinic']>> {
  // Made here already, so that the first probe finds it however long the clinic takes.
  await ensureDatabase(postgres.adminUrl, CLINIC_DATABASE);
  // The port may be another one than last time, so the address is written anew.
  writeSecret(folder, 'POSTGRES_MAIN_URL', await monitorUrl(postgres, folder));
  return {
    adminUrl: postgres.adminUrl,
    opsToken: secretOnce(folder, 'CLINIC_OPS_TOKEN'),
    monitorPassword: secretOnce(folder, 'MONITOR_PASSWORD'),
  };
}

async function monitorUrl(postgres: EmbeddedPostgres, folder: string): Promise<string> {
  const password = secretOnce(folder, 'POSTGRES_MAIN_PASSWORD');
  const client = new pg.Client({ connectionString: postgres.adminUrl });
  await client.connect();
  try {
    const found = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [MONITOR_ROLE]);
    const verb = found.rowCount ? 'ALTER' : 'CREATE';
    await client.query(`${verb} ROLE ${MONITOR_ROLE} LOGIN PASSWORD ${client.escapeLiteral(password)}`);
    await client.query(`GRANT pg_monitor, pg_signal_backend TO ${MONITOR_ROLE}`);
  } finally {
    await client.end();
  }
  return `postgres://${MONITOR_ROLE}:${password}@127.0.0.1:${postgres.port}/${CLINIC_DATABASE}`;
}
