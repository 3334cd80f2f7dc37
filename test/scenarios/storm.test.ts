import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { Config } from '../../core/config/model.ts';
import { many } from './many.ts';
import { causeOf } from './match.ts';
import { postingInWords } from './show.ts';
import { Timeline } from './timeline.ts';
import { World } from './world.ts';

const MINUTE_MS = 60_000;
const FIVE_MINUTES_MS = 5 * MINUTE_MS;
const START_MS = Date.parse('2026-03-10T10:00:00+01:00');

interface Storm {
  fail: string[];
  at?: number;
  until?: number;
}

function storm(config: Config, storms: readonly Storm[]): World {
  const events = storms.map(({ fail, at = MINUTE_MS, until }) => ({
    is: 'fail' as const,
    at,
    fail,
    verdict: 'down' as const,
    once: false,
    ...(until === undefined ? {} : { until }),
  }));
  const timeline = new Timeline(events, Object.keys(config.checks), Object.keys(config.locations));
  return new World({ config, timeline, startMs: START_MS });
}

const opened = (world: World) => world.postings.filter((posting) => posting.kind === 'open');
const inWords = (world: World) => world.postings.map(postingInWords).join('\n').slice(0, 20_000);

/** The most updates of one incident within any five minutes: the post brought up to date, or a line, whichever are more. */
function mostUpdates(world: World, incident: number): number {
  const edits = world.judging.edits.filter((edit) => edit.incident === incident && !edit.isNew).map((edit) => edit.atMs);
  const lines = world.postings.filter((one) => one.incident === incident && one.kind !== 'open').map((one) => one.atMs);
  const most = (times: readonly number[]) =>
    Math.max(0, ...times.map((from) => times.filter((atMs) => atMs >= from && atMs < from + FIVE_MINUTES_MS).length));
  return Math.max(most(edits), most(lines));
}

describe('1,000 failing checks with one cause', async () => {
  const config = await many({ databases: 1, services: 50, checks: 20 });

  it('are one post, with at most 10 updates in 5 minutes, and the cause named', { timeout: 120_000 }, () => {
    const world = storm(config, [{ fail: ['db-1', 'check-*'], until: 12 * MINUTE_MS }]);
    world.runUntil(11 * MINUTE_MS);
    const [post, ...others] = opened(world);
    expect(others, inWords(world)).toEqual([]);
    const [incident] = world.judging.open;
    expect(incident?.facts.services).toHaveLength(50);
    expect(incident && causeOf(incident.facts)).toBe('db-1');
    expect(mostUpdates(world, post?.incident ?? 0), inWords(world)).toBeLessThanOrEqual(10);
    world.runUntil(20 * MINUTE_MS);
    expect(world.judging.open, inWords(world)).toEqual([]);
    expect(world.postings.filter((posting) => posting.kind === 'resolve')).toHaveLength(1);
    expect(mostUpdates(world, post?.incident ?? 0), 'also on the way back').toBeLessThanOrEqual(10);
  });

  it('are one post when the cause has no check of its own', { timeout: 120_000 }, async () => {
    const world = storm(await many({ databases: 1, services: 50, checks: 20, unchecked: true }), [{ fail: ['check-*'] }]);
    world.runUntil(8 * MINUTE_MS);
    expect(opened(world).length, inWords(world)).toBe(1);
    const [incident] = world.judging.open;
    expect(incident && causeOf(incident.facts)).toBe('db-1');
    expect(mostUpdates(world, incident?.id ?? 0), inWords(world)).toBeLessThanOrEqual(10);
  });
});

describe('20 causes at once, 1,000 failing checks', async () => {
  const config = await many({ databases: 20, services: 5, checks: 10 });

  it.each([1, 2, 3])('are 20 posts, each with its own root first (%i of 3)', { timeout: 120_000 }, (round) => {
    const causes = Array.from({ length: 20 }, (_, index) => index + 1);
    // All within a minute, one of the rounds at the very same second.
    const at = (db: number) => MINUTE_MS + (round === 1 ? 0 : ((db * 7 * round) % 60) * 1_000);
    const world = storm(
      config,
      causes.map((db) => ({ fail: [`db-${db}`, `check-${db}-*`], at: at(db) })),
    );
    world.runUntil(8 * MINUTE_MS);
    expect(opened(world).length, inWords(world)).toBe(20);
    const right = world.judging.open.filter((incident) => {
      const hit = new Set(incident.facts.services.map((service) => service.id.split('-')[1]));
      return hit.size === 1 && causeOf(incident.facts) === `db-${[...hit][0]}`;
    });
    expect(right.length).toBeGreaterThanOrEqual(19);
    for (const { incident } of opened(world)) expect(mostUpdates(world, incident)).toBeLessThanOrEqual(10);
  });
});

describe('10,000 failing checks', () => {
  it('are held in bounded memory', { timeout: 300_000 }, async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const usedMb = () => {
      collect();
      return process.memoryUsage().heapUsed / 1e6;
    };
    const config = await many({ databases: 20, services: 10, checks: 1, tenants: 49 });
    expect(Object.keys(config.checks).length).toBeLessThanOrEqual(10_000);
    expect(Object.keys(config.checks).length).toBeGreaterThan(9_800);
    const world = storm(config, [{ fail: ['db-*', 'check-*'] }]);
    /** What the test remembers of the posts is not part of what Rounds does. */
    const run = (untilMs: number) => {
      world.runUntil(untilMs);
      world.judging.edits.length = 0;
      world.judging.postings.length = 0;
    };
    run(2.5 * MINUTE_MS);
    const settledMb = usedMb();
    run(3.5 * MINUTE_MS);
    expect(usedMb()).toBeLessThan(settledMb * 1.1 + 10);
    const facts = world.judging.open.map((incident) => JSON.stringify(incident.facts).length);
    expect(world.judging.open).toHaveLength(20);
    expect(Math.max(...facts), 'what is stored of one incident, in characters').toBeLessThan(500_000);
  });
});
