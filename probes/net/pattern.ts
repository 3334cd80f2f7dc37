/** What an answer must contain: a text, or a regular expression between slashes. */
import { text } from '../../core/config/units.ts';
import { firstMatch, isSlashed, patternOf, patternProblem } from '../web/pattern.ts';

/** A text of at most so many characters; between slashes it is a regular expression, with the flags i, m, s and u. */
export function textOrPattern(maxCharacters: number) {
  return text(maxCharacters).superRefine((value, context) => {
    const problem = isSlashed(value) ? patternProblem(value) : undefined;
    if (problem === undefined) return;
    context.addIssue({ code: 'custom', message: `expected a regular expression such as /^220 /; ${problem}`, input: value });
  });
}

/** Whether the answer contains what is written. Throws `AgentFault` when a regular expression takes too long for it. */
export function holds(answer: string, written: string): boolean {
  const pattern = patternOf(written);
  return pattern ? firstMatch(pattern, answer) !== null : answer.includes(written);
}
