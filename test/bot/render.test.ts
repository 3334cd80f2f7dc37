import { describe, expect, test } from 'vitest';
import { type Block, LIMITS } from '../../bot/render/blocks.ts';
import { renderDetails } from '../../bot/render/details.ts';
import { renderIncident } from '../../bot/render/incident.ts';
import { renderOverview, renderService } from '../../bot/render/status.ts';
import { renderThread } from '../../bot/render/thread.ts';
import { EMPTY_STATE } from '../../core/evaluate.ts';
import type { Facts, Incident } from '../../core/incident.ts';
import { aCheck, everywhere, view as fold, NOON_MS } from '../helpers/domain.ts';
import { botConfig, someFacts } from '../helpers/slack.ts';

const config = botConfig();
const LONG = 'Möller & Söhne <Zahnklinik> *fett* '.repeat(300);

function anIncident(facts: Facts, change: Partial<Incident> = {}): Incident {
  return {
    id: 12,
    scope: 'billing',
    root: 'service:billing',
    class: 'partial outage',
    peak: 'partial outage',
    state: 'open',
    revision: 1,
    channel: '#incidents',
    facts: { ...facts, sinceMs: NOON_MS },
    beganAtMs: NOON_MS,
    openedAtMs: NOON_MS + 9_000,
    ...change,
  };
}

function lines(incident: Incident, fileId?: string): string[] {
  const message = renderIncident({
    incident,
    nowMs: NOON_MS + 360_000,
    timeZone: 'Europe/Berlin',
    nameOf: (id) => (id === 'ana' ? 'Ana' : id),
    buttons: [],
    ...(fileId ? { fileId } : {}),
  });
  return message.blocks.flatMap((block) =>
    block.type === 'section' ? block.text.text.split('\n') : block.type === 'context' ? block.elements.map((one) => one.text) : [],
  );
}

describe('an alert', () => {
  test('says what is broken for whom first, then since when, how, why and who', () => {
    const cause = { text: 'PostgreSQL (shared cluster): a report blocks 23 sessions', evidence: 'Began 40 s before.' };
    expect(lines(anIncident(someFacts({ likelyCause: cause })))).toEqual([
      '🟠 *Patient billing: partial outage.* 1 of 2 clinics cannot post invoices: Riverside Clinic.',
      'Since 13:00 (6 min), seen from 3 of 3 locations.',
      'Fails at "confirm the invoice": no answer within 15 s.',
      '*Likely cause:* PostgreSQL (shared cluster): a report blocks 23 sessions. Began 40 s before.',
      'On call: Ana. Owner: ops.',
      'INC-12 · as of 13:06',
    ]);
  });

  test('names the location when one alone sees it', () => {
    expect(lines(anIncident(someFacts({ seenFrom: ['Data centre north'] })))[1]).toBe(
      'Since 13:00 (6 min), seen from 1 of 3 locations: Data centre north.',
    );
  });

  test('that recovers says so, and for how long it watches', () => {
    const told = lines(anIncident(someFacts({ recovering: true, roundsLeft: 2, seenFrom: [] })));
    expect(told[1]).toBe('All is well again. Watching for 2 more rounds.');
    expect(told[2]).toBe('Since 13:00 (6 min).');
  });

  test('that was acknowledged says by whom', () => {
    const incident = anIncident(someFacts(), { acknowledgedBy: 'ana', acknowledgedAtMs: NOON_MS + 120_000 });
    expect(lines(incident)).toContain('Acknowledged by Ana at 13:02. Owner: ops.');
  });

  test('tells two ways of failing apart, and a slow one with its usual time', () => {
    const [service] = someFacts().services;
    const [symptom] = service!.symptoms;
    const { failure: _failure, ...rest } = symptom!;
    const slow = {
      ...rest,
      template: 'book',
      title: 'Book an appointment',
      verdict: 'degraded' as const,
      durationMs: 4_800,
      usuallyMs: 900,
    };
    const told = lines(anIncident(someFacts({ services: [{ ...service!, symptoms: [symptom!, slow] }] })));
    expect(told).toContain('Post an invoice: fails at "confirm the invoice": no answer within 15 s.');
    expect(told).toContain('Book an appointment: slow: takes 4.8 s. Usually 0.9 s.');
  });

  test('of something slow does not say that it fails', () => {
    const [service] = someFacts().services;
    const failure = { kind: 'slow', message: 'took 4.07 s, expected at most 4 s' };
    const slow = { ...service!.symptoms[0]!, verdict: 'degraded' as const, failure, durationMs: 4_070, usuallyMs: 900 };
    expect(lines(anIncident(someFacts({ services: [{ ...service!, symptoms: [slow] }] })))[2]).toBe(
      'Slow: took 4.07 s, expected at most 4 s. Usually 0.9 s.',
    );
  });

  test('that is over says how long, what fixed it and what it was, in the past', () => {
    const incident = anIncident(someFacts(), {
      state: 'resolved',
      resolvedAtMs: NOON_MS + 480_000,
      resolution: 'Resolved after 8 min. Fixed by "Reopen sign-in" (Ana).',
    });
    expect(lines(incident)).toEqual([
      '🟢 *Patient billing: well again.* Resolved after 8 min. Fixed by "Reopen sign-in" (Ana).',
      'Partial outage: 1 of 2 clinics could not post invoices: Riverside Clinic.',
      'From 13:00 to 13:08.',
      'Failed at "confirm the invoice": no answer within 15 s.',
      'INC-12',
    ]);
  });

  test('stands its buttons above the picture', () => {
    const message = renderIncident({
      incident: anIncident(someFacts()),
      nowMs: NOON_MS,
      timeZone: 'UTC',
      nameOf: (id) => id,
      buttons: [{ type: 'button', action_id: 'a', value: 'v', text: { type: 'plain_text', text: 'Details' } }],
      fileId: 'F1',
    });
    expect(message.blocks.map((block) => block.type)).toEqual(['section', 'section', 'actions', 'image', 'context']);
  });
});

