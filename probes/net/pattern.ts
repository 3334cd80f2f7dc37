/** What an answer must contain: a text, or an expression between slashes. */
import { type Context, createContext, Script } from 'node:vm';
import { text } from '../../core/config/units.ts';
import { AgentFault } from '../probe.ts';

/** Longer than any sane expression takes for 16 kB; one that backtracks without end would stop the whole agent. */
const MATCH_LIMIT_MS = 100;

const EXPRESSION = /^\/(.+)\/([imsu]*)$/s;

/** A text of at most so many characters, or `/an expression/` with the flags i, m, s and u. */
export function pattern(maxCharacters: number) {
  const expected = 'expected a text, or an expression such as /^220 .*ready/i';
  return text(maxCharacters).refine(isSound, { error: expected });
}

function isSound(value: string): boolean {
  const [, source, flags] = EXPRESSION.exec(value) ?? [];
  if (source === undefined) return true;
  try {
    return new RegExp(source, flags) instanceof RegExp;
  } catch {
    return false;
  }
}

/**
 * Whether the text contains what the pattern asks for. Throws `AgentFault` when the expression takes longer than 100 ms, or is
 * none once its secrets are filled in.
 */
export function matches(value: string, answer: string): boolean {
  const [, source, flags] = EXPRESSION.exec(value) ?? [];
  if (source === undefined) return answer.includes(value);
  room ??= createContext({});
  Object.assign(room, { source, flags, answer });
  try {
    return test.runInContext(room, { timeout: MATCH_LIMIT_MS }) === true;
  } catch (error) {
    const slow = (error as { code?: unknown }).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
    const remedy = slow ? `takes longer than ${MATCH_LIMIT_MS} ms for this answer; write a simpler one` : 'cannot be read';
    throw new AgentFault('parameters', `The expression in expect ${remedy}.`);
  } finally {
    room.answer = '';
  }
}

/** Only a script can be given a time limit, and it sees nothing but its room. */
const test = new Script('new RegExp(source, flags).test(answer)');
let room: Context | undefined;
