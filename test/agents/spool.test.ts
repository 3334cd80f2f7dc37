import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { reporterTo } from '../../agents/reporter.ts';
import { openSpool, type SpoolOptions } from '../../agents/spool.ts';
import type { Report } from '../../jobs/contract.ts';
import { keepingLog, quietLog } from '../helpers/log.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rounds-spool-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const report = (agent: string): Report => ({ v: 1, agent, sentAtMs: 0, results: [], refusals: [], actions: [] });
const opened = (changes: Partial<SpoolOptions> = {}) => openSpool({ folder, log: quietLog, now: () => Date.now(), ...changes });

async function drained(spool: Awaited<ReturnType<typeof openSpool>>): Promise<string[]> {
  const seen: string[] = [];
  await spool.drain(async ({ id, report: { agent } }) => void seen.push(`${id} ${agent}`));
  return seen;
}

describe('the spool', () => {
  test('hands out in order, also after a restart and when the clock jumps back', async () => {
    let nowMs = 5_000_000;
    const first = await opened({ now: () => nowMs });
    await first.put({ id: 'a', report: report('1') });
    nowMs = 1_000_000;
    await first.put({ id: 'b', report: report('2') });
    const second = await opened({ now: () => nowMs });
    await second.put({ id: 'c', report: report('3') });
    expect(await drained(second)).toEqual(['a 1', 'b 2', 'c 3']);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('keeps what was not taken', async () => {
    const spool = await opened();
    for (const id of ['a', 'b', 'c']) await spool.put({ id, report: report(id) });
    const taken: string[] = [];
    const draining = spool.drain(async ({ id }) => {
      if (id === 'b') throw new Error('away');
      taken.push(id);
    });
    await expect(draining).rejects.toThrow('away');
    expect(taken).toEqual(['a']);
    expect(await drained(await opened())).toEqual(['b b', 'c c']);
  });

  test('gives up the oldest beyond its size, and what is too old', async () => {
    let nowMs = 1_000;
    const log = keepingLog();
    const spool = await opened({ now: () => nowMs, maxBytes: 250, maxAgeMs: 60_000, log });
    for (const id of ['a', 'b', 'c', 'd']) await spool.put({ id, report: report(id) });
    expect(spool.size()).toBe(3);
    nowMs += 120_000;
    await spool.put({ id: 'e', report: report('e') });
    expect(await drained(spool)).toEqual(['e e']);
    expect(log.lines.map(({ level }) => level)).toEqual(['warn', 'warn']);
  });

  test('passes over what it cannot read', async () => {
    writeFileSync(join(folder, '0000000000000001-torn.json'), '{"v":1,');
    writeFileSync(join(folder, '0000000000000002-half.json.unfinished'), '{}');
    const spool = await opened({ maxAgeMs: Number.MAX_SAFE_INTEGER });
    await spool.put({ id: 'a', report: report('a') });
    expect(await drained(spool)).toEqual(['a a']);
  });

  test('has everything that it promised, after its process was killed', async () => {
    const child = spooler();
    const promised: string[] = [];
    for await (const line of createInterface({ input: child.stdout! })) {
      promised.push(line);
      if (promised.length === 20) child.kill('SIGKILL');
    }
    await exited(child);
    const seen = (await drained(await opened())).map((one) => one.split(' ')[0]);
    expect(seen.slice(0, promised.length)).toEqual(promised);
  });
});

/** A process that spools reports for ever and says which ones it was promised. */
function spooler(): ChildProcess {
  const script = `
    import { openSpool } from ${JSON.stringify(new URL('../../agents/spool.ts', import.meta.url).href)};
    const spool = await openSpool({ folder: ${JSON.stringify(folder)}, log: console, now: () => Date.now() });
    for (let index = 0; ; index++) {
      await spool.put({ id: 'r' + index, report: { v: 1, agent: 'x'.repeat(1000), sentAtMs: 0, results: [], refusals: [], actions: [] } });
      process.stdout.write('r' + index + '\\n');
    }`;
  return spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

test('while the queue is away reports wait, and are then sent in order under their first name', async () => {
  let away = true;
  const seen: { id: string; agent: string }[] = [];
  const tried: string[] = [];
  const queues = {
    add: async (_queue: unknown, jobs: readonly { id: string; data: unknown }[]) => {
      tried.push(jobs[0]?.id ?? '');
      if (away) throw new Error('ECONNREFUSED');
      for (const { id, data } of jobs) seen.push({ id, agent: (data as Report).results[0]?.run ?? '' });
    },
  };
  const clock = { now: () => Date.now(), monotonic: () => performance.now() };
  const reporter = reporterTo({ queues, spool: await opened(), location: 'north', agent: 'a', clock, log: quietLog, retryMs: 20 });
  const result = (run: string) => ({ results: [{ run } as Report['results'][number]] });
  await reporter.send(result('one'));
  await reporter.send(result('two'));
  expect(reporter.trouble()).toBe('The queue is away; 2 reports wait on disk.');
  away = false;
  await reporter.send(result('three'));
  await expect.poll(() => seen.map(({ agent }) => agent)).toEqual(['one', 'two', 'three']);
  expect(seen[0]?.id).toBe(tried[0]);
  expect(reporter.trouble()).toBeUndefined();
  await reporter.close();
});