/** Whatever the data, Slack takes the message. */
function expectWithinLimits(message: { text: string; blocks: Block[] }): void {
  expect(message.blocks.length).toBeLessThanOrEqual(LIMITS.blocks);
  expect(JSON.stringify(message.blocks).length).toBeLessThanOrEqual(12_000);
  expect(message.text.length).toBeLessThanOrEqual(LIMITS.fallback);
  for (const block of message.blocks) {
    if (block.type === 'section') expect(block.text.text.length).toBeLessThanOrEqual(LIMITS.section);
    if (block.type === 'section') expect(block.text.text).not.toMatch(/<Zahn|& |&[a-z]{0,4}…/);
  }
}

describe('limits', () => {
  const [service] = someFacts().services;
  const [symptom] = service!.symptoms;
  const many = Array.from({ length: 80 }, (_, index) => ({
    ...symptom!,
    title: `${index} ${LONG}`,
    failure: { kind: 'timeout', message: `${index} ${LONG}`, step: LONG },
    tenants: [{ id: String(index), title: LONG }],
  }));
  const facts = someFacts({
    services: [{ ...service!, title: LONG, symptoms: many }],
    likelyCause: { text: LONG, evidence: LONG },
    components: Array.from({ length: 40 }, (_, index) => ({
      id: `c${index}`,
      title: LONG,
      check: 'c',
      verdict: 'down' as const,
      findings: [],
      sinceMs: 0,
    })),
    onCall: [{ id: 'x', title: LONG }],
    owner: LONG,
  });

  test('hold for an alert and its thread with far too much of everything', () => {
    const common = { nowMs: NOON_MS, timeZone: 'UTC', nameOf: (id: string) => id, buttons: [], fileId: 'F1' };
    expectWithinLimits(renderIncident({ ...common, incident: anIncident(facts) }));
    expectWithinLimits(
      renderIncident({ ...common, incident: anIncident(facts, { state: 'resolved', resolvedAtMs: NOON_MS, resolution: LONG }) }),
    );
    expectWithinLimits(renderThread({ kind: 'impact-changed', headline: LONG }, NOON_MS, 'UTC', (id) => id));
  });

  test('hold for the details of many checks with long words', () => {
    const results = Array.from({ length: 90 }, (_, index) => ({
      checkId: `check-${index}`,
      location: 'north',
      verdict: 'down' as const,
      failure: { kind: 'timeout', message: LONG.slice(0, 500), step: LONG.slice(0, 120) },
      durationMs: 1_000,
      steps: Array.from({ length: 100 }, () => ({ name: LONG.slice(0, 120), durationMs: 5, outcome: 'passed' as const })),
      measurements: Object.fromEntries(Array.from({ length: 90 }, (_, at) => [`${LONG.slice(0, 40)}${at}_ms`, 1])),
      attempts: 2,
      plannedAtMs: NOON_MS,
    }));
    const message = renderDetails({ incident: anIncident(facts), config, nowMs: NOON_MS, results });
    expectWithinLimits(message);
    expect(JSON.stringify(message)).toContain('of 6 checks; 84 more are like them');
  });
});

describe('status', () => {
  const check = aCheck({ tenant: 'riverside' });
  const service = config.services.billing!;
  const nowMs = NOON_MS + 12_000;
  const template = (state = EMPTY_STATE) => [{ title: check.title, checks: [check], states: new Map([[check.id, state]]), pace: {} }];

  test('calls a service well only while somebody looks', () => {
    const state = fold(check, everywhere(check, 0, 'up')).state;
    const status = { service, templates: template(state), wellSinceMs: NOON_MS - 3_600_000 };
    const told = (at: number) => renderOverview({ config, nowMs: at }, [status], []).text;
    expect(told(nowMs)).toBe('🟢 All services are well.');
    expect(told(nowMs + 3_600_000)).toBe('⚪ Nothing fresh is known of 1 of 1 services.');
    expect(renderOverview({ config, nowMs }, [{ service, templates: template() }], []).text).toBe(
      '⚪ Nothing fresh is known of 1 of 1 services.',
    );
  });

  test('of one service says how many clinics, how fast, and when it was looked at last', () => {
    const state = fold(check, everywhere(check, 0, 'up')).state;
    const templates = [{ ...template(state)[0]!, pace: { p95Ms: 1_200, usuallyMs: 1_100 } }];
    const message = renderService({ config, nowMs }, { service, templates, wellSinceMs: NOON_MS - 3 * 86_400_000 });
    expect(message.blocks.map((block) => (block.type === 'section' ? block.text.text : ''))).toEqual([
      '*Patient billing* · tier 1 · owner ops · 🟢 all well for 3 d',
      '🟢 Post an invoice: 1 of 1 clinic, p95 1.2 s (usually 1.1 s), last round 12 s ago from Data centre cloud, Data centre north and Data centre south\nOpen: none',
    ]);
  });
});
