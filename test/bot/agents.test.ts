import { expect, test } from 'vitest';
import { type AgentsView, renderAgents } from '../../bot/render/agents.ts';
import { LIMITS, type Message } from '../../bot/render/blocks.ts';
import type { CheckState } from '../../core/evaluate.ts';
import type { KnownAgent } from '../../store/agent.ts';
import { aCheck, aConfig, fold, NOON_MS, said } from '../helpers/domain.ts';

const check = aCheck({ locations: ['north', 'south', 'cloud'] });
const config = aConfig([check]);
const nowMs = NOON_MS + 60_000;

function anAgent(location: string, host: string, agoMs: number, more: Partial<KnownAgent> = {}): KnownAgent {
  return { location, name: `${location}@${host}/41`, firstSeenMs: NOON_MS, lastSeenMs: nowMs - agoMs, skewMs: 12, ...more };
}

/** The check as it stands after rounds of these locations, the latest planned so long ago. */
function seen(locations: Record<string, number>): ReadonlyMap<string, CheckState> {
  const inputs = Object.entries(locations).map(([location, agoMs]) => said(check, location, 0, 'up', { plannedAtMs: nowMs - agoMs }));
  return new Map([[check.id, fold(check, inputs)]]);
}

function lines(view: Partial<AgentsView>): string[] {
  return linesOf(renderAgents({ config, nowMs, agents: [], runs: [], states: new Map(), ...view }));
}

function linesOf(message: Message): string[] {
  return message.blocks.flatMap((block) => (block.type === 'section' ? block.text.text.split('\n') : []));
}

test('a location that nobody has heard of is not seen yet, and never well', () => {
  expect(lines({}).slice(0, 4)).toEqual([
    '*⚪ 3 of 3 locations have not been seen yet.*',
    '⚪ *Data centre north*: not seen yet: its check has brought no result',
    '• no agent has been heard in the last day',
    'Last hour: no runs',
  ]);
});

test('blind locations come first, then silent agents; each agent says when it was heard and how its clock goes', () => {
  const told = lines({
    states: seen({ north: 12_000, south: 15_000, cloud: 400_000 }),
    agents: [
      anAgent('north', 'web-1.internal.example', 12_000, { version: '1.4.0' }),
      anAgent('north', 'web-2', 300_000, { skewMs: -3_200, spooled: 12 }),
      anAgent('south', 'web-3', 8_000, { skewMs: 700 }),
      anAgent('cloud', 'web-4', 390_000),
    ],
    runs: [
      { location: 'north', state: 'run', reason: '', runs: 1_204 },
      { location: 'north', state: 'late', reason: 'agent-busy', runs: 3 },
      { location: 'north', state: 'missed', reason: 'no-result', runs: 12 },
      { location: 'south', state: 'fault', reason: 'no-browser', runs: 1 },
    ],
  });
  expect(told).toEqual([
    '*⚪ 1 of 3 locations is blind.*',
    '⚪ *Data centre cloud*: blind: nothing fresh from its check, the last result 6 min ago; no agent heard of late',
    '• web-4, process 41 · not heard for 6 min · clock right',
    'Last hour: no runs',
    '🟢 *Data centre north*: fresh results of its check; 1 agent heard of late',
    '• web-2, process 41 · not heard for 5 min · *clock 3.2 s ahead* · 12 reports wait on its disk',
    '• web-1, process 41 · heard 12 s ago · clock right · version 1.4.0',
    'Last hour: 1,204 runs as planned, 12 missed (no result came), 3 late (the agent was busy)',
    '🟢 *Data centre south*: fresh results of its check; 1 agent heard of late',
    '• web-3, process 41 · heard 8.0 s ago · clock 0.7 s behind',
    'Last hour: 0 runs as planned, 1 fault (no browser)',
  ]);
});

test('an agent that was replaced hours ago is told as gone, below those that work', () => {
  const told = lines({
    states: seen({ north: 12_000 }),
    agents: [anAgent('north', 'old', 9_000_000), anAgent('north', 'older', 18_000_000), anAgent('north', 'new', 1_000)],
  });
  expect(told.filter((line) => line.startsWith('•')).slice(-2)).toEqual([
    '• new, process 41 · heard 1.0 s ago · clock right',
    '• gone: old, process 41 (2 h 30 min ago) and older, process 41 (5 h ago)',
  ]);
});

test('an agent of a location that was removed is told as well, and names mean nothing to Slack', () => {
  const told = lines({ agents: [{ ...anAgent('west', 'x', 1_000), name: '<!channel> *evil*' }] });
  expect(told.slice(-2)).toEqual([
    '*From locations that rounds.yaml does not have*',
    expect.stringMatching(/^• west: &lt;!channel&gt; \*\u200bevil\*\u200b · heard 1.0 s ago/),
  ]);
});

test('sixty locations with a dozen agents each stay within the limits, and what is cut is counted', () => {
  const ids = Array.from({ length: 60 }, (_, index) => `place-${index}`);
  const many = aCheck({ locations: ids });
  const locations = Object.fromEntries(ids.map((id) => [id, { id, title: `${id} ${'long '.repeat(8)}` }]));
  const agents = ids.flatMap((id) => Array.from({ length: 12 }, (_, index) => anAgent(id, `host-${index}-${'x'.repeat(40)}`, 1_000)));
  const message = renderAgents({ config: aConfig([many], { locations }), nowMs, agents, runs: [], states: new Map() });
  expect(message.blocks.length).toBeLessThanOrEqual(LIMITS.blocks);
  expect(JSON.stringify(message.blocks).length).toBeLessThan(12_000);
  expect(linesOf(message)).toContain('and 7 more agents');
  expect(linesOf(message)).toContain('and 45 more locations, 45 of them blind or nearly so');
});
