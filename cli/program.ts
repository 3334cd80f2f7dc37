/** The verbs of `rounds`, their options and their help. Each verb's code is loaded only when it is called. */
import { Command, Option } from 'commander';
import { closest } from 'fastest-levenshtein';
import { type CliContext, type Io, terminalIo } from './context.ts';

type Env = Readonly<Record<string, string | undefined>>;
type Options = Record<string, string | undefined>;
type Run = (context: CliContext, argument: string, second: string) => Promise<number | undefined>;

interface VerbHelp {
  name: string;
  /** One line in the list of verbs. */
  summary: string;
  argument?: [name: string, description: string];
  second?: [name: string, description: string];
  options?: Option[];
  examples?: string;
  run: Run;
}

const config = () => new Option('--config <file>', 'the configuration (default: ROUNDS_CONFIG, else rounds.yaml)');
const location = () => new Option('--location <id>', 'a location of the configuration');
/** May be given several times, or once with commas. */
const some = (flags: string, help: string) =>
  new Option(flags, help).argParser((value: string, before?: string) => (before === undefined ? value : `${before},${value}`));

const VERBS: VerbHelp[] = [
  {
    name: 'up',
    summary: 'run everything on this machine: PostgreSQL, worker, bot, agents, and the sample clinic with a local Slack desk',
    options: [
      new Option('--config <file>', 'your configuration; without it the sample clinic is started'),
      new Option(
        '--clinic',
        'start the sample clinic with a configuration of your own, such as a changed copy of examples/clinic/rounds.yaml',
      ),
      new Option('--port <port>', 'the port of the desk (default: 4600, or the next free one)'),
      new Option('--socket', 'let the bot speak with the desk by Socket Mode instead of signed HTTP'),
      new Option('--data <folder>', 'where data, secrets and state are kept (default: .rounds)'),
      new Option('--verbose', 'show every log line of every process'),
    ],
    examples: `Examples:
  $ rounds up                          the sample clinic; open the address that is printed
  $ rounds up --config rounds.yaml     your services; the desk stands in for Slack
  $ SLACK_BOT_TOKEN=… SLACK_SIGNING_SECRET=… rounds up --config rounds.yaml
                                       your services in your Slack workspace

With --config, DATABASE_URL in the environment takes the place of the embedded PostgreSQL.
Ctrl-C stops all of it. What it knows is kept for the next start.`,
    run: async (context) => (await import('./up.ts')).up(context),
  },
  {
    name: 'agent',
    summary: 'run the checks of one location',
    options: [location().makeOptionMandatory(), config()],
    examples: `Example:
  $ ROUNDS_QUEUE_URL=… rounds agent --location north

Secrets are read from the folder in ROUNDS_SECRETS_DIR or from the environment of this process.`,
    run: async (context) => serveVerb(context, `agent-${context.options.location}`, async () => (await import('../agents/main.ts')).start),
  },
  {
    name: 'worker',
    summary: 'plan the checks, judge the results, keep the incidents',
    options: [config()],
    examples: 'Example:\n  $ DATABASE_URL=… rounds worker --config rounds.yaml',
    run: async (context) => serveVerb(context, 'worker', async () => (await import('../jobs/main.ts')).start),
  },
  {
    name: 'bot',
    summary: 'speak in Slack: alerts, buttons, commands',
    options: [config()],
    examples: 'Example:\n  $ DATABASE_URL=… SLACK_BOT_TOKEN=… SLACK_SIGNING_SECRET=… rounds bot --config rounds.yaml',
    run: async (context) => serveVerb(context, 'bot', async () => (await import('../bot/main.ts')).start),
  },
  {
    name: 'desk',
    summary: 'a local Slack in the browser (part of "up")',
    run: async (context) => serveVerb(context, 'desk', async () => (await import('../bot/desk/main.ts')).start),
  },
  {
    name: 'clinic',
    summary: 'the sample clinic, to be watched and broken (part of "up")',
    run: async (context) => serveVerb(context, 'clinic', async () => (await import('../examples/clinic/main.ts')).start),
  },
  {
    name: 'validate',
    summary: 'read a configuration and name every error in it',
    argument: ['<file>', 'for instance rounds.yaml'],
    examples:
      'Example:\n  $ rounds validate rounds.yaml\n  rounds.yaml:47:12 checks.post-invoice.every: expected a duration such as 30s or 5m, got "fast"\n\nExit code: 0 when it is valid, else 1.',
    run: async ({ io }, file) => (await import('./validate.ts')).validate(file, io),
  },
  {
    name: 'plan',
    summary: 'show what a changed configuration would add, change and retire; nothing is applied',
    argument: ['[file]', 'the configuration (default: ROUNDS_CONFIG, else rounds.yaml)'],
    options: [
      new Option('--against <file>', 'hold it against this file instead of what is in force'),
      new Option('--json', 'for machines'),
      config(),
    ],
    examples:
      'Examples:\n  $ DATABASE_URL=… rounds plan rounds.yaml\n  $ rounds plan rounds.yaml --against before.yaml\n\nExit code: 0 when nothing would change, 2 when something would, 1 when the file has problems.',
    run: async (context, file) => (await import('./plan.ts')).plan(context, file),
  },
  {
    name: 'reload',
    summary: 'put a configuration in force for every worker and bot, without stopping any',
    argument: ['[file]', 'the configuration (default: ROUNDS_CONFIG, else rounds.yaml)'],
    options: [config()],
    examples:
      'Example:\n  $ DATABASE_URL=… rounds reload rounds.yaml\n\nShows the plan, applies it, and says who has taken it over. A worker that is told SIGHUP does the same with its own file.\nExit code: 0 when it is in force, 1 when the file has problems; then nothing was changed.',
    run: async (context, file) => (await import('./reload.ts')).reload(context, file),
  },
  {
    name: 'schema',
    summary: 'print the JSON Schema of the configuration, for editors',
    examples:
      'Example:\n  $ rounds schema > rounds.schema.json\n\nThen, as the first line of rounds.yaml:  # yaml-language-server: $schema=rounds.schema.json',
    run: async (context) => (await import('./schema.ts')).schema(context),
  },
  {
    name: 'run',
    summary: 'run one check once and show its steps and times; nothing is recorded, nobody is told',
    argument: ['<check>', 'for instance post-invoice/riverside'],
    options: [config(), location()],
    examples:
      'Examples:\n  $ rounds run sign-in/riverside\n  $ rounds run sign-in/riverside --config rounds.yaml --location north\n\nExit code: 0 when the check is up, 1 when it is degraded or down, 2 when it could not be run.',
    run: async (context, check) =>
      (await import('./run.ts')).run(check, { config: context.options.config, location: context.options.location }, context),
  },
  {
    name: 'location',
    summary: 'give the agents of a location credentials for its queues, and for nothing else',
    argument: ['<add>', 'what to do: add, also for a new password'],
    second: ['<location>', 'a location of the configuration'],
    options: [config()],
    examples:
      'Examples:\n  $ DATABASE_URL=… rounds location add north                a role of PostgreSQL\n  $ REDIS_URL=rediss://… rounds location add north          an ACL user of Redis\n\nNeeds an address with the right to make roles or ACL users. Prints the address for the agent, which is a secret.',
    run: async (context, action, id) => (await import('./location.ts')).location(context, action, id),
  },
  {
    name: 'report',
    summary: 'how the last 24 hours went: availability, p50 and p95, what was late or missed',
    argument: ['[report]', 'a report of the configuration (default: all services)'],
    options: [config(), new Option('--json', 'all numbers as JSON')],
    examples:
      'Examples:\n  $ DATABASE_URL=… rounds report\n  $ DATABASE_URL=… rounds report morning-rounds --json\n\nNothing is recorded, nobody is told.',
    run: async (context, name) => (await import('./report.ts')).report(name, context),
  },
  {
    name: 'change',
    summary: 'tell Rounds of a change (a deployment, a migration …), or list those of late',
    argument: ['<action>', 'add or list'],
    second: ['[title]', 'what was changed, in quotes'],
    options: [
      new Option('--kind <kind>', 'deployment, migration, configuration, ingress or other (default: deployment)'),
      some('--service <id>', 'a service that it touches; may be repeated'),
      some('--component <id>', 'a component that it touches; may be repeated'),
      some('--tenant <id>', 'a tenant that it touches; may be repeated'),
      new Option('--at <time>', 'when: 10:41, "2026-01-31 10:41" or 2026-01-31T10:41:00Z (default: now)'),
      new Option('--by <who>', 'who (default: your name on this machine)'),
      new Option('--url <address>', 'where more is to be read'),
      new Option('--release <version>', 'such as 4.12.0'),
      new Option('--outcome <outcome>', 'begun, done or failed (default: done); begun needs --id'),
      new Option('--id <id>', 'what is added with the same id is the same change'),
      new Option('--since <duration>', 'of list: how far back (default: 24h)'),
      new Option('--json', 'of list: for machines'),
    ],
    examples:
      'Examples:\n  $ rounds change add "billing 4.12.0" --service billing --at 10:41 --by ana\n  $ rounds change add "shard 3 moved" --kind migration --component postgres-main --outcome begun --id move-3\n  $ rounds change list --since 7d --service billing\n\nGoes into the database of DATABASE_URL, else of the "rounds up" that runs in this folder. Exit code: 0, or 1 with what was expected.',
    run: async (context, action, title) => (await import('./change.ts')).change(context, action, title),
  },
  {
    name: 'slo',
    summary: 'objectives as OpenSLO v1 documents, out of the configuration and into it',
    argument: ['<action>', 'export or import'],
    second: ['[files...]', 'the documents to import'],
    options: [config()],
    examples:
      'Examples:\n  $ rounds slo export > slos.yaml\n  $ rounds slo import slos.yaml\n\nImporting prints what to put into rounds.yaml, or what cannot be evaluated, where it stands and why. Nothing is changed.\nExit code: 0, or 1 when something cannot be evaluated.',
    run: async (context, action, files) => (await import('./slo.ts')).slo(action, files.split('\n').filter(Boolean), context),
  },
  {
    name: 'replay',
    summary: 'decide once more what was decided, and see that it comes out the same; or what another configuration would have posted',
    options: [
      new Option(
        '--from <time>',
        'begin at the checkpoint before: 10:41, "2026-01-31 10:41" or 2026-01-31T10:41:00Z (default: all that is kept)',
      ),
      new Option('--until <time>', 'what was decided later is left out'),
      new Option('--config <file>', 'the same history under this configuration: what would have been posted'),
      new Option('--json', 'for machines'),
    ],
    examples:
      'Examples:\n  $ rounds replay                                     4,320 results, 31 judgements, 12 decisions: the same\n  $ rounds replay --from 22:00 --config tighter.yaml   what would that rule have done last night?\n\nReads the database of DATABASE_URL, else of the "rounds up" that runs in this folder; changes nothing.\nExit code: 0 when it comes out the same, 1 with each difference and its place, 2 when it cannot be replayed.',
    run: async (context) => (await import('./replay.ts')).replay(context),
  },
  {
    name: 'migrate',
    summary: 'bring the database in DATABASE_URL to the shape that this version needs',
    examples: 'Example:\n  $ DATABASE_URL=postgres://… rounds migrate',
    run: async (context) => (await import('./migrate.ts')).migrateDatabase(context),
  },
];

