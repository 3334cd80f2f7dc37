/** The benchmarks by name, their options and their help. */
import { Command, Option } from 'commander';
import { closest } from 'fastest-levenshtein';
import { queueOption } from './backend.ts';
import type { BenchContext, Benchmark } from './benchmark.ts';
import { tableOf } from './table.ts';

interface Entry {
  name: string;
  summary: string;
  options: Option[];
  load(): Promise<Benchmark>;
}

const count = (flags: string, words: string, usual: number) => new Option(flags, `${words} (default: ${usual})`);

const BENCHMARKS: readonly Entry[] = [
  {
    name: 'pipeline',
    summary: 'scheduled HTTP checks through worker, agent, queue and PostgreSQL: checks per CPU second, how late they begin, memory',
    options: [
      count('--runs <count>', 'how often everything is started anew and measured', 3),
      count('--seconds <count>', 'the length of a window', 30),
      count('--warm-up <seconds>', 'how long it runs before the window', 15),
      count('--checks <count>', 'checks in the configuration', 5_000),
      count('--every <seconds>', 'the interval of each', 5),
      queueOption(),
      new Option('--profile <folder>', 'keep CPU profiles of worker and agent there; the figures of such a run do not count'),
    ],
    load: async () => (await import('./pipeline/pipeline.ts')).pipeline,
  },
  {
    name: 'journey',
    summary: 'a journey through the sample clinic: CPU beside the same steps on bare Playwright, and what an empty step costs',
    options: [
      count('--runs <count>', 'pairs of turns, one of ours and one of bare Playwright', 9),
      count('--journeys <count>', 'journeys in a turn', 8),
      count('--warm-up <count>', 'journeys of each side before the first turn', 5),
    ],
    load: async () => (await import('./journey/journey.ts')).journey,
  },
  {
    name: 'alert',
    summary: 'targets that break at random moments: how soon their post is at Slack, from the first failure and from the verdict',
    options: [count('--incidents <count>', 'targets that break, each once, a third of them by silence', 30), queueOption()],
    load: async () => (await import('./alert/alert.ts')).alert,
  },
  {
    name: 'judge',
    summary:
      'results evaluated and stored per CPU second beside a bare COPY, start lateness of 30,000 runs a minute, status over 50 million results, bytes',
    options: [
      count('--runs <count>', 'how often folding is started anew and measured', 3),
      count('--checks <count>', 'checks from three locations every 60 s, for folding and for lateness', 10_000),
      count('--results <count>', 'results that are folded in a run, after every check was folded twice', 240_000),
      count('--warm-up <seconds>', 'how long everything runs before lateness is measured', 75),
      count('--seconds <count>', 'the length of the window of lateness', 60),
      count('--stored-checks <count>', 'checks of which two hours are stored to see what they take', 500),
      count('--status-results <count>', 'results that are there while a status is asked for', 50_000_000),
      new Option('--only <part>', 'one part alone').choices(['fold', 'lateness', 'status', 'bytes']),
      new Option('--queue <backend>', 'what the queue stands on for lateness (default: postgres)').choices(['postgres', 'redis']),
      new Option('--profile <folder>', 'keep CPU profiles of the folding there; the figures of such a run do not count'),
    ],
    load: async () => (await import('./judge/judge.ts')).judge,
  },
];

export interface BenchIo {
  out(text: string): void;
  err(text: string): void;
}

/** Runs the benchmark that the command line names. Resolves to the exit code. stdout gets the figures and nothing else. */
export async function runBench(argv: readonly string[], env: BenchContext['env'], io: BenchIo, signal: AbortSignal): Promise<number> {
  let code = 0;
  const program = new Command('bench')
    .description(
      'Measures Rounds on this machine (Linux). Figures are medians of several runs, with a baseline of the same run beside them.',
    )
    .configureOutput({ writeOut: io.out, writeErr: io.err })
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [benchmark]', 'show the help of a benchmark')
    .exitOverride()
    .addHelpText('after', '\nExamples:\n  $ npm run bench -- pipeline\n  $ npm run --silent bench -- journey --json > journey.json');
  for (const entry of BENCHMARKS) addBenchmark(program, entry, env, io, signal);
  program.on('command:*', ([name]: string[]) => {
    io.err(unknown(name ?? ''));
    code = 1;
  });
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    code = exitCodeOf(error, io);
  }
  return code;
}

function addBenchmark(program: Command, entry: Entry, env: BenchContext['env'], io: BenchIo, signal: AbortSignal): void {
  const command = program.command(entry.name).summary(entry.summary).description(`Measures ${entry.summary}.`);
  for (const option of entry.options) command.addOption(option);
  command.option('--json', 'one JSON object on stdout');
  command.action(async () => {
    const { json, ...options } = command.opts<{ json?: boolean } & Record<string, string | undefined>>();
    const benchmark = await entry.load();
    const figures = await benchmark({ env, options, signal, say: (line) => io.err(`${line}\n`) });
    io.out(json ? `${JSON.stringify(figures)}\n` : tableOf(figures));
  });
}

function unknown(name: string): string {
  const nearest = closest(
    name,
    BENCHMARKS.map((entry) => entry.name),
  );
  return `There is no benchmark "${name}". Did you mean "${nearest}"? Type: npm run bench -- ${nearest} --help\n`;
}

/** Commander throws where it would end the process, after it has said why. */
function exitCodeOf(error: unknown, io: BenchIo): number {
  const { code, exitCode, message } = error as { code?: string; exitCode?: number; message: string };
  if (code?.startsWith('commander.')) return exitCode ?? 1;
  io.err(`${message}\n`);
  return 1;
}
