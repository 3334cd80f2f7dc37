/** `rounds run CHECK`: runs a check once, here, and shows its steps and times. Nothing is recorded, nobody is told. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { closest } from 'fastest-levenshtein';
import { warmBrowser } from '../agents/browser.ts';
import { findChromium } from '../agents/chromium.ts';
import { type ExecuteDeps, execute } from '../agents/execute.ts';
import { secretsFrom } from '../agents/secrets.ts';
import type { Check } from '../core/check.ts';
import type { Config } from '../core/config/model.ts';
import type { Result } from '../core/result.ts';
import { type Order, runName } from '../core/run.ts';
import { loadProbes } from '../probes/registry.ts';
import { ConfigError, readConfig } from './config.ts';
import type { CliContext } from './context.ts';
import { configFileOf, dataFolderOf } from './places.ts';
import { resultInLines } from './run-output.ts';

export interface RunOptions {
  config?: string | undefined;
  location?: string | undefined;
}

type Context = Pick<CliContext, 'env' | 'log' | 'io'>;

const EXIT = { up: 0, degraded: 1, down: 1, fault: 2 } as const;
const MISTAKE = 2;

/** Resolves to the exit code: 0 up, 1 down or degraded, 2 a fault or a mistake in what was asked. The worst of several counts. */
export async function run(check: string, options: RunOptions, context: Context): Promise<number> {
  const { io } = context;
  try {
    const config = await readConfig(configFileOf(options.config, context.env));
    const chosen = checksNamed(check, config);
    const location = locationOf(options.location, config);
    if (typeof chosen === 'string' || typeof location !== 'object') {
      io.err(`${typeof chosen === 'string' ? chosen : location}\n`);
      return MISTAKE;
    }
    return await runAll(chosen, location.id ?? chosen[0]?.locations[0] ?? 'here', config, context);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const line of error.lines) io.err(`${line}\n`);
    return MISTAKE;
  }
}

/** The check of that id, or all of that template; a sentence when there is none. */
function checksNamed(name: string, config: Config): Check[] | string {
  const all = Object.values(config.checks);
  const found = all.filter((check) => check.id === name || check.template === name);
  if (found.length > 0) return found;
  const names = [...new Set(all.flatMap(({ id, template }) => [template, id]))];
  if (names.length === 0) return 'This configuration has no checks.';
  return `There is no check "${name}". Did you mean "${closest(name, names)}"?`;
}

function locationOf(name: string | undefined, config: Config): { id?: string } | string {
  if (name === undefined) return {};
  if (Object.hasOwn(config.locations, name)) return { id: name };
  return `There is no location "${name}". Did you mean "${closest(name, Object.keys(config.locations))}"?`;
}

async function runAll(checks: Check[], location: string, config: Config, context: Context): Promise<number> {
  const { env, log, io } = context;
  const browser = warmBrowser({ chromium: () => findChromium(env), log });
  const folder = env.ROUNDS_SECRETS_DIR ?? join(dataFolderOf(context.env), 'secrets', 'agents');
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const deps: ExecuteDeps = { probes: await loadProbes(), secrets: secretsFrom({ folder, env }), browser, clock, log };
  let code = 0;
  try {
    for (const check of checks) {
      const result = await execute(orderOf(check, location, config, clock.now()), deps, new AbortController().signal);
      const tenant = check.tenant === undefined ? undefined : config.tenants[check.tenant]?.title;
      io.out(`${resultInLines(check, tenant, result).join('\n')}\n`);
      if (result.picture) io.out(`Picture: ${savePicture(check, result, context)}\n`);
      code = Math.max(code, EXIT[result.verdict]);
    }
  } finally {
    await browser.close();
  }
  return code;
}

/** Once means once: what an agent would do again at once is not done here. */
function orderOf(check: Check, location: string, config: Config, nowMs: number): Order {
  return {
    run: runName({ check: check.id, location, slotMs: nowMs, purpose: 'manual', ask: 0 }),
    check: check.id,
    title: check.title,
    type: check.type,
    params: check.params,
    ...(check.tenant === undefined ? {} : { tenant: check.tenant }),
    timeoutMs: check.timeoutMs,
    retries: 0,
    ...(check.degradedAboveMs === undefined ? {} : { degradedAboveMs: check.degradedAboveMs }),
    notBeforeMs: nowMs,
    notAfterMs: nowMs + check.timeoutMs,
    revision: config.revision,
  };
}

function savePicture(check: Check, result: Result, context: Context): string {
  const moment = new Date().toISOString().slice(0, 19).replaceAll(':', '');
  const file = join(dataFolderOf(context.env), 'pictures', `${check.id.replaceAll('/', '-')}-${moment}.jpg`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, Buffer.from(result.picture?.base64 ?? '', 'base64'), { mode: 0o600 });
  return file;
}