/** Runs the verb that the command line names. Resolves to the exit code, or to `undefined` when a server was started and goes on. */
export async function runProgram(argv: readonly string[], env: Env, io: Io = terminalIo()): Promise<number | undefined> {
  let code: number | undefined = 0;
  const program = new Command('rounds')
    .description(
      'Rounds makes the rounds of a healthcare SaaS, and tells the people on call what is wrong, for whom, why, and what to press.',
    )
    .configureOutput({ writeOut: io.out, writeErr: io.err })
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [verb]', 'show the help of a verb')
    .exitOverride()
    .addHelpText(
      'after',
      '\nExamples:\n  $ rounds up                       watch a sample clinic, break it, see it repaired\n  $ rounds validate rounds.yaml     before a change goes live\n  $ rounds help up                  what a verb takes',
    );
  for (const verb of VERBS) addVerb(program, verb, env, io, (result) => (code = result));
  program.on('command:*', ([name]: string[]) => {
    io.err(unknownVerb(name ?? ''));
    code = 1;
  });
  try {
    await program.parseAsync([...argv]);
    return code;
  } catch (error) {
    return exitCodeOf(error, io);
  }
}

function addVerb(program: Command, verb: VerbHelp, env: Env, io: Io, done: (code: number | undefined) => void): void {
  const command = program
    .command(verb.name)
    .summary(verb.summary)
    .description(`${verb.summary.charAt(0).toUpperCase()}${verb.summary.slice(1)}.`);
  if (verb.argument) command.argument(...verb.argument);
  if (verb.second) command.argument(...verb.second);
  for (const option of verb.options ?? []) command.addOption(option);
  if (verb.examples) command.addHelpText('after', `\n${verb.examples}`);
  command.action(async (...received: unknown[]) => {
    const argument = verb.argument ? String(received[0] ?? '') : '';
    // Of several, each on a line.
    const second = verb.second ? [received[1] ?? []].flat().join('\n') : '';
    const options = textOptions(command.opts());
    const { makeLog } = await import('./log.ts');
    const name = options.location && verb.name === 'agent' ? `agent-${options.location}` : verb.name;
    const log = await makeLog({ name, level: env.ROUNDS_LOG_LEVEL ?? 'info', terminal: io.terminal });
    done(await verb.run({ env, log, io, options }, argument, second));
  });
}

/** A switch is there as "true"; what was not given is not there. */
function textOptions(options: Record<string, unknown>): Options {
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [name, value === undefined ? undefined : String(value)]));
}

async function serveVerb(context: CliContext, name: string, load: () => Promise<import('../core/process.ts').Start>): Promise<undefined> {
  const { serve } = await import('./serve.ts');
  await serve(name, load, context);
}

function unknownVerb(name: string): string {
  const nearest = closest(
    name,
    VERBS.map((verb) => verb.name),
  );
  return `rounds has no verb "${name}". Did you mean "${nearest}"? Type: rounds ${nearest} --help\n`;
}

/** Commander throws where it would end the process, after it has said why; anything else is an error of a verb. */
function exitCodeOf(error: unknown, io: Io): number {
  const { code, exitCode, message } = error as { code?: string; exitCode?: number; message: string };
  if (code?.startsWith('commander.')) return exitCode ?? 1;
  io.err(`${message}\n`);
  return 1;
}
