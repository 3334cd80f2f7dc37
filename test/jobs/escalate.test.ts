import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Config, EscalationStep, Team } from '../../core/config/model.ts';
import { escalateDue, handOver } from '../../jobs/escalate.ts';
import { acknowledgeIncident, insertIncident, timelineOf, updateIncident } from '../../store/incident.ts';
import { tellStory } from '../../store/story.ts';
import { aCheck, aConfig, NOON_MS } from '../helpers/domain.ts';
import { type TestJobs, testJobs } from '../helpers/jobs.ts';
import { someFacts } from '../helpers/slack.ts';

const MINUTE_MS = 60_000;
const USUAL = { tiers: [1, 2], classes: ['full interruption', 'partial outage', 'degradation'] } satisfies Partial<EscalationStep>;
const STEPS: EscalationStep[] = [
  { id: '0s on-call', afterMs: 0, to: { kind: 'on-call' }, ...USUAL },
  { id: '600s team', afterMs: 10 * MINUTE_MS, to: { kind: 'team' }, ...USUAL },
  { id: '1200s platform', afterMs: 20 * MINUTE_MS, to: { kind: 'other-team', team: 'platform' }, ...USUAL },
  { id: '1800s #operations', afterMs: 30 * MINUTE_MS, to: { kind: 'channel', channel: '#operations' }, ...USUAL },
];

let jobs: TestJobs;
function configOf(team: Partial<Team> = { escalation: STEPS }): Config {
  const config = aConfig([aCheck({})]);
  config.teams.ops = { id: 'ops', title: 'Billing operations', channel: '#incidents', members: ['ana', 'ben'], ...team };
  config.teams.platform = { id: 'platform', channel: '#platform', members: ['ana'] };
  config.people.cleo = { id: 'cleo', name: 'Cleo', slack: 'U0CLEO', roles: ['responder'] };
  return config;
}
beforeEach(async () => {
  jobs = await testJobs(configOf(), NOON_MS);
});
afterEach(() => jobs.close());

async function opened(scope = 'billing', openedAtMs = NOON_MS): Promise<number> {
  const facts = someFacts();
  const seen = { configRevision: 'test', beganAtMs: openedAtMs, openedAtMs };
  return insertIncident(jobs.deps.pool, { scope, class: 'partial outage', channel: '#incidents', facts, ...seen });
}

const resolved = (id: number) => jobs.query(`update incident set state = 'resolved', resolved_at = now() where id = $1`, [id]);
const minute = (count: number) => jobs.at(NOON_MS + count * MINUTE_MS);
const steps = () => jobs.query<{ step: string; reason: string }>('select step, reason from escalation order by begun_at, at, step');
const settled = async () => (await steps()).map((row) => `${row.step}: ${row.reason}`);
const story = async (id: number) =>
  (await timelineOf(jobs.deps.pool, id)).map(({ entry, atMs }) => [(atMs - NOON_MS) / MINUTE_MS, entry] as const);
const notices = () =>
  jobs.query<{ channel: string; payload: { title: string; lines: string[]; call: string[] } }>(
    `select channel, payload from outbox where kind = 'notice' order by seq`,
  );

