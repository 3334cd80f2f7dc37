/** The loops that count slots and look at error budgets. */
import type { LiveDeps } from './config.ts';
import { underOneConfig } from './config.ts';
import { type Loop, startLoop } from './loop.ts';
import { type RollupMemory, rollUp } from './rollup.ts';
import { readBudgets, type SloMemory, watchBudgets } from './slo.ts';

/** Ten per cent that fail are to be told within 10 minutes; a minute of that is for counting. */
const COUNT_TURN_MS = 10_000;
const WATCH_TURN_MS = 10_000;
/** What is left of a budget changes slowly, and all of its window is read for it. */
const BUDGETS_TURN_MS = 300_000;

/** Starts them. `judging` is woken when other budgets burn than before. */
export function startCounting(deps: LiveDeps, judging: Loop): Loop[] {
  const { log } = deps;
  const counted: RollupMemory = { forgotMs: 0 };
  const watched: SloMemory = {};
  const watching = startLoop({
    name: 'slo',
    everyMs: WATCH_TURN_MS,
    log,
    work: async () => {
      if (await underOneConfig(deps, (now) => watchBudgets(now, watched))) judging.wake();
    },
  });
  const counting = startLoop({
    name: 'rollup',
    everyMs: COUNT_TURN_MS,
    log,
    work: async () => {
      if (await underOneConfig(deps, (now) => rollUp(now, counted))) watching.wake();
    },
  });
  const budgets = startLoop({ name: 'budgets', everyMs: BUDGETS_TURN_MS, log, work: () => underOneConfig(deps, readBudgets) });
  return [counting, watching, budgets];
}
