/** `rounds validate FILE`: reads a configuration, names everything that is wrong with it, and changes nothing. */
import { access } from 'node:fs/promises';
import { formatProblem, type LoadedConfig, type Problem } from '../core/config/load.ts';
import type { Config } from '../core/config/model.ts';
import { ConfigError, loadFile } from './config.ts';

/** Where it says what it found; the text brings its line ends. */
export interface ValidateIo {
  out(text: string): void;
  err(text: string): void;
}

/** Resolves to the exit code: 0 after a short summary, or 1 after one line for each problem. */
export async function validate(file: string, io: ValidateIo): Promise<number> {
  try {
    const loaded = await loadFile(file);
    const missing = await missingJourneys(loaded);
    for (const problem of missing) io.err(`${formatProblem(file, problem)}\n`);
    if (missing.length === 0) io.out(`${file}: ${summary(loaded.config)}\n`);
    return missing.length === 0 ? 0 : 1;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const line of error.lines) io.err(`${line}\n`);
    return 1;
  }
}

/** Journeys whose file is not there. Only asked here: a worker plans journeys of agents on machines that it does not see. */
async function missingJourneys({ config, positions }: Extract<LoadedConfig, { ok: true }>): Promise<Problem[]> {
  const byTemplate = new Map(Object.values(config.checks).map((check) => [`${check.template} ${String(check.params.file)}`, check]));
  const problems: Problem[] = [];
  for (const check of byTemplate.values()) {
    const { file } = check.params;
    if (check.type !== 'journey' || typeof file !== 'string' || (await exists(file))) continue;
    const position = positions(['checks', check.template, 'journey', 'file']) ?? { line: 1, column: 1 };
    const message = `there is no file ${file}; write it, or correct the path, which begins at the folder of this file`;
    problems.push({ ...position, path: `checks.${check.template}.journey.file`, message });
  }
  return problems.sort((a, b) => a.line - b.line || a.column - b.column);
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

function summary(config: Config): string {
  const counted = (['checks', 'tenants', 'locations', 'runbooks'] as const).map((section) => {
    const count = Object.keys(config[section]).length;
    return `${count} ${count === 1 ? section.slice(0, -1) : section}`;
  });
  return `${counted.join(', ')}; revision ${config.revision}`;
}
