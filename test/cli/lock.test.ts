import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { takeLock } from '../../cli/lock.ts';

const FIXTURE = fileURLToPath(new URL('fixtures/lock.ts', import.meta.url));

describe('the lock of a data folder', () => {
  let folder: string;
  let path: string;

  /** Another process that takes the lock and keeps it until its input ends. Resolves to what it said. */
  const another = async () => {
    const child = spawn(process.execPath, [FIXTURE, path], { stdio: ['pipe', 'pipe', 'inherit'] });
    const [said] = (await once(child.stdout, 'data')) as [Buffer];
    return { child, said: said.toString() };
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'rounds-lock-'));
    path = join(folder, 'run', 'up.lock');
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is held by one, who gives it back', () => {
    const lock = takeLock(path);
    expect(() => takeLock(path)).toThrow(`Rounds runs in this folder already (pid ${process.pid})`);
    lock.release();
    expect(readdirSync(join(folder, 'run'))).toEqual([]);
    takeLock(path).release();
  });

  it('is refused while another process holds it, and taken over when that one was killed', async () => {
    const { child, said } = await another();
    expect(said).toBe('taken');
    expect(() => takeLock(path)).toThrow(`(pid ${child.pid})`);
    child.kill('SIGKILL');
    await once(child, 'exit');
    takeLock(path).release();
    expect(existsSync(path)).toBe(false);
  });

  it('is taken over when the number of the dead holder was given to another process', () => {
    takeLock(path);
    writeFileSync(path, JSON.stringify({ pid: process.pid, began: '1' }));
    takeLock(path).release();
  });

  it('goes to exactly one of many that find a dead holder', async () => {
    const dead = await another();
    dead.child.kill('SIGKILL');
    await once(dead.child, 'exit');
    const all = await Promise.all(Array.from({ length: 6 }, another));
    expect(all.filter(({ said }) => said === 'taken')).toHaveLength(1);
    for (const { child } of all) child.stdin.end();
  });
});
