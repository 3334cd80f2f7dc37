/** Reads a configuration from a file, with the probes and actions that are installed. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { formatProblem, type LoadedConfig, loadConfig } from '../core/config/load.ts';
import type { Config } from '../core/config/model.ts';
import { isCron } from '../jobs/cron.ts';
import { loadProbes } from '../probes/registry.ts';
import { loadActions } from '../runbooks/registry.ts';

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

/** The same, and where in the file each value stands. */
export async function loadFile(file: string): Promise<Extract<LoadedConfig, { ok: true }>> {
  const text = await readText(file);
  const [probes, actions] = await Promise.all([loadProbes(), loadActions()]);
  const hash = (content: string) => createHash('sha256').update(content).digest('hex');
  const loaded = loadConfig({ file, text, folder: dirname(resolve(file)) }, { probes, actions, isCron, hash });
  if (loaded.ok) return loaded;
  throw new ConfigError(loaded.problems.map((problem) => formatProblem(file, problem)));
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file; give the path of your rounds.yaml',
  EACCES: 'the file may not be read by this user; change its permissions',
  EISDIR: 'expected a file, got a folder; give the path of the rounds.yaml in it',
};

async function readText(file: string): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA')
      throw new ConfigError([`${file}: expected text in UTF-8; save it so`], { cause: error });
    throw new ConfigError([`${file}: ${REASONS[code ?? ''] ?? `cannot be read (${code ?? 'unknown reason'})`}`], { cause: error });
  }
}
