/** Reads the scenarios and plays them. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../../core/config/model.ts';
import { readScenarios, type Scenario } from './format.ts';
import type { Posting } from './judging.ts';
import { type Layout, readLayouts } from './layouts.ts';
import { letterOf, type Match, match } from './match.ts';
import { Timeline } from './timeline.ts';
import { World } from './world.ts';

/** What came of a scenario. */
export interface Outcome {
  scenario: Scenario;
  passed: boolean;
  postings: readonly Posting[];
  match?: Match;
  /** Why it could not be played. */
  error?: string;
}

/** Every scenario of the folder, in the order of the files. Throws for everything that is wrong in any of them. */
export async function readCorpus(folder = import.meta.dirname): Promise<Scenario[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.yaml')).sort();
  const read = await Promise.allSettled(files.map(async (file) => readScenarios(file, await readFile(join(folder, file), 'utf8'))));
  const wrong = read.flatMap((one) => (one.status === 'rejected' ? [String((one.reason as Error).message)] : []));
  if (wrong.length > 0) throw new Error(wrong.join('\n'));
  return read.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
}

/** A player that knows the layouts. */
export async function openPlayer(): Promise<(scenario: Scenario) => Outcome> {
  const layouts = await readLayouts();
  return (scenario) => {
    try {
      return play(scenario, layouts);
    } catch (error) {
      return { scenario, passed: false, postings: [], error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
  };
}

function play(scenario: Scenario, layouts: ReadonlyMap<string, Layout>): Outcome {
  const config = layoutOf(scenario.layout, layouts);
  const later = scenario.events.flatMap((event) => (event.is === 'config' ? [event.config] : []));
  const others = new Map(later.map((name) => [name, layoutOf(name, layouts)]));
  const configs = [config, ...others.values()];
  const checks = [...new Set(configs.flatMap((one) => Object.keys(one.checks)))];
  const timeline = new Timeline(scenario.events, checks, [...new Set(configs.flatMap((one) => Object.keys(one.locations)))]);
  const world = new World({
    config,
    timeline,
    startMs: Date.parse(scenario.start),
    layouts: others,
    incidentOf: (letter, postings) => letterOf(letter, scenario.want, postings),
  });
  world.runUntil(scenario.for);
  const { postings, edits } = world.judging;
  const found = match(scenario.want, postings, edits);
  return { scenario, passed: found.unmet.length === 0 && found.unnamed.length === 0, postings, match: found };
}

function layoutOf(name: string, layouts: ReadonlyMap<string, Layout>): Config {
  const layout = layouts.get(name);
  if (!layout) throw new Error(`no layout is called "${name}"; there are ${[...layouts.keys()].join(', ')}`);
  if ('wrong' in layout) throw new Error(`its layout cannot be read\n${layout.wrong}`);
  return layout.config;
}
