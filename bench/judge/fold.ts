/** What evaluating and storing costs, beside a bare COPY of the rows that came of it. */
import { type BenchContext, countOf, withClosers } from '../benchmark.ts';
import { ofType, startChild } from '../child.ts';
import { profileInWords } from '../profile.ts';
import type { Copied, Copy } from './copy.ts';
import type { Folded, Go } from './folder.ts';
import { startDatabase } from './postgres.ts';

export interface FoldCost {
  resultsPerCpuS: number;
  copiedPerCpuS: number;
  workerShare: number;
  planningUs: number;
  results: number;
  wallResultsPerS: number;
  postgresVersion: string;
}

/** One run with an empty database, and its baseline right behind it. */
export function measureFolding(context: BenchContext): Promise<FoldCost> {
  return withClosers(async (closers) => {
    const { env, signal } = context;
    const database = await startDatabase(closers);
    const profile = context.options.profile;
    const folder = startChild({ script: 'bench/judge/folder.ts', env: { PATH: env.PATH, HOME: env.HOME }, signal });
    closers.push(() => folder.stop());
    const go: Go = {
      type: 'go',
      url: database.url,
      postgresPid: database.pid,
      checks: countOf(context, 'checks', 10_000),
      results: countOf(context, 'results', 240_000),
      ...(profile === undefined ? {} : { profile }),
    };
    folder.tell(go);
    const folded = await folder.hear(ofType<Folded>('folded'));
    if (profile !== undefined) context.say(`folding:\n${profileInWords(profile).join('\n')}`);
    const copier = startChild({ script: 'bench/judge/copy.ts', env: { PATH: env.PATH }, signal });
    closers.push(() => copier.stop());
    copier.tell({ type: 'copy', url: database.url, postgresPid: database.pid } satisfies Copy);
    const copied = await copier.hear(ofType<Copied>('copied'));
    const cpuS = folded.workerCpuS + folded.postgresCpuS;
    return {
      resultsPerCpuS: folded.results / cpuS,
      copiedPerCpuS: copied.rows / copied.cpuS,
      workerShare: folded.workerCpuS / cpuS,
      planningUs: (1e6 * folded.planningCpuS) / folded.results,
      results: folded.results,
      wallResultsPerS: folded.results / folded.wallS,
      postgresVersion: database.version,
    };
  });
}
