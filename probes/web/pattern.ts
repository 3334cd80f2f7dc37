/** Regular expressions as people write them in the file: between slashes, `/^v2/i`. */
import { type Context, createContext, Script } from 'node:vm';
import { AgentFault } from '../probe.ts';

const FORM = /^\/(.+)\/([imsu]*)$/s;
const SLASHED = /^\/.+\/[a-z]*$/is;

/** One that takes longer on an answer repeats itself within a repetition, and would stand in the way of every other check. */
const LIMIT_MS = 500;

const match = new Script('pattern.exec(text)');
let sandbox: Context | undefined;

/**
 * The regular expression that stands between slashes; `undefined` for any other text. Throws `AgentFault` `parameters` when it is none
 * any more once its secrets are filled in.
 */
export function patternOf(text: string): RegExp | undefined {
  try {
    return compiled(text);
  } catch {
    throw new AgentFault('parameters', 'A regular expression of this check is none once its secrets are filled in.');
  }
}

function compiled(text: string): RegExp | undefined {
  const form = FORM.exec(text);
  return form ? new RegExp(form[1] ?? '', form[2]) : undefined;
}

/** Whether the text is meant as a regular expression. */
export function isSlashed(text: string): boolean {
  return SLASHED.test(text);
}

/** What keeps the text from being a regular expression between slashes, in V8's words; `undefined` when nothing does. */
export function patternProblem(text: string): string | undefined {
  if (!SLASHED.test(text)) return 'write it between slashes';
  try {
    return compiled(text) ? undefined : 'after the last slash only i, m, s and u may stand';
  } catch (error) {
    return (error instanceof Error ? error.message : '').replace(/^.*: /s, '').toLowerCase();
  }
}

/** How many groups the pattern captures. */
export function groupsOf(pattern: RegExp): number {
  return (new RegExp(`${pattern.source}|`, pattern.flags).exec('')?.length ?? 1) - 1;
}

/** Without repetitions and with few choices, matching takes as long as the text is, whatever the text. */
function isQuick({ source }: RegExp): boolean {
  return !/[*+{]/.test(source) && (source.match(/[?|]/g)?.length ?? 0) <= 10;
}

/**
 * The pattern's first match in a text that came from a target; `null` when there is none. Only a script of its own can be stopped
 * while it matches (0.2 ms each), so this throws `AgentFault` `parameters` after 500 ms instead of holding up the agent.
 */
export function firstMatch(pattern: RegExp, text: string): RegExpExecArray | null {
  if (isQuick(pattern)) return pattern.exec(text);
  sandbox ??= createContext(Object.create(null));
  Object.assign(sandbox, { pattern, text });
  try {
    return match.runInContext(sandbox, { timeout: LIMIT_MS });
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    const words = 'takes longer than 500 ms on this answer; take out repetitions of repetitions';
    throw new AgentFault('parameters', `The regular expression /${pattern.source}/ ${words}.`);
  } finally {
    Object.assign(sandbox, { text: '' });
  }
}
