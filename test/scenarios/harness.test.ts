import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readScenarios, type Scenario } from './format.ts';
import { outcomeInWords } from './show.ts';
import { openPlayer } from './simulate.ts';

const HEAD = 'area: the harness\nlayout: clinics\nscenarios:\n';
const BILLING_DOWN = '{ at: 60s, until: 10m, fail: post-invoice/riverside }';
const OPENED = '{ between: [60s, 145s], open: partial outage, as: A, about: [billing], tenants: [riverside] }';
const RESOLVED = '{ between: [705s, 790s], resolve: A }';

interface Parts {
  events?: string[];
  want?: string[];
  lasts?: string;
}

function scenario({ events = [BILLING_DOWN], want = [OPENED, RESOLVED], lasts = '14m' }: Parts): Scenario {
  const list = (name: string, entries: string[]) =>
    entries.length === 0 ? `    ${name}: []\n` : `    ${name}:\n${entries.map((entry) => `      - ${entry}\n`).join('')}`;
  const text = `  - id: one\n    title: One\n    rule: of the harness itself\n    for: ${lasts}\n${list('events', events)}${list('want', want)}`;
  return readScenarios('one.yaml', HEAD + text)[0]!;
}

const play = await openPlayer();
const outcomeOf = (parts: Parts) => outcomeInWords(play(scenario(parts)));
const passes = (parts: Parts) => play(scenario(parts)).passed;

describe('a scenario that is not of its format', () => {
  const said = (yaml: string) => {
    try {
      readScenarios('one.yaml', HEAD + yaml);
      return 'nothing';
    } catch (error) {
      return (error as Error).message;
    }
  };
  const one = (events: string, want = '[]') =>
    `  - { id: one, title: One, rule: of the harness itself, for: 5m, events: [${events}], want: ${want} }\n`;

  it.each([
    ['a time', one('{ at: soon, fail: a }'), 'one.yaml one events[0].at: expected a time such as 0s, 90s or 10m, got "soon"'],
    ['an event', one('{ at: 0s, falls: a }'), 'one.yaml one events[0]: expected one of fail, blips, lose'],
    ['a field', one('{ at: 0s, lose: north, by: 3s }'), 'one.yaml one events[0]: Unrecognized key: "by"'],
    [
      'a sign',
      one('{ at: 0s, agent: north, by: 3s }'),
      'one.yaml one events[0].by: expected a span with its sign such as +2h or -90s, got "3s"',
    ],
    ['a class', one('', '[{ between: [0s, 9s], open: outage }]'), 'one.yaml one want[0].open: Invalid option'],
    ['an order', one('', '[{ between: [9s, 0s], open: risk }]'), 'one.yaml one want[0].between: expected the earlier time first'],
    ['a letter', one('', '[{ between: [0s, 9s], resolve: A }]'), 'one.yaml one want: A is opened nowhere; say open: …, as: A'],
    ['YAML', '  - {', 'one.yaml: '],
  ])('is refused with its place: %s', (_what, yaml, message) => {
    expect(said(yaml)).toContain(message);
  });

  it('is no scenario when an event means no check or no location', () => {
    expect(outcomeOf({ events: ['{ at: 0s, fail: post-invoices/* }'] })).toContain(
      'an event means "post-invoices/*", and no check is called so',
    );
    expect(outcomeOf({ events: ['{ at: 0s, lose: moon }'] })).toContain('an event is of "moon", and no location is called so');
  });
});

