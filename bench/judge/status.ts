/** How soon `/rounds status` is answered while there are very many results. */
import status from '../../bot/commands/status.ts';
import type { CommandContext } from '../../bot/contract.ts';
import { installedParts } from '../../cli/config.ts';
import { loadConfig } from '../../core/config/load.ts';
import { type BenchContext, countOf, withClosers } from '../benchmark.ts';
import { quietLog } from '../quiet-log.ts';
import { percentile } from '../stats.ts';
import { generateRuns, generateStates } from './generate.ts';
import { configText, LOCATIONS } from './load.ts';
import { startDatabase } from './postgres.ts';

export interface StatusTimes {
  p50Ms: number;
  p99Ms: number;
  results: number;
  checks: number;
  postgresVersion: string;
}

const HOURS = 48;
const ANSWERS = 100;
const WARM_UP = 5;

/** Two days of as many checks as bring that many results; then all services and one service, by turns. */
export function measureStatus(context: BenchContext): Promise<StatusTimes> {
  return withClosers(async (closers) => {
    const database = await startDatabase(closers);
    const wanted = countOf(context, 'statusResults', 50_000_000);
    const checks = Math.max(1, Math.min(10_000, Math.round(wanted / (HOURS * 60 * LOCATIONS.length))));
    const loaded = loadConfig({ file: 'rounds.yaml', text: configText(checks) }, await installedParts());
    if (!loaded.ok) throw new Error(loaded.problems[0]?.message);
    const { config } = loaded;
    const untilMs = Math.floor(Date.now() / 60_000) * 60_000;
    const hours = Math.ceil(wanted / (Object.keys(config.checks).length * 60 * LOCATIONS.length));
    const results = await generateRuns(database, config, {
      fromMs: untilMs - hours * 3_600_000,
      untilMs,
      onHour: (runs) => context.signal.throwIfAborted() ?? context.say(`${runs} of about ${wanted} results are there`),
    });
    await generateStates(database.pool, config, untilMs);
    // What autovacuum would have done while they came.
    await database.pool.query('analyze check_state');
    const service = Object.keys(config.services)[0] ?? '';
    const answer = async (text: string): Promise<number> => {
      const [words, clock] = [text.split(' ').filter(Boolean), { now: () => Date.now(), monotonic: () => performance.now() }];
      const call = { text, user: 'U0ANA', channel: 'C1', responseUrl: '', triggerId: 't', arrivedMs: 0 };
      const command: CommandContext = { pool: database.pool, config, clock, log: quietLog, call, person: undefined, words, verbs: [] };
      const beganMs = performance.now();
      await status.run(command);
      return performance.now() - beganMs;
    };
    const tookMs: number[] = [];
    for (let index = 0; index < WARM_UP + ANSWERS; index++) {
      const took = await answer(index % 2 === 0 ? '' : service);
      if (index >= WARM_UP) tookMs.push(took);
    }
    return {
      p50Ms: percentile(tookMs, 0.5),
      p99Ms: percentile(tookMs, 0.99),
      results,
      checks: Object.keys(config.checks).length,
      postgresVersion: database.version,
    };
  });
}