describe('escalation', () => {
  test('calls people one step after the other, each once, none before its time', async () => {
    const id = await opened();
    for (const at of [0, 0.5, 9.99, 10, 10.01, 20, 30, 90]) {
      minute(at);
      await escalateDue(jobs.deps);
    }
    expect(await story(id)).toEqual([
      [0, { kind: 'escalated', to: 'on-call', people: ['ana'], afterMs: 0 }],
      [10, { kind: 'escalated', to: 'team', people: ['ana', 'ben'], afterMs: 600_000 }],
      [20, { kind: 'escalated', to: 'other-team', people: ['ana'], afterMs: 1_200_000, team: 'Platform', channel: '#platform' }],
      [30, { kind: 'escalated', to: 'channel', people: [], afterMs: 1_800_000, channel: '#operations' }],
    ]);
    const [platform, operations] = await notices();
    expect(platform).toMatchObject({ channel: '#platform', payload: { call: ['ana'] } });
    expect(operations).toMatchObject({
      channel: '#operations',
      payload: {
        title: 'Patient billing: partial outage. Nobody has acknowledged it.',
        lines: ['Since 12:00, told in #incidents.', 'Called before: 12:00 Ana; 12:10 Ana and Ben; 12:20 Ana.'],
        incidents: [id],
        call: [],
      },
    });
    expect(await jobs.query(`select 1 from decision where subject = 'escalation' and reason = 'waited'`)).toHaveLength(4);
    expect(
      (await jobs.query<{ priority: number }>(`select priority from outbox where kind = 'thread'`)).map((row) => row.priority),
    ).toEqual([20, 20, 20, 20]);
  });

  test('of several workers at one moment tells each step once', async () => {
    const ids = [await opened('a'), await opened('b'), await opened('c')];
    minute(35);
    await Promise.all(Array.from({ length: 6 }, () => escalateDue(jobs.deps)));
    expect(await steps()).toHaveLength(12);
    for (const id of ids) expect(await story(id)).toHaveLength(4);
    expect(await notices()).toHaveLength(6);
  });

  test('stops when somebody acknowledges, and says so', async () => {
    const id = await opened();
    await escalateDue(jobs.deps);
    minute(4);
    await acknowledgeIncident(jobs.deps.pool, id, 'ana', NOON_MS + 4 * MINUTE_MS);
    minute(60);
    expect(await escalateDue(jobs.deps)).toBe(false);
    expect(await settled()).toEqual([
      '0s on-call: waited',
      '1200s platform: acknowledged',
      '1800s #operations: acknowledged',
      '600s team: acknowledged',
    ]);
    expect(await story(id)).toHaveLength(1);
  });

  test('starts again from a raise, which takes the acknowledgement back', async () => {
    const id = await opened();
    await escalateDue(jobs.deps);
    await acknowledgeIncident(jobs.deps.pool, id, 'ana', NOON_MS + 4 * MINUTE_MS);
    minute(11);
    await escalateDue(jobs.deps);
    minute(15);
    const klass = 'full interruption' as const;
    await updateIncident(jobs.deps.pool, id, { class: klass, peak: klass, facts: someFacts(), material: true, raised: true });
    const raised = { kind: 'class-raised' as const, from: 'partial outage' as const, to: klass, headline: 'All.', reason: 'x' };
    await tellStory(jobs.deps.pool, { id, channel: '#incidents' }, NOON_MS + 15 * MINUTE_MS, raised);
    await escalateDue(jobs.deps);
    minute(24.9);
    await escalateDue(jobs.deps);
    minute(25);
    await escalateDue(jobs.deps);
    const called = (await story(id)).flatMap(([at, entry]) => (entry.kind === 'escalated' ? [[at, entry.to]] : []));
    expect(called).toEqual([
      [0, 'on-call'],
      [15, 'on-call'],
      [25, 'team'],
    ]);
  });

  test('calls nobody for what is over, nor for a team without steps', async () => {
    const id = await opened();
    await resolved(id);
    minute(60);
    expect(await escalateDue(jobs.deps)).toBe(false);
    jobs.deps.config = configOf({});
    await opened('other');
    expect(await escalateDue(jobs.deps)).toBe(false);
    expect(await steps()).toEqual([]);
  });

  test('takes all steps at once that came while nothing ran', async () => {
    const id = await opened();
    minute(25);
    await escalateDue(jobs.deps);
    expect((await story(id)).map(([at, entry]) => [at, entry.kind === 'escalated' && entry.to])).toEqual([
      [25, 'on-call'],
      [25, 'team'],
      [25, 'other-team'],
    ]);
  });

  test('decides nothing when another configuration is in force', async () => {
    await opened();
    await expect(escalateDue({ ...jobs.deps, configSeq: 7 })).rejects.toThrow('another configuration is in force');
    expect(await steps()).toEqual([]);
  });
});

describe('a hand-over', () => {
  const rotation = { members: ['ana', 'cleo'], everyDays: 1, anchorMs: NOON_MS - 86_400_000 + 60 * MINUTE_MS, timezone: 'UTC' };

  test('is told in the thread of what is open, and in the channel when that is wanted', async () => {
    jobs.deps.config = configOf({ rotation, announce: true });
    const id = await opened();
    const over = await opened('other');
    await resolved(over);
    expect(await handOver(jobs.deps)).toBe(false);
    minute(59);
    expect(await handOver(jobs.deps)).toBe(false);
    minute(60);
    expect(await handOver(jobs.deps)).toBe(true);
    expect(await handOver(jobs.deps)).toBe(false);
    expect(await story(id)).toEqual([[60, { kind: 'handed-over', team: 'Billing operations', from: ['ana'], to: ['cleo'] }]]);
    expect(await story(over)).toEqual([]);
    const found = await notices();
    expect(found).toMatchObject([
      { channel: '#incidents', payload: { title: 'On call for Billing operations until Fri 16 Jan 13:00: Cleo', lines: [] } },
    ]);
  });

  test('is told once by any number of workers, and without an announcement in the thread only', async () => {
    jobs.deps.config = configOf({ rotation });
    const id = await opened();
    await Promise.all(Array.from({ length: 4 }, () => handOver(jobs.deps)));
    minute(60);
    await Promise.all(Array.from({ length: 6 }, () => handOver(jobs.deps)));
    expect(await story(id)).toHaveLength(1);
    expect(await notices()).toEqual([]);
  });

  test('comes with an override and its end, and says why', async () => {
    const overrides = [{ fromMs: NOON_MS + 10 * MINUTE_MS, untilMs: NOON_MS + 20 * MINUTE_MS, person: 'ben', reason: 'Ana drives' }];
    jobs.deps.config = configOf({ rotation, overrides, announce: true });
    const id = await opened();
    for (const at of [0, 10, 15, 20, 60]) {
      minute(at);
      await handOver(jobs.deps);
    }
    expect((await story(id)).map(([at, entry]) => [at, entry.kind === 'handed-over' && entry.to])).toEqual([
      [10, ['ben']],
      [20, ['ana']],
      [60, ['cleo']],
    ]);
    expect((await notices()).map((one) => one.payload.lines)).toEqual([['Stands in: Ana drives'], [], []]);
  });

  test('is none when nobody takes turns, and none when a rotation comes for the first time', async () => {
    await opened();
    expect(await handOver(jobs.deps)).toBe(false);
    jobs.deps.config = configOf({ rotation });
    expect(await handOver(jobs.deps)).toBe(false);
    jobs.deps.config = configOf({});
    await handOver(jobs.deps);
    expect(await jobs.query('select 1 from on_call')).toEqual([]);
  });
});
