/** What an answer is held against, as people write it in the file: a text, or a regular expression between slashes, `/^v2/i`. */
import { type Context, createContext, Script } from 'node:vm';
import type * as z from 'zod';
import { text } from '../core/config/units.ts';
import { AgentFault } from './probe.ts';

const FORM = /^\/(.+)\/([imsu]*)$/s;
const SLASHED = /^\/.+\/[a-z]*$/is;

/** One that takes longer on an answer repeats itself within a repetition, and would stand in the way of every other check. */
const LIMIT_MS = 500;

const match = new Script('pattern.exec(text)');
let sandbox: Context | undefined;

/** A regular expression between slashes, of at most so many characters. `sample` shows one to who has mistyped it. */
export function pattern(maxCharacters: number, sample: string) {
  return text(maxCharacters).superRefine((value, context) => report(value, sample, context));
}

/** A text of at most so many characters; between slashes it is a regular expression. */
export function textOrPattern(maxCharacters: number, sample: string) {
  return text(maxCharacters).superRefine((value, context) => {
    if (SLASHED.test(value)) report(value, sample, context);
  });
}

function report(value: string, sample: string, context: z.RefinementCtx): void {
  const problem = problemOf(value);
  if (problem === undefined) return;
  context.addIssue({ code: 'custom', message: `expected a regular expression such as ${sample}; ${problem}`, input: value });
}

/** What keeps the text from being a regular expression between slashes, in V8's words; `undefined` when nothing does. */
function problemOf(written: string): string | undefined {
  if (!SLASHED.test(written)) return 'write it between slashes';
  try {
    return compiled(written) ? undefined : 'after the last slash only i, m, s and u may stand';
  } catch (error) {
    return (error instanceof Error ? error.message : '').replace(/^.*: /s, '').toLowerCase();
  }
}

function compiled(written: string): RegExp | undefined {
  const form = FORM.exec(written);
  return form ? new RegExp(form[1] ?? '', form[2]) : undefined;
}

/** Whether it is a regular expression, sound or not, and no text. */
export function isPattern(written: string): boolean {
  return FORM.test(written);
}

/** How many groups the regular expression captures; `undefined` when it is none. */
export function groupsOf(written: string): number | undefined {
  if (problemOf(written) !== undefined) return undefined;
  const { source = '', flags } = compiled(written) ?? {};
  return (new RegExp(`${source}|`, flags).exec('')?.length ?? 1) - 1;
}

/** Whether the answer contains what is written. Throws as {@link firstMatch} does. */
export function holds(answer: string, written: string): boolean {
  return isPattern(written) ? firstMatch(written, answer) !== null : answer.includes(written);
}

/**
 * The first match of a regular expression in a text that came from a target; `null` when there is none. Only a script of its own can be
 * stopped while it matches (0.2 ms each), so this throws `AgentFault` `parameters` after 500 ms instead of holding up the agent. The same
 * is thrown for one that is none any more once its secrets are filled in.
 */
export function firstMatch(written: string, answer: string): RegExpExecArray | null {
  const expression = filled(written);
  if (isQuick(expression)) return expression.exec(answer);
  sandbox ??= createContext(Object.create(null));
  Object.assign(sandbox, { pattern: expression, text: answer });
  try {
    return match.runInContext(sandbox, { timeout: LIMIT_MS });
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    const remedy = 'takes longer than 500 ms on this answer; take out repetitions of repetitions';
    // As it is written, because secrets in it are only recognised as they are.
    throw new AgentFault('parameters', `The regular expression ${written} ${remedy}.`);
  } finally {
    Object.assign(sandbox, { text: '' });
  }
}

function filled(written: string): RegExp {
  try {
    const expression = compiled(written);
    if (expression) return expression;
  } catch {
    // Said below, without V8's words: they quote it.
  }
  throw new AgentFault('parameters', 'A regular expression of this check is none once its secrets are filled in.');
}

/** Without repetitions and with few choices, matching takes as long as the text is, whatever the text. */
function isQuick({ source }: RegExp): boolean {
  return !/[*+{]/.test(source) && (source.match(/[?|]/g)?.length ?? 0) <= 10;
}
