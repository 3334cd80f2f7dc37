import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { isAlive } from '../../cli/lock.ts';
import type { Word } from '../../cli/serve.ts';

const FIXTURE = fileURLToPath(new URL('fixtures/process.ts', import.meta.url));

describe('a process of Rounds', () => {
  const children: ChildProcess[] = [];

  const start = (behaviour: string) => {
    const child = fork(FIXTURE, [behaviour, '1000'], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], execArgv: [] });
    children.push(child);
    const said: string[] = [];
    child.stdout?.on('data', (chunk: Buffer) => said.push(chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => said.push(chunk.toString()));
    const words: Word[] = [];
    child.on('message', (word) => words.push(word as Word));
    const heard = async (type: Word['type']) => {
      while (!words.some((word) => word.type === type)) await once(child, 'message');
      return words.find((word) => word.type === type) as Word;
    };
    const exit = once(child, 'exit').then(([code, signal]) => ({ code, signal }));
    return { child, heard, exit, said: () => said.join('') };
  };

  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  it('tells its health port, then that it is ready, and answers there', async () => {
    const { heard } = start('plain');
    const listening = await heard('listening');
    await heard('ready');
    const port = listening.type === 'listening' ? listening.healthPort : 0;
    const response = await fetch(`http://127.0.0.1:${port}/readyz`);
    expect({ status: response.status, text: await response.text() }).toEqual({ status: 200, text: 'ready' });
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('stops in order on %s, also when it comes twice', async (signal) => {
    const { child, heard, exit, said } = start('plain');
    await heard('ready');
    child.kill(signal);
    child.kill(signal);
    expect(await exit).toEqual({ code: 0, signal: null });
    expect(said().match(/"Stopping"/g)).toHaveLength(1);
    expect(said()).not.toContain('    at ');
  });

  it('reads its configuration again on SIGHUP, as often as it is told and whatever goes wrong', async () => {
    const { child, heard, exit, said } = start('reloads');
    await heard('ready');
    for (const expected of ['Read again: 1', 'The configuration could not be read again: The database is away.', 'Read again: 3']) {
      child.kill('SIGHUP');
      await expect.poll(said, { timeout: 5_000 }).toContain(expected);
    }
    child.kill('SIGTERM');
    expect(await exit).toEqual({ code: 0, signal: null });
  });

  it('takes no notice of SIGHUP when it has no configuration', async () => {
    const { child, heard, exit, said } = start('plain');
    await heard('ready');
    child.kill('SIGHUP');
    await expect.poll(said, { timeout: 5_000 }).toContain('SIGHUP: this process has no configuration to read again');
    child.kill('SIGTERM');
    expect(await exit).toEqual({ code: 0, signal: null });
  });

  it('stops when the terminal that it was started at goes away', async () => {
    // `script` is part of Linux; what is started by it has a terminal of its own, which ends with it.
    if (process.platform !== 'linux')
      return void process.stderr.write('Not run here: a terminal that goes away is made with script of Linux.\n');
    const command = `${process.execPath} ${FIXTURE} reloads 1000`;
    const script = spawn('script', ['-qefc', command, '/dev/null'], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(script);
    let said = '';
    script.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await expect.poll(() => said, { timeout: 10_000 }).toContain('"Ready"');
    const pid = Number(/"pid":(\d+)/.exec(said)?.[1]);
    process.kill(pid, 'SIGHUP');
    await expect.poll(() => said, { timeout: 5_000 }).toContain('Read again: 1');
    script.kill('SIGKILL');
    await expect.poll(() => isAlive(pid), { timeout: 5_000 }).toBe(false);
  });

  it('stops when the supervisor is gone', async () => {
    const { child, heard, exit } = start('plain');
    await heard('ready');
    child.disconnect();
    expect(await exit).toEqual({ code: 0, signal: null });
    expect(isAlive(child.pid ?? 0)).toBe(false);
  });

  it('ends with code 1 and the reason when it cannot start', async () => {
    const { exit, said } = start('cannot-start');
    expect(await exit).toEqual({ code: 1, signal: null });
    expect(said()).toContain('Could not start: The database is away.');
  });

  it('ends with code 1 when a promise fails that nobody handles', async () => {
    const { exit, said } = start('rejects');
    expect(await exit).toEqual({ code: 1, signal: null });
    expect(said()).toContain('A promise failed and nobody handled it: forgotten');
  });

  it('says why it is not ready, and can be stopped all the same', async () => {
    const { child, heard, exit, said } = start('never-ready');
    const listening = await heard('listening');
    const port = listening.type === 'listening' ? listening.healthPort : 0;
    while (!said().includes('Not ready yet')) await once(child.stdout as NodeJS.ReadableStream, 'data');
    const response = await fetch(`http://127.0.0.1:${port}/readyz`);
    expect({ status: response.status, text: await response.text() }).toEqual({ status: 503, text: 'Slack does not answer.' });
    child.kill('SIGTERM');
    expect(await exit).toEqual({ code: 0, signal: null });
  });

  it('is not held up for ever by work that does not end', async () => {
    const { child, heard, exit, said } = start('never-stops');
    await heard('ready');
    child.kill('SIGTERM');
    expect(await exit).toEqual({ code: 1, signal: null });
    expect(said()).toContain('Did not stop within 1 s');
  });

  it('writes no secret into its log', async () => {
    const { heard, said } = start('secretive');
    await heard('ready');
    await expect.poll(said, { timeout: 5_000 }).toContain('Signed in');
    expect(said()).not.toContain('hunter2');
  });
});
