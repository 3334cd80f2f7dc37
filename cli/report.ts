/** `rounds report [REPORT]`: how the last 24 hours went, from the database, as text or JSON. Nothing is recorded, nobody is told. */
import type { Config, ScheduledReport } from '../core/config/model.ts';
import type { Figure, ReportNumbers } from '../core/report/figures.ts';
import { exceptionInWords, figureInWords, incidentsInWords, reportHeadline, windowInWords, worstFirst } from '../core/report/words.ts';
import { inTransaction, openPool } from '../store/db.ts';
import { reportNumbers } from '../store/report-numbers.ts';
import { ConfigError, readConfig } from './config.ts';
import type { CliContext } from './context.ts';

const DAY_MS = 86_400_000;
const MISTAKE = 2;

/** Resolves to the exit code: 0, or 2 when the database, the configuration or the report is not there. */
export async function report(name: string, { env, io, log, options }: CliContext): Promise<number> {
  const url = env.DATABASE_URL;
  if (!url) {
    io.err('DATABASE_URL is not set: expected the address of the database, such as postgres://rounds@127.0.0.1/rounds.\n');
    return MISTAKE;
  }
  try {
    const config = await readConfig(options.config ?? env.ROUNDS_CONFIG ?? 'rounds.yaml');
    const chosen = name ? config.reports[name] : everything(config);
    if (!chosen) {
      const known = Object.keys(config.reports).join(', ') || 'none';
      io.err(`There is no report "${name}". Configured: ${known}. Without a name the report is about all services.\n`);
      return MISTAKE;
    }
    const numbers = await count(url, config, chosen, log);
    io.out(options.json ? `${JSON.stringify(numbers, undefined, 2)}\n` : `${linesOf(numbers).join('\n')}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const line of error.lines) io.err(`${line}\n`);
    return MISTAKE;
  }
}

type Chosen = Pick<ScheduledReport, 'id' | 'title' | 'timezone' | 'services' | 'windowMs'>;

function everything(config: Config): Chosen {
  return { id: '', title: 'All services', timezone: config.timezone, services: Object.keys(config.services) };
}

async function count(url: string, config: Config, { id, title, timezone, services, windowMs }: Chosen, log: CliContext['log']) {
  const pool = openPool({ url, name: 'report', max: 1, log });
  const untilMs = Date.now();
  const frame = { id, title, timeZone: timezone, services, fromMs: untilMs - (windowMs ?? DAY_MS), untilMs };
  try {
    return await inTransaction(pool, (db) => reportNumbers(db, config, frame));
  } finally {
    await pool.end();
  }
}

function linesOf(numbers: ReportNumbers): string[] {
  const exceptions = numbers.exceptions.map((one) => `  ${exceptionInWords(one)}`);
  return [
    reportHeadline(numbers),
    `${numbers.title}, ${windowInWords(numbers)}`,
    ...block('Journeys', numbers.journeys),
    ...block('Clinics', numbers.tenants),
    ...block('Seen from', numbers.locations, 'runs'),
    ...block('What they stand on', numbers.components),
    'Late or missed',
    ...(exceptions.length > 0 ? exceptions : ['  None.']),
    incidentsInWords(numbers),
  ];
}

function block(title: string, figures: readonly Figure[], noun: 'rounds' | 'runs' = 'rounds'): string[] {
  if (figures.length === 0) return [];
  return [title, ...worstFirst(figures).map((figure) => `  ${figure.title}: ${figureInWords(figure, noun)}`)];
}
