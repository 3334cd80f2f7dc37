import { describe, expect, it } from 'vitest';
import { outcomeInWords } from './show.ts';
import { openPlayer, readCorpus } from './simulate.ts';

/** As many as there must be. */
const LEAST = 240;

/** What the corpus must speak of: a word of the area's name. */
const AREAS = [
  'classes',
  'tenant',
  'location',
  'quorum',
  'tier',
  'layer',
  'agents',
  'flapping',
  'clocks',
  'DST',
  'recovery',
  'maintenance',
  'storm',
];

const corpus = await readCorpus();
const play = await openPlayer();

describe('the corpus', () => {
  it('has enough scenarios, each with a name of its own', () => {
    const ids = corpus.map(({ id }) => id);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
    expect(ids.length).toBeGreaterThanOrEqual(LEAST);
  });

  it.each(AREAS)('speaks of %s', (word) => {
    expect(corpus.filter(({ area }) => area.includes(word)).length).toBeGreaterThan(0);
  });
});

describe.each([...Map.groupBy(corpus, ({ area }) => area)])('%s', (_area, scenarios) => {
  it.each(scenarios.map((scenario) => [scenario.id, scenario] as const))('%s', (_id, scenario) => {
    const outcome = play(scenario);
    if (!outcome.passed) expect.fail(outcomeInWords(outcome));
  });
});
