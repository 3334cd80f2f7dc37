import type { ActionContext } from '../../runbooks/action.ts';
import { quietLog } from './log.ts';

/** A context for one execution of an action, with what the test wants different. */
export function actionContext(changes: Partial<ActionContext> = {}): ActionContext {
  const base = { execution: 'execution-1', monotonic: () => performance.now(), log: quietLog, target: {} };
  return { signal: new AbortController().signal, ...base, ...changes };
}
