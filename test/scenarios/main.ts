/**
 * `npm run scenarios`: plays all scenarios, or those that the text of `--only` is in, and says which are not as their labels say. With
 * `--all` also what came of the others; `--json` for programs; `--shift 35` begins each so many seconds later by the wall clock, which moves
 * every slot: a label that allows for any slot holds all the same.
 */
import { outcomeInWords, postingInWords } from './show.ts';
import { openPlayer, readCorpus } from './simulate.ts';

const { argv, stdout } = process;
const only = argv.includes('--only') ? (argv[argv.indexOf('--only') + 1] ?? '') : '';
const shiftMs = argv.includes('--shift') ? 1_000 * Number(argv[argv.indexOf('--shift') + 1]) : 0;
const corpus = await readCorpus();
const play = await openPlayer();
const chosen = corpus
  .filter(({ id, area, file }) => [id, area, file].some((text) => text.includes(only)))
  .map((scenario) => ({ ...scenario, start: new Date(Date.parse(scenario.start) + shiftMs).toISOString() }));
const outcomes = chosen.map((scenario) => {
  const beganMs = performance.now();
  return { ...play(scenario), tookMs: performance.now() - beganMs };
});
const failed = outcomes.filter((outcome) => !outcome.passed);
const passed = outcomes.length - failed.length;

if (argv.includes('--json')) {
  const list = outcomes.map(({ scenario, passed, tookMs, postings, error }) => ({
    id: scenario.id,
    area: scenario.area,
    file: scenario.file,
    passed,
    tookMs: Math.round(tookMs),
    postings: postings.map(({ atMs, kind, entry, class: klass, incident, text }) => ({ atMs, kind, entry, class: klass, incident, text })),
    ...(error === undefined ? {} : { error }),
  }));
  stdout.write(`${JSON.stringify({ scenarios: outcomes.length, passed, list }, null, 2)}\n`);
} else {
  for (const outcome of failed) stdout.write(`${outcomeInWords(outcome)}\n\n`);
  if (argv.includes('--all')) {
    for (const { scenario, postings, tookMs } of outcomes.filter((outcome) => outcome.passed)) {
      stdout.write(`✓ ${scenario.id} (${tookMs.toFixed(0)} ms)\n${postings.map((one) => `    ${postingInWords(one)}\n`).join('')}`);
    }
  }
  stdout.write(`${passed} of ${outcomes.length} scenarios\n`);
}
process.exitCode = failed.length === 0 && outcomes.length > 0 ? 0 : 1;
