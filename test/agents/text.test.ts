import { describe, expect, it } from 'vitest';
import { redactor } from '../../agents/redact.ts';
import { cut, plain } from '../../probes/words.ts';

const HALF = '\ud83d';

describe('text that leaves an agent', () => {
  it.each([
    ['cut inside an emoji', plain(`ab${HALF}\ude00cd`, 4)],
    ['half an emoji from the target', plain(`answered ${HALF}`, 60)],
    ['redacted', redactor([])(`answered ${HALF}\0`)],
    ['redacted and cut', redactor([])(`ab${HALF}\ude00cd`, 4)],
    ['cut', cut(`ab${HALF}\ude00cd`, 4)],
  ])('can be stored as JSON by PostgreSQL: %s', (_case, text) => {
    expect(text.isWellFormed()).toBe(true);
    expect(text).not.toContain('\0');
  });
});
