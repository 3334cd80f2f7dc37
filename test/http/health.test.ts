import { Counter, Registry } from 'prom-client';
import { afterEach, describe, expect, it } from 'vitest';
import { type HealthOptions, type HealthServer, serveHealth } from '../../http/health.ts';

describe('the health server', () => {
  const servers: HealthServer[] = [];

  const start = async (options: Partial<HealthOptions> = {}) => {
    const server = await serveHealth({ process: 'worker', host: '127.0.0.1', port: 0, ready: async () => undefined, ...options });
    servers.push(server);
    const get = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
      return { status: response.status, text: await response.text(), type: response.headers.get('content-type') };
    };
    return { server, get };
  };

  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close();
  });

  it('says that the process lives and is ready', async () => {
    const { get } = await start();
    expect(await get('/healthz')).toMatchObject({ status: 200, text: 'ok' });
    expect(await get('/readyz')).toMatchObject({ status: 200, text: 'ready' });
  });

  it('says in a sentence why the process is not ready, and lives all the same', async () => {
    const { get } = await start({ ready: async () => 'PostgreSQL does not answer.' });
    expect(await get('/readyz')).toMatchObject({ status: 503, text: 'PostgreSQL does not answer.' });
    expect(await get('/healthz')).toMatchObject({ status: 200 });
  });

  it('is not ready when the question fails or is never answered', async () => {
    const failing = await start({ ready: () => Promise.reject(new Error('connection refused')) });
    expect(await failing.get('/readyz')).toMatchObject({ status: 503, text: expect.stringContaining('connection refused') });
    const silent = await start({ ready: () => new Promise(() => {}) });
    expect(await silent.get('/readyz')).toMatchObject({ status: 503, text: expect.stringContaining('within 2 s') });
  });

  it('shows its own metrics beside the default ones, all with the name of the process', async () => {
    const registry = new Registry();
    new Counter({ name: 'rounds_runs_total', help: 'Runs.', registers: [registry] }).inc(3);
    const { get } = await start({ registries: [registry] });
    const { text, type } = await get('/metrics');
    expect(type).toContain('text/plain');
    expect(text).toContain('rounds_runs_total{process="worker"} 3');
    expect(text).toMatch(/^process_cpu_seconds_total\{process="worker"\} \d/m);
    const samples = text.split('\n').filter((line) => line && !line.startsWith('#'));
    expect(samples.filter((line) => !/^(rounds|process|nodejs)_/.test(line))).toEqual([]);
    expect(samples.filter((line) => !line.includes('process="worker"'))).toEqual([]);
  });

  it('says which port is taken, and how to have another', async () => {
    const { server } = await start();
    await expect(start({ port: server.port })).rejects.toThrow(
      `The health port 127.0.0.1:${server.port} cannot be opened: it is taken. Give another in ROUNDS_HTTP_PORT.`,
    );
  });
});
