/** `rounds change add TITLE` and `rounds change list`: changes that nobody's webhook tells of, straight into the database. */
import { createHash } from 'node:crypto';
import { userInfo } from 'node:os';
import { parseMoment } from '../core/change/moment.ts';
import { readTyped } from '../core/change/read.ts';
import { kindInWords, momentInWords, sourceTitle, touchedInWords } from '../core/change/words.ts';
import { isUnscoped, type NewChange, type ReportedChange, type ToldChange } from '../core/change.ts';
import type { Config } from '../core/config/model.ts';
import { didYouMean, shown } from '../core/config/words.ts';
import { parseDurationMs } from '../core/duration.ts';
import { changesBetween, changesFor, reportChanges } from '../store/change.ts';
import { readInForce } from '../store/config.ts';
import { openPool, type Pool } from '../store/db.ts';
import { withTables } from './apply.ts';
import { ConfigError, readWritten } from './config.ts';
import type { CliContext } from './context.ts';
import { databaseUrlOf } from './places.ts';

const DAY_MS = 86_400_000;
const MOST_SHOWN = 100;
const ACTIONS = ['add', 'list'];

/** What was typed is not what is expected; said in one line. */
class Mistake extends Error {}

/** Resolves to the exit code: 0, or 1 with one line for each mistake. */
export async function change(context: CliContext, action: string, title: string): Promise<number> {
  const { io } = context;
  try {
    if (!ACTIONS.includes(action))
      throw new Mistake(`rounds change: expected add or list, got ${shown(action)}${didYouMean(action, ACTIONS)}`);
    await withConfig(context, (pool, config) => (action === 'add' ? add(context, pool, config, title) : list(context, pool, config)));
    return 0;
  } catch (error) {
    if (!(error instanceof Mistake || error instanceof ConfigError)) throw error;
    io.err(`${error.message}\n`);
    return 1;
  }
}

/** What is in force says which services there are; the file may be another. */
async function withConfig(context: CliContext, work: (pool: Pool, config: Config) => Promise<void>): Promise<void> {
  const pool = openPool({ url: databaseUrlOf(context.env), name: 'change', max: 1, log: context.log });
  try {
    const stored = await withTables(pool, () => readInForce(pool));
    if (!stored) throw new Mistake('No configuration is in force: start a worker, or run "rounds reload" first.');
    await work(pool, await readWritten(stored));
  } finally {
    await pool.end();
  }
}

/** Options by the field that they fill. */
const OPTION_OF: Readonly<Record<string, string>> = {
  services: '--service',
  components: '--component',
  tenants: '--tenant',
  title: 'title',
};

async function add({ io, options }: CliContext, pool: Pool, config: Config, title: string): Promise<void> {
  const nowMs = Date.now();
  const { kind, outcome, id, url, release: version } = options;
  const typed = { title, kind, outcome, id, url, version, by: options.by ?? userInfo().username, at: atOf(options.at, config, nowMs) };
  const touched = { services: listed(options.service), components: listed(options.component), tenants: listed(options.tenant) };
  const body = Object.fromEntries(Object.entries({ ...typed, ...touched }).filter(([, value]) => value !== undefined));
  const reading = readTyped(body, { config, nowMs, hash: (text) => createHash('sha256').update(text).digest('hex') });
  if ('problems' in reading) throw new Mistake(reading.problems.map(({ path, message }) => `${optionOf(path)}: ${message}`).join('\n'));
  const [told] = 'told' in reading ? reading.told : [];
  if (!told) throw new Mistake('rounds change add: there is nothing to add.');
  io.out(`${await reported(pool, config, told, nowMs)}\n`);
}

async function reported(pool: Pool, config: Config, told: ToldChange, nowMs: number): Promise<string> {
  const [inserted] = await reportChanges(pool, config, [told]);
  const line = lineOf(told.change, config, nowMs);
  if (inserted?.is === 'known') return `Nothing to do: this is change ${inserted.id} already.`;
  return `Change ${inserted?.id}${inserted?.is === 'moved' ? ' has ended' : ''}: ${line}`;
}

function atOf(text: string | undefined, config: Config, nowMs: number): string | undefined {
  if (text === undefined) return undefined;
  const atMs = parseMoment(text, nowMs, config.timezone);
  if (atMs !== undefined) return new Date(atMs).toISOString();
  throw new Mistake(`--at: expected a time such as 10:41, "2026-01-31 10:41" or 2026-01-31T10:41:00Z, got ${shown(text)}`);
}

/** `--service billing,scheduling`, or the option several times, which comes here joined in the same way. */
function listed(text: string | undefined): string[] | undefined {
  return text
    ?.split(',')
    .map((one) => one.trim())
    .filter(Boolean);
}

function optionOf(path: string): string {
  const field = path.replace(/\[\d+\]$/, '');
  return OPTION_OF[field] ?? (field === 'version' ? '--release' : `--${field}`);
}

async function list({ io, options }: CliContext, pool: Pool, config: Config): Promise<void> {
  const nowMs = Date.now();
  const sinceMs = options.since === undefined ? DAY_MS : parseDurationMs(options.since);
  if (sinceMs === undefined) throw new Mistake(`--since: expected a duration such as 24h or 7d, got ${shown(options.since)}`);
  const found = await foundBy(options, pool, config, nowMs - sinceMs, nowMs);
  if (options.json) return void io.out(`${JSON.stringify(found, undefined, 2)}\n`);
  const lines = found.slice(0, MOST_SHOWN).map((one) => lineOf(one, config, nowMs));
  const rest = found.length - lines.length;
  if (lines.length === 0) lines.push(`No change was reported in the last ${options.since ?? '24h'}.`);
  if (rest > 0) lines.push(`and ${rest} more; --json shows all`);
  io.out(`${lines.join('\n')}\n`);
}

function foundBy(options: CliContext['options'], pool: Pool, config: Config, fromMs: number, untilMs: number): Promise<ReportedChange[]> {
  const sections = { services: listed(options.service), components: listed(options.component), tenants: listed(options.tenant) };
  for (const [section, ids] of Object.entries(sections)) {
    const known = Object.keys(config[section as keyof typeof sections]);
    const unknown = ids?.find((id) => !known.includes(id));
    if (unknown !== undefined)
      throw new Mistake(
        `${OPTION_OF[section]}: expected one of ${known.join(', ') || 'none'}, got ${shown(unknown)}${didYouMean(unknown, known)}`,
      );
  }
  const { services = [], components = [], tenants = [] } = sections;
  if (services.length + components.length + tenants.length === 0) return changesBetween(pool, fromMs, untilMs);
  return changesFor(pool, { services, components, tenants }, fromMs, untilMs);
}

function lineOf(one: NewChange, config: Config, nowMs: number): string {
  const by = one.by === undefined ? '' : `, by ${one.by}`;
  const touched = isUnscoped(one) ? 'nobody said what it touches' : touchedInWords(one, config);
  return `${momentInWords(one.atMs, nowMs, config.timezone)} ${one.title} (${kindInWords(one)}${by}, ${sourceTitle(one.source)}): ${touched}`;
}
