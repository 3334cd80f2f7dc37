import { describe, expect, test } from 'vitest';
import { Steps } from '../../probes/journey/steps.ts';

/** A clock that only moves when it is told to. */
function wound() {
  let nowMs = 1_000;
  const steps = new Steps({ monotonic: () => nowMs, onStart: () => {} });
  return {
    steps,
    pass: (spanMs: number) => {
      nowMs += spanMs;
    },
  };
}

describe('a step’s clock', () => {
  test('is that of its body alone', async () => {
    const { steps, pass } = wound();
    pass(500);
    await steps.step('nothing', () => {});
    pass(500);
    await steps.step('log in', () => pass(80));
    pass(500);
    expect(steps.results).toEqual([
      { name: 'nothing', durationMs: 0, outcome: 'passed' },
      { name: 'log in', durationMs: 80, outcome: 'passed' },
    ]);
  });

  test('has stopped before anybody looks at the failure', async () => {
    const { steps, pass } = wound();
    const failing = steps.step('log in', () => {
      pass(80);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    pass(3_000); // the picture
    expect(steps.results).toEqual([{ name: 'log in', durationMs: 80, outcome: 'failed' }]);
  });

  test('is stopped with the run, and what comes later is not recorded', async () => {
    const { steps, pass } = wound();
    const late = Promise.withResolvers<void>();
    const step = steps.step('wait', () => late.promise);
    pass(200);
    steps.end(new Error('time is up'));
    pass(5_000);
    late.resolve();
    await step;
    expect(steps.results).toEqual([{ name: 'wait', durationMs: 200, outcome: 'failed' }]);
    await expect(steps.step('more', () => {})).rejects.toThrow('began after the run had ended');
  });
});

test('a limit that is exceeded fails the step, and the step goes no further', async () => {
  const { steps } = wound();
  await expect(steps.step('wait', () => new Promise(() => {}), { limit: '20ms' })).rejects.toMatchObject({ limitMs: 20 });
  expect(steps.failed?.name).toBe('wait');
});

test('a journey that catches a step’s error has failed all the same', async () => {
  const { steps } = wound();
  await steps.step('one', () => Promise.reject(new Error('no'))).catch(() => {});
  await steps.step('two', () => {});
  expect(steps.failed).toMatchObject({ name: 'one' });
});

describe('mistakes are told', () => {
  test.each([
    ['two of one name', async (steps: Steps) => steps.step('one', () => {}), 'there are two steps named "one"'],
    ['a step inside a step', (steps: Steps) => steps.step('two', () => steps.step('three', () => {})), 'began inside step "two"'],
    ['no name', (steps: Steps) => steps.step('', () => {}), 'a step needs a name of 1 to 120 characters'],
    ['a name that is too long', (steps: Steps) => steps.step('x'.repeat(121), () => {}), '1 to 120'],
    ['a limit that is none', (steps: Steps) => steps.step('two', () => {}, { limit: 'fast' }), 'expected a limit such as 5s, got "fast"'],
  ])('%s', async (_what, mistake, message) => {
    const { steps } = wound();
    await steps.step('one', () => {});
    await expect(mistake(steps)).rejects.toThrow(message);
  });
});
