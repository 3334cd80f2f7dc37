/** The answer to `/rounds run CHECK`. Pure. */
import type { Config } from '../../core/config/model.ts';
import { listInWords } from '../../core/words.ts';
import type { ResultView } from '../../store/query.ts';
import { type Block, data, type Message, message, section } from './blocks.ts';
import { checkTitle, locationTitle, runInWords, stepsLine, VERDICT_MARKS } from './details.ts';

const MOST_CHECKS = 12;

/** What a run that brought nothing is called: the reasons of the ledger, in words. */
const GAPS: Record<string, string> = {
  stale: 'it came too late to the agent',
  stopping: 'its agent was stopping',
  'unknown-type': 'its agent does not know this type of check',
  missed: 'no agent took it',
  due: 'it has not ended yet',
  late: 'its result came too late',
};

export interface RunView {
  config: Config;
  results: readonly ResultView[];
  gaps: readonly { checkId: string; location: string; reason: string }[];
}

/** How the runs went, the bad ones first. */
export function renderRun(view: RunView): Message {
  const { results, gaps } = view;
  const checks = new Set([...results, ...gaps].map((one) => one.checkId));
  const bad = (checkId: string) => results.filter((one) => one.checkId === checkId && one.verdict !== 'up').length;
  const order = [...checks].sort((a, b) => bad(b) - bad(a) || a.localeCompare(b));
  const first = summary(view);
  const blocks: Block[] = [section(`*${first}*`), ...order.slice(0, MOST_CHECKS).map((id) => checkBlock(view, id))];
  if (order.length > MOST_CHECKS) blocks.push(section(`and ${order.length - MOST_CHECKS} more checks, all as well as the last one shown`));
  if (checks.size === 0) blocks.push(section('Is an agent running for its locations? `/rounds status` shows which were heard of last.'));
  return message(first, blocks);
}

function checkBlock({ config, results, gaps }: RunView, checkId: string): Block {
  const runs = results.filter((one) => one.checkId === checkId);
  const missing = gaps.filter((gap) => gap.checkId === checkId);
  const where = (location: string) => data(locationTitle(config, location));
  const lines = runs.map((run) => `${VERDICT_MARKS[run.verdict]} ${where(run.location)}: ${runInWords(run)}`);
  const gapLines = missing.map((gap) => `⚪ ${where(gap.location)}: no result, ${GAPS[gap.reason] ?? data(gap.reason)}`);
  const shown = runs.find((run) => run.verdict !== 'up') ?? runs[0];
  return section(`*${data(checkTitle(config, checkId))}*`, ...lines, ...gapLines, shown ? stepsLine(shown.steps) : '');
}

function summary({ config, results, gaps }: RunView): string {
  const titles = [...new Set([...results, ...gaps].map((one) => config.checks[one.checkId]?.title ?? one.checkId))];
  const what = data(listInWords(titles)) || 'The run';
  const up = results.filter((one) => one.verdict === 'up').length;
  const total = results.length + gaps.length;
  if (total === 0) return `${what} brought no result.`;
  if (up === total) return `🟢 ${what}: all ${total} runs succeeded.`;
  return `${results.some((one) => one.verdict === 'down') ? '🔴' : '🟡'} ${what}: ${up} of ${total} runs succeeded.`;
}