describe('labels are held to the second and to the word', () => {
  it('passes when all that came is wanted, and all that is wanted came', () => {
    expect(passes({})).toBe(true);
  });

  it.each<[string, Parts, string]>([
    ['what no want names', { want: [OPENED] }, 'unnamed'],
    ['what is wanted twice', { want: [OPENED, RESOLVED, '{ between: [705s, 790s], resolve: A }'] }, 'it came, but not so often'],
    ['what came too late', { want: ['{ between: [60s, 70s], open: partial outage, as: A }', RESOLVED] }, 'it came at'],
    ['another class', { want: ['{ between: [60s, 145s], open: full interruption, as: A }', RESOLVED] }, 'nothing like it came'],
    ['another service', { want: [OPENED.replace('billing', 'reports'), RESOLVED] }, 'about [billing], wanted [reports]'],
    [
      'other clinics',
      { want: [OPENED.replace('[riverside]', '[riverside, hillcrest]'), RESOLVED] },
      'tenants [riverside], wanted [riverside, hillcrest]',
    ],
    ['other words', { want: [OPENED.replace(' }', ', says: [2 of 3] }'), RESOLVED] }, 'does not say "2 of 3"'],
    ['words that must not be', { want: [OPENED.replace(' }', ', omits: [riverside clinic] }'), RESOLVED] }, 'says "riverside clinic"'],
    [
      'another state at a second',
      { want: [OPENED, RESOLVED, '{ at: 300s, shows: A, class: risk }'] },
      'showed class partial outage, wanted risk',
    ],
    ['what nothing brings about', { events: [] }, 'nothing was posted at all'],
  ])('fails for %s', (_what, parts, words) => {
    expect(passes(parts)).toBe(false);
    expect(outcomeOf(parts)).toContain(words);
  });

  it('tells two incidents apart by what they are about', () => {
    const events = ['{ at: 60s, fail: redis }', '{ at: 60s, fail: postgres-main }'];
    const opens = (first: string, second: string) => [
      `{ between: [60s, 145s], open: risk, as: A, about: [${first}] }`,
      `{ between: [60s, 145s], open: risk, as: B, about: [${second}] }`,
    ];
    expect(passes({ events, lasts: '5m', want: opens('redis', 'postgres-main') })).toBe(true);
    expect(passes({ events, lasts: '5m', want: opens('postgres-main', 'redis') })).toBe(true);
    expect(passes({ events, lasts: '5m', want: opens('redis', 'redis') })).toBe(false);
  });
});

describe('time is simulated as it passes', () => {
  it('by the same bounds as the processes have', async () => {
    const bounds: [string, string, string][] = [
      ['HORIZON_MS', 'jobs/plan.ts', 'world.ts'],
      ['PLANNING_GAP_MS', 'jobs/deps.ts', 'world.ts'],
      ['REPORT_GRACE_MS', 'jobs/sweep.ts', 'world.ts'],
      ['NOT_AFTER_MS', 'jobs/ask.ts', 'world.ts'],
      ['MAX_WAIT_MS', 'agents/round.ts', 'agents.ts'],
      ['GATHER_MS', 'agents/round.ts', 'agents.ts'],
    ];
    const root = join(import.meta.dirname, '../..');
    const valueIn = async (file: string, name: string) =>
      new RegExp(`const (?:ASK_)?${name} = ([\\d_]+);`).exec(await readFile(join(root, file), 'utf8'))?.[1];
    for (const [name, product, harness] of bounds) {
      const value = await valueIn(product, name);
      expect(value, `${name} of ${product}`).toBeDefined();
      expect(await valueIn(`test/scenarios/${harness}`, name), name).toBe(value);
    }
  });

  it('a failure is posted no sooner than its attempts take', () => {
    const postedAt = (events: string[]) => play(scenario({ events, want: [], lasts: '5m' })).postings[0]?.atMs ?? 0;
    const slow = postedAt(['{ at: 60s, fail: post-invoice/riverside }']);
    const quick = postedAt(['{ at: 60s, fail: post-invoice/riverside, kind: connection-refused }']);
    // Two time-outs of 10 s against two refusals of 0.5 s, judged once a second.
    expect(slow - quick).toBe(19_000);
  });

  it('one scenario is the same each time it is played', () => {
    const events = ['{ at: 0s, blips: ["*"], chance: 0.4, seed: 3 }'];
    const texts = () => play(scenario({ events, want: [] })).postings.map(({ atMs, text }) => `${atMs} ${text}`);
    expect(texts().length).toBeGreaterThan(3);
    expect(texts()).toEqual(texts());
  });

  it('every attempt fails when the chance is one, and none when it is nought', () => {
    const opens = (chance: number) => {
      const { postings } = play(
        scenario({ events: [`{ at: 60s, blips: book/riverside, chance: ${chance}, seed: 3 }`], want: [], lasts: '5m' }),
      );
      return postings.filter(({ kind }) => kind === 'open').length;
    };
    expect(opens(1)).toBe(1);
    expect(opens(0)).toBe(0);
  });
});
