/** Reads a configuration from a file, with the probes and actions that are installed. */
import { createHash } from 'node:crypto';
import { glob, readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { type ConfigParts, formatProblem, type LoadedConfig, loadConfig, loadValue } from '../core/config/load.ts';
import type { Config } from '../core/config/model.ts';
import { type SloFile, sloPatterns } from '../core/config/slo-documents.ts';
import { isCron } from '../jobs/cron.ts';
import { loadProbes } from '../probes/registry.ts';
import { loadActions } from '../runbooks/registry.ts';
import type { WrittenConfig } from '../store/config.ts';

/** A configuration that cannot be used. Its message has one line for each problem, as `formatProblem` writes them. */
export class ConfigError extends Error {
  readonly lines: readonly string[];

  constructor(lines: readonly string[], options?: ErrorOptions) {
    super(lines.join('\n'), options);
    this.name = 'ConfigError';
    this.lines = lines;
  }
}

/** The configuration in the file. Throws a `ConfigError` with everything that is wrong with it, or with why it cannot be read. */
export async function readConfig(file: string): Promise<Config> {
  return (await loadFile(file)).config;
}

/** What a file says, and what is to be stored of it. */
export type LoadedFile = Extract<LoadedConfig, { ok: true }> & { written: WrittenConfig };

/** The same, with what was written and where in the file each value stands. */
export async function loadFile(file: string): Promise<LoadedFile> {
  const text = await readText(file);
  const folder = dirname(resolve(file));
  const loaded = loadConfig({ file, text, folder, sloFiles: await readSloFiles(text, file) }, await installedParts());
  if (!loaded.ok) throw new ConfigError(loaded.problems.map((problem) => formatProblem(file, problem)));
  return { ...loaded, written: { source: JSON.stringify(loaded.value), file: resolve(file), folder } };
}

/** The files that are named under `slos`, by the names; each is named in messages as it is found from here. */
async function readSloFiles(text: string, file: string): Promise<Map<string, SloFile[]>> {
  const found = new Map<string, SloFile[]>();
  for (const pattern of sloPatterns(text)) {
    const names: string[] = [];
    for await (const name of glob(pattern, { cwd: dirname(resolve(file)) })) names.push(name);
    const read = names.sort().map(async (name) => {
      const path = isAbsolute(name) ? name : join(dirname(file), name);
      return { file: path, text: await readText(path) };
    });
    found.set(pattern, await Promise.all(read));
  }
  return found;
}

/** Without a folder, journeys keep the paths that were written. */
type Readable = Pick<WrittenConfig, 'source' | 'file'> & { folder: string | undefined };

/** What this version of Rounds makes of a configuration that was stored. Throws a `ConfigError` when it makes nothing of it. */
export async function readWritten({ source, file, folder }: WrittenConfig): Promise<Config> {
  return (await loadWritten({ source, file, folder })).config;
}

/** The same, with the values as they were written. */
export async function loadWritten({ source, file, folder }: Readable): Promise<Extract<LoadedConfig, { ok: true }>> {
  const loaded = loadValue(JSON.parse(source), folder, await installedParts());
  if (loaded.ok) return loaded;
  throw new ConfigError(loaded.problems.map(({ path, message }) => `${file}${path === '' ? '' : ` ${path}`}: ${message}`));
}

/** What a configuration may speak of in this version of Rounds. */
export async function installedParts(): Promise<ConfigParts> {
  const [probes, actions] = await Promise.all([loadProbes(), loadActions()]);
  return { probes, actions, isCron, hash: (content) => createHash('sha256').update(content).digest('hex') };
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file; give the path of your rounds.yaml',
  EACCES: 'the file may not be read by this user; change its permissions',
  EISDIR: 'expected a file, got a folder; give the path of the rounds.yaml in it',
};

export async function readText(file: string): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA')
      throw new ConfigError([`${file}: expected text in UTF-8; save it so`], { cause: error });
    throw new ConfigError([`${file}: ${REASONS[code ?? ''] ?? `cannot be read (${code ?? 'unknown reason'})`}`], { cause: error });
  }
}
