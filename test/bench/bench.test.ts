import { describe, expect, inject, it } from 'vitest';
import { runBench } from '../../bench/program.ts';

async function bench(...args: string[]) {
  let out = '';
  let err = '';
  const io = {
    out: (text: string) => {
      out += text;
    },
    err: (text: string) => {
      err += text;
    },
  };
  const code = await runBench(['node', 'bench', ...args], process.env, io, new AbortController().signal);
  return { code, out, err };
}

// Where there is no Redis, which the run's setup has said.
const redisUrl = inject('redisUrl');
const onlyBackend = redisUrl ? [] : ['--queue', 'postgres'];

describe('the benchmarks', () => {
  it('prints the figures of the pipeline, and nothing else, on stdout', async () => {
    const args = ['--json', ...onlyBackend, ...'--runs 1 --seconds 3 --warm-up 3 --checks 20 --every 2'.split(' ')];
    const { code, out, err } = await bench('pipeline', ...args);
    const figures = JSON.parse(out);
    expect(figures).toMatchObject({ runs: 1, not_up: 0, machine: { node: process.versions.node } });
    if (redisUrl) {
      expect(err).toContain('run 2 of 2');
      expect(figures.postgres).toMatchObject({ backend: 'postgres', not_up: 0, cpu_share: { redis: 0 } });
      expect(figures.redis).toMatchObject({ backend: 'redis', not_up: 0 });
      expect(figures.checks_per_cpu_second).toBe(Math.min(figures.postgres.checks_per_cpu_second, figures.redis.checks_per_cpu_second));
    }
    expect(figures.machine.postgres).toMatch(/^18\./);
    for (const name of [
      'checks_per_cpu_second',
      'baseline_node_http_per_cpu_second',
      'start_lateness_ms_p99',
      'rss_mb',
      'results',
      'seconds',
    ])
      expect(figures[name], name).toBeGreaterThan(0);
    expect(figures.missed).toEqual(expect.any(Number));
    expect(code).toBe(0);
  }, 150_000);

  it('prints the figures of a journey, with pictures outside the clock', async () => {
    const { code, out } = await bench('journey', '--json', '--runs', '1', '--journeys', '1', '--warm-up', '1');
    const figures = JSON.parse(out);
    expect(figures).toMatchObject({ runs: 1, journeys: 1, pictures: 1, empty_steps: 200 });
    expect(figures.cpu_s_per_journey).toBeGreaterThan(0);
    expect(figures.ratio_to_bare_playwright).toBeGreaterThan(0);
    expect(figures.empty_step_ms_p99).toBeLessThan(figures.picture_ms_median);
    expect(figures.machine.cores).toBeGreaterThan(0);
    expect(code).toBe(0);
  }, 120_000);

  it('prints how soon alerts are posted', async () => {
    const backend = redisUrl ? 'redis' : 'postgres';
    const { code, out, err } = await bench('alert', '--json', '--incidents', '3', '--queue', backend);
    expect(err).toContain(`queue on ${backend}: of 3 incidents`);
    const figures = JSON.parse(out);
    expect(figures).toMatchObject({ backend, incidents: 3 });
    expect(Object.keys(figures.first_failure_to_post_ms_p95_by_failure)).toEqual(['error', 'reset', 'silence']);
    // The order in which it happens: failure, verdict, post.
    expect(figures.verdict_to_post_ms_p95).toBeGreaterThan(0);
    expect(figures.first_failure_to_post_ms_p95).toBeGreaterThan(figures.verdict_to_post_ms_p95);
    expect(code).toBe(0);
  }, 120_000);

  it('prints what judging costs, how late runs begin, how soon a status is answered, and what a check takes', async () => {
    const sizes = '--runs 1 --checks 200 --results 1000 --warm-up 15 --seconds 15 --status-results 20000 --stored-checks 50';
    const { code, out, err } = await bench('judge', '--json', ...sizes.split(' '));
    const figures = JSON.parse(out);
    expect(err).toContain('run 1 of 1');
    expect(figures.machine.postgres).toMatch(/^18\./);
    expect(figures).toMatchObject({
      lateness_missed: expect.any(Number),
      bytes_of: { runs: expect.any(Number), hours: expect.any(Number) },
    });
    for (const name of [
      'results_per_cpu_second',
      'ratio_to_copy',
      'start_lateness_ms_p99',
      'lateness_results',
      'status_ms_p99',
      'bytes_per_check_year',
    ])
      expect(figures[name], name).toBeGreaterThan(0);
    expect(figures.ratio_to_copy).toBeLessThan(1);
    expect(figures.status_results).toBeGreaterThanOrEqual(20_000);
    expect(code).toBe(0);
  }, 240_000);

  it('names the nearest benchmark, and what a count must be', async () => {
    expect(await bench('pipline')).toMatchObject({ code: 1, err: expect.stringContaining('Did you mean "pipeline"') });
    expect(await bench('pipeline', '--runs', 'many')).toMatchObject({
      code: 1,
      err: '--runs: expected a whole number above 0, got "many".\n',
    });
    expect(await bench('alert', '--queue', 'paper')).toMatchObject({ code: 1, err: expect.stringContaining('postgres, redis') });
    expect((await bench('--help')).out).toMatch(/pipeline[\s\S]+journey[\s\S]+alert/);
  });
});
