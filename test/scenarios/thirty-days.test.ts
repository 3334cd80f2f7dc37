import { describe, expect, it } from 'vitest';
import type { Event } from './format.ts';
import type { Posting } from './judging.ts';
import { many } from './many.ts';
import { postingInWords } from './show.ts';
import { Timeline } from './timeline.ts';
import { World } from './world.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START_MS = Date.parse('2026-03-10T10:00:00+01:00');
const blips = (seed: number, chance = 0.005): Event => ({ is: 'blips', at: 0, blips: ['*'], chance, seed });

/** Four databases with 49 checks each, their own checks, and the ingress's. */
const config = await many({ databases: 4, services: 7, checks: 7 });

it('is about 200 checks, each from three locations', () => {
  const checks = Object.values(config.checks);
  expect(checks).toHaveLength(201);
  expect(new Set(checks.map((check) => check.locations.length))).toEqual(new Set([3]));
});

function worldOf(events: readonly Event[], options: { skipsWell?: boolean } = {}): World {
  const timeline = new Timeline(events, Object.keys(config.checks), Object.keys(config.locations));
  return new World({ config, timeline, startMs: START_MS, ...options });
}

const opened = (world: World): Posting[] => world.postings.filter((posting) => posting.kind === 'open');
const inWords = (postings: readonly Posting[]) => postings.map(postingInWords).join('\n');

/** From 0 to 1, the same for the same seed. */
function chances(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 0x1_0000_0000;
  };
}

describe('random blips, half a percent of all attempts, 200 checks from three locations', () => {
  it('make at most one false post in thirty days', { timeout: 180_000 }, () => {
    const world = worldOf([blips(20_260_310)], { skipsWell: true });
    world.runUntil(30 * DAY_MS);
    expect(opened(world).length, inWords(world.postings)).toBeLessThanOrEqual(1);
  });

  it('come to the same whether quiet slots are folded or left out', { timeout: 120_000 }, () => {
    const events: Event[] = [
      blips(5, 0.2),
      { is: 'fail', at: 0.5 * HOUR_MS, until: 0.8 * HOUR_MS, fail: ['check-1-*', 'db-1'], verdict: 'down', once: false },
    ];
    const [all, some] = [worldOf(events), worldOf(events, { skipsWell: true })];
    for (const world of [all, some]) world.runUntil(1.2 * HOUR_MS);
    expect(opened(all).length).toBeGreaterThan(5);
    expect(some.postings.map(postingInWords)).toEqual(all.postings.map(postingInWords));
  });
});

describe('a real outage among the blips', () => {
  const kinds = ['timeout', 'connection-refused', 'status', 'assertion'];
  const seeds = Array.from({ length: 60 }, (_, index) => index + 1);

  it.each(seeds)('is posted within interval + time-outs + 5 s (seed %i)', (seed) => {
    const chance = chances(seed);
    const ids = Object.values(config.checks).filter((check) => check.service !== undefined);
    const check = ids[Math.floor(chance() * ids.length)]!;
    const beginsMs = 60_000 + Math.floor(chance() * 600) * 1_000 + Math.floor(chance() * 1_000);
    const kind = kinds[Math.floor(chance() * kinds.length)]!;
    const world = worldOf([blips(seed), { is: 'fail', at: beginsMs, fail: [check.id], verdict: 'down', once: false, kind }]);
    const boundMs = beginsMs + check.everyMs + check.timeoutMs * (1 + check.retries) + 5_000;
    world.runUntil(Math.ceil(boundMs / 1_000) * 1_000 + 60_000);
    const [post, ...others] = opened(world);
    expect(others, inWords(world.postings)).toEqual([]);
    expect(post?.facts?.services.map((service) => service.id)).toEqual([check.service]);
    // Judged with the turn after: whole seconds.
    expect(post?.atMs).toBeLessThanOrEqual(Math.ceil(boundMs / 1_000) * 1_000);
    expect(post?.atMs).toBeGreaterThanOrEqual(beginsMs);
  });
});

describe('one location cut off for a day, among the blips', () => {
  it('is one incident of class blind, and no outage', { timeout: 120_000 }, () => {
    const world = worldOf([blips(11), { is: 'cut', at: HOUR_MS, until: 25 * HOUR_MS, cut: 'cloud', checks: ['*'] }]);
    world.runUntil(26 * HOUR_MS);
    const posts = opened(world);
    expect(
      posts.map((post) => post.class),
      inWords(world.postings),
    ).toEqual(['blind']);
    expect(posts[0]?.facts?.locations.map((location) => location.id)).toEqual(['cloud']);
    expect(world.judging.open, 'and ends when the location sees again').toEqual([]);
  });

  it('is the same when its agent is gone for two hours', { timeout: 120_000 }, () => {
    const world = worldOf([blips(12), { is: 'lose', at: HOUR_MS, until: 25 * HOUR_MS, lose: 'cloud' }]);
    world.runUntil(26 * HOUR_MS);
    expect(
      opened(world).map((post) => post.class),
      inWords(world.postings),
    ).toEqual(['blind']);
    expect(world.judging.open).toEqual([]);
  });
});
