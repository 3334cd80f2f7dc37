/** The layouts: real configurations, read as `rounds.yaml` is. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { installedParts } from '../../cli/config.ts';
import { formatProblem, loadConfig } from '../../core/config/load.ts';
import type { Config } from '../../core/config/model.ts';

const FOLDER = join(import.meta.dirname, 'layouts');

/** The configuration that the text stands for. Throws everything that is wrong with it, a line each. */
export async function configOf(name: string, text: string): Promise<Config> {
  const loaded = loadConfig({ file: name, text }, await installedParts());
  if (loaded.ok) return loaded.config;
  throw new Error(loaded.problems.map((problem) => formatProblem(name, problem)).join('\n'));
}

/** A layout, or why it cannot be had. */
export type Layout = { config: Config } | { wrong: string };

/** Every layout by its name. One that cannot be read fails the scenarios that use it, and no others. */
export async function readLayouts(): Promise<Map<string, Layout>> {
  const files = (await readdir(FOLDER)).filter((file) => file.endsWith('.yaml')).sort();
  const read = async (file: string): Promise<[string, Layout]> => {
    const text = await readFile(join(FOLDER, file), 'utf8');
    const layout = await configOf(`layouts/${file}`, text).then(
      (config) => ({ config }),
      (error: Error) => ({ wrong: error.message }),
    );
    return [file.slice(0, -'.yaml'.length), layout];
  };
  return new Map(await Promise.all(files.map(read)));
}
