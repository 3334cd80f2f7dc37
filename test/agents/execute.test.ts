import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { type ExecuteDeps, execute, Stopping } from '../../agents/execute.ts';
import { secretsFrom } from '../../agents/secrets.ts';
import { resultSchema } from '../../core/result.ts';
import type { Order } from '../../core/run.ts';
import { AgentFault, defineProbe, type Outcome, type ProbeContext } from '../../probes/probe.ts';
import { quietLog } from '../helpers/log.ts';

type Run = (params: Record<string, unknown>, context: ProbeContext) => Promise<Outcome>;

function deps(run: Run, changes: Partial<ExecuteDeps> = {}): ExecuteDeps {
  const probe = defineProbe({ type: 'vital', summary: '', schema: z.object({}), failures: [], measurements: {}, examples: [], run });
  return {
    probes: new Map([['vital', probe]]),
    secrets: secretsFrom({ env: { PASSWORD: 'swordfish-7' } }),
    clock: { now: () => 1_000_500, monotonic: () => performance.now() },
    log: quietLog,
    graceMs: 50,
    ...changes,
  };
}

const ORDER: Order = {
  run: 'vital/riverside@north@1000000@scheduled@0',
  check: 'vital/riverside',
  title: 'Vital',
  type: 'vital',
  params: {},
  timeoutMs: 1_000,
  retries: 1,
  notBeforeMs: 1_000_000,
  notAfterMs: 1_060_000,
  revision: 'r1',
};
const never = new AbortController().signal;
const down: Outcome = { verdict: 'down', durationMs: 7, failure: { kind: 'status', message: 'answered 503' } };
const up: Outcome = { verdict: 'up', durationMs: 9 };

describe('attempts', () => {
  test('a check that is up is run once', async () => {
    const result = await execute(
      ORDER,
      deps(async () => up),
      never,
    );
    expect(result).toEqual(resultSchema.parse(result));
    expect(result).toMatchObject({ run: ORDER.run, revision: 'r1', verdict: 'up', durationMs: 9, startLatenessMs: 500 });
    expect(result.attempts).toEqual([{ verdict: 'up', durationMs: 9 }]);
  });

  test('one that is down is run again at once, and both are told', async () => {
    const outcomes = [down, up];
    const result = await execute(
      ORDER,
      deps(async () => outcomes.shift() ?? up),
      never,
    );
    expect(result.verdict).toBe('up');
    expect(result.attempts.map(({ verdict }) => verdict)).toEqual(['down', 'up']);
    expect(result).not.toHaveProperty('failure');
  });

  test('never more often than ordered', async () => {
    const result = await execute(
      { ...ORDER, retries: 2 },
      deps(async () => down),
      never,
    );
    expect(result.attempts).toHaveLength(3);
    expect(result).toMatchObject({ verdict: 'down', failure: { kind: 'status' } });
  });

  test('a fault is not repeated: it is the agent’s', async () => {
    const result = await execute(
      ORDER,
      deps(() => Promise.reject(new AgentFault('no-browser', 'No Chromium is here.'))),
      never,
    );
    expect(result).toMatchObject({ verdict: 'fault', failure: { kind: 'no-browser', message: 'No Chromium is here.' } });
    expect(result.attempts).toHaveLength(1);
  });
});

test('slower than allowed is degraded', async () => {
  const result = await execute(
    { ...ORDER, degradedAboveMs: 4 },
    deps(async () => up),
    never,
  );
  expect(result).toMatchObject({ verdict: 'degraded', failure: { kind: 'slow', message: 'took 0.01 s, expected at most 0 s' } });
});

describe('time', () => {
  test('a probe that never settles is abandoned and told as timeout', async () => {
    const result = await execute(
      { ...ORDER, timeoutMs: 20, retries: 0 },
      deps(() => new Promise(() => {})),
      never,
    );
    expect(result).toMatchObject({ verdict: 'down', failure: { kind: 'timeout' } });
  });

  test('the probe is told when its time is up', async () => {
    const seen: unknown[] = [];
    const run: Run = (_params, { signal }) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          seen.push((signal.reason as Error).name);
          resolve(down);
        });
      });
    await execute({ ...ORDER, timeoutMs: 20, retries: 0 }, deps(run), never);
    expect(seen).toEqual(['TimeoutError']);
  });

  test('waiting for a free browser is not the target’s time', async () => {
    const browser: ExecuteDeps['browser'] = {
      async withContext(use) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        return await use({} as never);
      },
    };
    const run: Run = async (_params, context) => await (context.browser?.withContext(async () => up, context.signal) ?? down);
    const having = deps(run, { browser, graceMs: 1 });
    const probes = new Map([...having.probes].map(([type, probe]) => [type, { ...probe, browser: true }]));
    const result = await execute({ ...ORDER, timeoutMs: 20, retries: 0 }, { ...having, probes }, never);
    expect(result.verdict).toBe('up');
  });

  test('an agent that stops gives no verdict', async () => {
    const stop = new AbortController();
    const running = execute(
      ORDER,
      deps(() => new Promise(() => {})),
      stop.signal,
    );
    stop.abort(new Error('stopping'));
    await expect(running).rejects.toBeInstanceOf(Stopping);
  });
});

describe('what leaves', () => {
  test('secrets arrive resolved, and never leave', async () => {
    const run: Run = async ({ url }, { secrets }) => ({
      verdict: 'down',
      durationMs: 1,
      failure: { kind: 'status', message: `refused ${url}`, step: `log in as ${secrets[0]}` },
      steps: [{ name: `log in as ${secrets[0]}`, durationMs: 1, outcome: 'failed' }],
      findings: [
        { kind: 'blocking-session', text: `report ${secrets[0]} of ana@clinic.example`, target: { pid: 4121, note: String(secrets[0]) } },
      ],
      measurements: {
        connect_ms: 1,
        query_ms: Number.NaN,
        hit_ratio: 0.987_654_321,
        first_byte_ms: 0.512_312_300_000_001_2,
        bytes: 2 ** 50 + 1,
      },
    });
    const result = await execute({ ...ORDER, params: { url: `http://a:\${secret:PASSWORD}@db/` }, retries: 0 }, deps(run), never);
    expect(JSON.stringify(result)).not.toContain('swordfish');
    expect(result.failure?.step).toBe(result.steps[0]?.name);
    expect(result.findings[0]).toEqual({
      kind: 'blocking-session',
      text: 'report [hidden] of [address]',
      target: { pid: 4121, note: '[hidden]' },
    });
    const numbers = { connect_ms: 1, hit_ratio: 0.987_654, first_byte_ms: 0.512, bytes: 2 ** 50 + 1 };
    expect(result.measurements).toEqual(numbers);
  });

  test('a secret that is missing is a fault, by name', async () => {
    const result = await execute(
      { ...ORDER, params: { url: `\${secret:OTHER}` } },
      deps(async () => up),
      never,
    );
    expect(result).toMatchObject({ verdict: 'fault', failure: { kind: 'secret-missing', message: expect.stringContaining('OTHER') } });
  });

  test('an error of the probe’s own is a fault without its words', async () => {
    const result = await execute(
      ORDER,
      deps(() => Promise.reject(new Error('at row "Jane Doe"'))),
      never,
    );
    expect(result).toMatchObject({ verdict: 'fault', failure: { kind: 'probe-error' } });
    expect(JSON.stringify(result)).not.toContain('Jane');
  });
});
