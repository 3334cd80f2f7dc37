/** Where a verb finds what it was not told: the configuration, and the database of the `rounds up` that runs in this folder. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { CliContext } from './context.ts';
import { readTable } from './process-table.ts';

type Env = CliContext['env'];

/** Where `rounds up` keeps its data. */
export function dataFolderOf(env: Env): string {
  return resolve(env.ROUNDS_DATA ?? '.rounds');
}

/** Without a name: the environment's, the file in this folder, or the one that `rounds up` made for the sample clinic. */
export function configFileOf(named: string | undefined, env: Env): string {
  const told = named || env.ROUNDS_CONFIG;
  if (told) return told;
  const ofTheSample = join(dataFolderOf(env), 'demo', 'rounds.yaml');
  return !existsSync('rounds.yaml') && existsSync(ofTheSample) ? ofTheSample : 'rounds.yaml';
}

/** The address of the database: `DATABASE_URL`, else that of the `rounds up` that runs here. Throws one sentence when there is neither. */
export function databaseUrlOf(env: Env): string {
  const url = env.DATABASE_URL || embeddedUrl(dataFolderOf(env));
  if (url) return url;
  throw new Error('DATABASE_URL is not set, and no "rounds up" runs in this folder: expected the address of the database of Rounds.');
}

function embeddedUrl(folder: string): string | undefined {
  const port = readTable(folder)?.ports.postgres;
  const secret = join(folder, 'secrets', 'POSTGRES_PASSWORD');
  if (port === undefined || !existsSync(secret)) return undefined;
  return `postgres://postgres:${readFileSync(secret, 'utf8').trim()}@127.0.0.1:${port}/rounds`;
}
