/** `npm run bench`: the only file here that reads the environment. */
import { runBench } from './program.ts';

const end = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => end.abort(new Error('Stopped before the end.')));

process.exitCode = await runBench(
  process.argv,
  process.env,
  { out: (text) => void process.stdout.write(text), err: (text) => void process.stderr.write(text) },
  end.signal,
);
