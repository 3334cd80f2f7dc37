import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { isAlive } from '../../cli/lock.ts';
import { type ChildSpec, type ProcessState, type Supervisor, supervise } from '../../cli/supervisor.ts';
import { keepingLog } from '../helpers/log.ts';

const FIXTURE = fileURLToPath(new URL('fixtures/process.ts', import.meta.url));

const fixture = (name: string, behaviour: string): ChildSpec => ({
  name,
  program: process.execPath,
  args: [FIXTURE, behaviour],
  env: { PATH: '/usr/bin:/bin' },
});

describe('the supervisor', () => {
  const supervisors: Supervisor[] = [];

  const start = (children: ChildSpec[]) => {
    const log = keepingLog();
    const lines: string[] = [];
    let table: Readonly<Record<string, ProcessState>> = {};
    const waiting = new Set<() => void>();
    const supervisor = supervise({
      children,
      log,
      firstBackoffMs: 50,
      stopLimitMs: 1_000,
      onLine: (name, line) => lines.push(`${name}: ${line}`),
      onChange: (changed) => {
        table = changed;
        for (const look of waiting) look();
      },
    });
    supervisors.push(supervisor);
    const until = (holds: (now: typeof table) => boolean) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (!holds(table)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      });
    return { supervisor, log, lines, table: () => table, until };
  };

  afterEach(async () => {
    for (const supervisor of supervisors.splice(0)) await supervisor.stop();
  });

  it('brings up every process and knows where each answers', async () => {
    const { supervisor, table } = start([fixture('worker', 'plain'), fixture('bot', 'plain')]);
    await supervisor.ready;
    expect(Object.keys(table())).toEqual(['worker', 'bot']);
    for (const { pid, healthPort, ready } of Object.values(table())) {
      expect(ready).toBe(true);
      expect(isAlive(pid)).toBe(true);
      expect((await fetch(`http://127.0.0.1:${healthPort}/healthz`)).status).toBe(200);
    }
  });

  it('starts one that waits for another when that one is ready', async () => {
    const { supervisor, table, until } = start([{ ...fixture('worker', 'plain'), after: ['clinic'] }, fixture('clinic', 'plain')]);
    expect(Object.keys(table())).toEqual(['clinic']);
    await until(({ worker }) => worker !== undefined);
    expect(table().clinic?.ready).toBe(true);
    await supervisor.ready;
  });

  it('starts a killed process again, and says so', async () => {
    const { supervisor, table, until, log } = start([fixture('worker', 'plain')]);
    await supervisor.ready;
    const killed = table().worker?.pid ?? 0;
    process.kill(killed, 'SIGKILL');
    await until(({ worker }) => worker?.ready === true && worker.pid !== killed);
    expect(table().worker).toMatchObject({ restarts: 1 });
    expect(log.lines.map(({ message }) => message)).toContain('worker was ended by SIGKILL; starting it again in 0.05 s');
  });

  it('starts what is new in the list, stops what is not in it, and leaves the rest alone', async () => {
    const { supervisor, table, until, log } = start([
      fixture('worker', 'plain'),
      fixture('agent-north', 'plain'),
      fixture('agent-south', 'plain'),
    ]);
    await supervisor.ready;
    const before = table();
    const north = { ...fixture('agent-north', 'plain'), env: { PATH: '/usr/bin:/bin', LANG: 'C' } };
    await supervisor.update([fixture('worker', 'plain'), north, fixture('agent-west', 'plain')]);
    await until((now) => now['agent-west']?.ready === true && now['agent-north']?.ready === true);
    expect(Object.keys(table()).sort()).toEqual(['agent-north', 'agent-west', 'worker']);
    expect(table().worker?.pid).toBe(before.worker?.pid);
    expect(table()['agent-north']?.pid, 'it is told something else').not.toBe(before['agent-north']?.pid);
    expect(isAlive(before['agent-south']?.pid ?? 0)).toBe(false);
    expect(log.lines.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  it('goes on with the others when one that came later does not start', async () => {
    const { supervisor, table, log } = start([fixture('worker', 'plain')]);
    await supervisor.ready;
    const { pid } = table().worker ?? {};
    await supervisor.update([fixture('worker', 'plain'), fixture('agent-west', 'cannot-start')]);
    const tries = () => log.lines.filter(({ message }) => message.startsWith('agent-west ended')).length;
    await expect.poll(tries, { timeout: 20_000 }).toBeGreaterThan(2);
    expect(table().worker).toMatchObject({ pid, ready: true });
  });

  it('stops all of them, and starts none again', async () => {
    const { supervisor, table } = start([fixture('worker', 'plain'), fixture('bot', 'plain')]);
    await supervisor.ready;
    const pids = Object.values(table()).map(({ pid }) => pid);
    await supervisor.stop();
    expect(pids.filter(isAlive)).toEqual([]);
    expect(table()).toEqual({});
  });

  it('can be stopped while the processes are still starting', async () => {
    const { supervisor, table } = start([fixture('worker', 'plain')]);
    const pids = Object.values(table()).map(({ pid }) => pid);
    await supervisor.stop();
    expect(pids.filter(isAlive)).toEqual([]);
  });

  it('ends a process that does not stop', async () => {
    const { supervisor, table } = start([fixture('worker', 'never-stops')]);
    await supervisor.ready;
    const pid = table().worker?.pid ?? 0;
    await supervisor.stop();
    expect(isAlive(pid)).toBe(false);
  });

  it('gives up a process that never starts, with its last words', async () => {
    const { supervisor } = start([fixture('worker', 'cannot-start')]);
    await expect(supervisor.ready).rejects.toThrow(
      'worker does not start: it ended with exit code 1, 5 times. Its last words: Could not start: The database is away.',
    );
  });

  it('gives up a program that is not there', async () => {
    const { supervisor } = start([{ name: 'worker', program: '/does/not/exist', args: [], env: {} }]);
    await expect(supervisor.ready).rejects.toThrow('worker does not start: it could not be started');
  });

  it('leaves nothing when it is killed itself', async () => {
    const { supervisor, until, table } = start([
      { name: 'up', program: process.execPath, args: [fileURLToPath(new URL('fixtures/supervisor.ts', import.meta.url))], env: {} },
    ]);
    supervisor.ready.catch(() => {});
    await until(({ up }) => up?.healthPort !== undefined);
    // The fixture tells its child's number where others tell their health port.
    const grandchild = table().up?.healthPort ?? 0;
    expect(isAlive(grandchild)).toBe(true);
    process.kill(table().up?.pid ?? 0, 'SIGKILL');
    while (isAlive(grandchild)) await new Promise((resolve) => setTimeout(resolve, 20));
  });
});
