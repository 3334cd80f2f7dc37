/** Puts a file in force: at the start of a worker, on SIGHUP, and by `rounds reload`. */
import type { Log } from '../core/process.ts';
import { type Applied, applyConfig } from '../jobs/config.ts';
import { readInForce } from '../store/config.ts';
import type { Pool } from '../store/db.ts';
import { noteReload } from '../store/in-force.ts';
import { missingMigrations } from '../store/migrations.ts';
import { ConfigError, loadFile } from './config.ts';

export interface FileToApply {
  pool: Pool;
  file: string;
  /** Who applies it, such as `worker@host/123`. */
  by: string;
  log: Log;
}

/** What a worker does with its file when it starts: without a sound one it goes on with what is in force, and without either it throws. */
export async function applyAtStart(options: FileToApply): Promise<void> {
  const { pool, log } = options;
  const inForce = await withTables(pool, () => readInForce(pool));
  try {
    await applyFile(options);
  } catch (error) {
    if (!(error instanceof ConfigError) || !inForce) throw error;
    sayProblems(error, log, `going on with the configuration in force, revision ${inForce.revision}`);
  }
}

/** What a worker does with its file when it is told to read it again: a broken one changes nothing and is logged. */
export async function applyAgain(options: FileToApply): Promise<void> {
  try {
    const { changed, revision } = await applyFile(options);
    if (changed) return;
    noteReload(true);
    options.log.info({ revision, file: options.file }, 'the file says what is in force already');
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    noteReload(false);
    sayProblems(error, options.log, 'the configuration in force stays');
  }
}

async function applyFile({ pool, file, by, log }: FileToApply): Promise<Applied> {
  const loaded = await loadFile(file);
  const applied = await applyConfig(pool, loaded, by);
  if (applied.changed) log.info({ revision: applied.revision, file, retiredRuns: applied.retiredRuns }, 'a configuration is put in force');
  return applied;
}

function sayProblems(error: ConfigError, log: Log, consequence: string): void {
  for (const line of error.lines) log.error({}, line);
  log.error({ problems: error.lines.length }, `The file is not applied: ${consequence}`);
}

/** Runs what needs the tables of this version, or of a newer one. Throws one sentence when they are those of an older one. */
export async function withTables<T>(pool: Pool, work: () => Promise<T>): Promise<T> {
  if ((await missingMigrations(pool)).length === 0) return work();
  throw new Error('The tables in the database are not those of this version: run "rounds migrate" first.');
}
