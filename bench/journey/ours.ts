/** Our side: the path of an agent from an order to a result, with its warm browser. */
import { warmBrowser } from '../../agents/browser.ts';
import { findChromium } from '../../agents/chromium.ts';
import { type ExecuteDeps, execute } from '../../agents/execute.ts';
import { secretsFrom } from '../../agents/secrets.ts';
import type { Result } from '../../core/result.ts';
import type { Order } from '../../core/run.ts';
import { loadProbes } from '../../probes/registry.ts';
import { quietLog } from '../quiet-log.ts';
import { type Begin, JOURNEY_FILE, type Side, VIEWPORT } from './sides.ts';

const TIMEOUT_MS = 15_000;

/** An agent's execution of journeys without its queue. */
export interface Executor {
  execute(params: Record<string, unknown>): Promise<Result>;
  close(): Promise<void>;
}

/** Reads journeys below `filesFolder`; `secrets` are those that parameters may name. */
export async function executor(
  env: Readonly<Record<string, string | undefined>>,
  filesFolder: string,
  secrets: Record<string, string> = {},
): Promise<Executor> {
  const browser = warmBrowser({ chromium: () => findChromium(env), log: quietLog });
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const deps: ExecuteDeps = {
    probes: await loadProbes(),
    secrets: secretsFrom({ env: secrets }),
    browser,
    filesFolder,
    clock,
    log: quietLog,
  };
  const never = new AbortController().signal;
  return {
    execute: (params) => execute(orderOf(params), deps, never),
    close: () => browser.close(),
  };
}

function orderOf(params: Record<string, unknown>): Order {
  const nowMs = Date.now();
  return {
    run: `bench@here@${nowMs}@manual@0`,
    check: 'bench',
    title: 'Bench',
    type: 'journey',
    params: { with: {}, mask: [], viewport: VIEWPORT, ...params },
    timeoutMs: TIMEOUT_MS,
    retries: 0,
    notBeforeMs: nowMs,
    notAfterMs: nowMs + TIMEOUT_MS,
    revision: 'bench',
  };
}

/** The sample clinic's journey as an agent runs it. */
export async function oursSide(
  { baseUrl, user, password }: Begin,
  env: Readonly<Record<string, string | undefined>>,
  clinicFolder: string,
): Promise<Side> {
  const agent = await executor(env, clinicFolder, { MONITOR_PASSWORD: password });
  const account = { user, password: `\${secret:MONITOR_PASSWORD}` };
  return {
    async run() {
      const result = await agent.execute({ file: JOURNEY_FILE, baseUrl, account });
      if (result.verdict !== 'up')
        throw new Error(`The journey did not succeed: ${result.failure?.step ?? ''} ${result.failure?.message ?? ''}`);
    },
    close: () => agent.close(),
  };
}
