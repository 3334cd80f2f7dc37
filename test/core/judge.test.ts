import { describe, expect, it } from 'vitest';
import type { Check, IncidentClass } from '../../core/check.ts';
import { type CheckView, classifyService } from '../../core/classify.ts';
import type { Incident } from '../../core/incident.ts';
import { type Change, type Judged, judgeScope, NO_MEMORY, type ScopeInput } from '../../core/judge.ts';
import { headlineOf } from '../../core/words.ts';
import { aCheck, aConfig, everywhere, NOON_MS, SLOT_MS, said, view } from '../helpers/domain.ts';

const invoice = (tenant: string) => aCheck({ tenant });
const booking = (tenant: string) =>
  aCheck({ template: 'book', title: 'Book an appointment', does: 'book appointments', service: 'scheduling', tenant });
const report = aCheck({ template: 'report', title: 'Monthly report', does: 'print the report', critical: false });
const database: Check = (() => {
  const { service: _service, ...rest } = aCheck({ template: 'vitals', title: 'Vital signs', critical: false, locations: ['north'] });
  return { ...rest, component: 'postgres' };
})();
const all = [invoice('riverside'), invoice('hillcrest'), booking('riverside'), booking('hillcrest'), report, database];

const wordsOfCancel = { needsFinding: 'blocking-session', preview: () => 'Cancels the query.' };
const wordsOfRequest = { preview: () => 'Reopens sign-in.' };

/** All checks up but those named, which fail everywhere at that step. */
function views(down: readonly string[], step = 'confirm the invoice'): CheckView[] {
  return all.map((check) => {
    if (!down.includes(check.id)) return view(check, everywhere(check, 0, 'up'));
    const failure = { kind: 'timeout', message: 'no answer within 15 s', step };
    return view(
      check,
      everywhere(check, 0, 'up'),
      check.locations.map((location) => said(check, location, 1, 'down', { failure })),
    );
  });
}

function input(checkViews: readonly CheckView[], open?: Incident, change: Partial<ScopeInput> = {}): ScopeInput {
  const config = aConfig(all, {
    runbooks: {
      reopen: {
        id: 'reopen',
        title: 'Reopen sign-in',
        when: { services: ['billing', 'scheduling'], steps: ['sign in'] },
        action: { type: 'http.request', params: {}, location: 'north' },
        mayRun: ['responder'],
        verify: ['post-invoice'],
      },
      cancel: {
        id: 'cancel',
        title: 'Cancel the blocker',
        when: { components: ['postgres'], failures: ['lock-wait'] },
        action: { type: 'postgres.cancel', params: {}, location: 'north' },
        mayRun: ['responder'],
        verify: [],
      },
    },
  });
  const scope = config.scopes.billing;
  if (!scope) throw new Error('no scope');
  return {
    config,
    scope,
    views: checkViews,
    nowMs: NOON_MS + SLOT_MS + 5_000,
    actions: new Map([
      ['http.request', wordsOfRequest],
      ['postgres.cancel', wordsOfCancel],
    ]),
    open: open ? [open] : [],
    changes: [],
    noisy: [],
    burns: [],
    quiets: [],
    locations: [],
    repairs: new Map(),
    memory: NO_MEMORY,
    ...change,
  };
}

/** What becomes of the one problem that there is, or of none. */
function judge(from: ScopeInput): Judged {
  const { outcomes } = judgeScope(from);
  if (outcomes.length > 1) throw new Error(`expected one problem, got ${outcomes.length}`);
  const [only] = outcomes;
  return only ? { change: only.change, decisions: only.decisions } : { change: { kind: 'none' }, decisions: [] };
}

function opened(change: Change): Incident {
  if (change.kind !== 'open') throw new Error(`expected an incident to open, got ${change.kind}`);
  return {
    id: 1,
    scope: 'billing',
    root: change.facts.root,
    class: change.class,
    peak: change.class,
    state: 'open',
    revision: 1,
    channel: change.channel,
    facts: change.facts,
    beganAtMs: change.beganAtMs,
    openedAtMs: NOON_MS + SLOT_MS + 5_000,
  };
}

/** The same value with every object's keys the other way round. */
function reordered<T>(value: T): T {
  return JSON.parse(JSON.stringify(value), (_key, one) =>
    one && typeof one === 'object' && !Array.isArray(one) ? Object.fromEntries(Object.entries(one).reverse()) : one,
  );
}

/** When an update is no longer held back by the one before. */
const LATER = { nowMs: NOON_MS + SLOT_MS + 15_000 };

const classOf = (change: Change): IncidentClass | undefined => ('class' in change ? change.class : undefined);

describe('the class of a service', () => {
  const of = (down: readonly string[]) => classifyService(views(down).filter(({ check }) => check.service === 'billing'));

  it.each([
    [[], 'none', 'none'],
    [['report'], 'degradation', 'non-critical-failed'],
    [['post-invoice/riverside'], 'partial outage', 'critical-some-tenants'],
    [['post-invoice/riverside', 'post-invoice/hillcrest'], 'full interruption', 'no-critical-journey-succeeds'],
  ] as const)('for %j is %s, because %s', (down, klass, reason) => {
    expect(of(down)).toEqual({ class: klass, reason });
  });

  it('is no full interruption while one critical check is not known to fail', () => {
    const known = view(invoice('riverside'), everywhere(invoice('riverside'), 1, 'down'));
    const unknown = view(invoice('hillcrest'));
    expect(classifyService([known, unknown])).toEqual({ class: 'partial outage', reason: 'critical-some-tenants' });
  });

  it('says when one critical journey fails for all, and another works', () => {
    const other = (tenant: string) => aCheck({ template: 'refund', tenant });
    const mixed = ['riverside', 'hillcrest'].flatMap((tenant) => [
      view(invoice(tenant), everywhere(invoice(tenant), 1, 'down')),
      view(other(tenant), everywhere(other(tenant), 1, 'up')),
    ]);
    expect(classifyService(mixed)).toEqual({ class: 'partial outage', reason: 'some-critical-for-all' });
  });

  it('is degraded when one location alone fails for three slots, and slow when its objective is missed', () => {
    const check = invoice('riverside');
    const alone = [0, 1, 2].map((slot) => everywhere(check, slot, 'down', 'up', 'up'));
    expect(classifyService([view(check, ...alone)])).toEqual({ class: 'degradation', reason: 'one-location-alone' });
    expect(classifyService([view(check, everywhere(check, 0, 'degraded'), everywhere(check, 1, 'degraded'))])).toEqual({
      class: 'degradation',
      reason: 'objective-missed',
    });
  });
});

describe('judging a scope', () => {
  it('opens nothing while all is well, and resolves nothing that is not open', () => {
    expect(judge(input(views([])))).toEqual({ change: { kind: 'none' }, decisions: [] });
  });

  it('opens one incident for a sign-in that fails in two services, in words of the business', () => {
    const { change, decisions } = judge(input(views(['post-invoice/riverside', 'book/riverside'], 'sign in')));
    const incident = opened(change);
    expect(headlineOf(incident.facts, incident.class)).toBe(
      'Clinic scheduling and Patient billing: partial outage. 1 of 2 clinics cannot sign in: Riverside Clinic.',
    );
    expect(incident).toMatchObject({ class: 'partial outage', channel: '#incidents', beganAtMs: NOON_MS + SLOT_MS });
    expect(incident.facts).toMatchObject({ locationsTotal: 3, onCall: [{ id: 'ana', title: 'Ana' }] });
    expect(incident.facts.offers.map((offer) => offer.runbook)).toEqual(['reopen']);
    expect(decisions.map(({ subject, reason }) => `${subject}: ${reason}`)).toEqual([
      'class scheduling: critical-some-tenants',
      'class billing: critical-some-tenants',
      'incident: opened',
      'post: first-notification',
    ]);
  });

  it('raises in place, with the reason, and says nothing twice', () => {
    const first = opened(judge(input(views(['post-invoice/riverside']))).change);
    const same = judge(input(views(['post-invoice/riverside']), first));
    expect(same.change).toEqual({ kind: 'none' });
    const worse = judge(input(views(['post-invoice/riverside', 'post-invoice/hillcrest']), first)).change;
    expect(worse).toMatchObject({
      kind: 'update',
      class: 'full interruption',
      peak: 'full interruption',
      material: true,
      reason: 'class-raised',
    });
    expect(worse.kind === 'update' && worse.timeline.map((entry) => entry.kind)).toEqual(['class-raised']);
  });

  it('is a risk while only a component fails, and names it as the likely cause once a service does', () => {
    const finding = { kind: 'blocking-session', text: 'a report (pid 7) blocks 3 sessions', target: { pid: 7, backendStart: 'then' } };
    const failure = { kind: 'lock-wait', message: 'sessions wait for 40 s' };
    const blocked = view(database, [said(database, 'north', 0, 'down', { failure, findings: [finding] })]);
    const others = views([]).filter(({ check }) => check.id !== database.id);
    const risk = opened(judge(input([...others, blocked])).change);
    expect(headlineOf(risk.facts, risk.class)).toBe('PostgreSQL (shared cluster): risk. All journeys succeed; nobody is hurt yet.');
    expect(risk.facts.offers).toMatchObject([{ runbook: 'cancel', target: { pid: 7 } }]);
    const failing = views(['post-invoice/riverside']).filter(({ check }) => check.id !== database.id);
    const raised = judge(input([...failing, blocked], risk)).change;
    expect(classOf(raised)).toBe('partial outage');
    const stored = { ...risk, facts: reordered(risk.facts) };
    expect(judge(input([...others, blocked], stored)).change, 'facts as the database gives them back').toEqual({ kind: 'none' });
    expect(raised.kind === 'update' && raised.facts.likelyCause).toEqual({
      text: 'PostgreSQL (shared cluster): a report (pid 7) blocks 3 sessions',
      evidence: 'Began 1 min before.',
    });
  });

  it('offers nothing that lacks the finding it would act on', () => {
    const failure = { kind: 'lock-wait', message: 'sessions wait for 40 s' };
    const blocked = view(database, [said(database, 'north', 0, 'down', { failure })]);
    const others = views([]).filter(({ check }) => check.id !== database.id);
    expect(opened(judge(input([...others, blocked])).change).facts.offers).toEqual([]);
  });

  it('watches before it resolves, then says how long and what fixed it', () => {
    const check = invoice('riverside');
    const history = [everywhere(check, 0, 'up'), everywhere(check, 1, 'down')];
    const open = opened(judge(input(views([check.id]))).change);
    const others = views([]).filter((one) => one.check.id !== check.id);
    const watching = judge(input([...others, view(check, ...history, everywhere(check, 2, 'up'))], open, LATER)).change;
    expect(watching).toMatchObject({ kind: 'update', class: 'partial outage', material: false, reason: 'recovering', timeline: [] });
    expect(watching.kind === 'update' && watching.facts).toMatchObject({ recovering: true, roundsLeft: 2 });
    const settled = view(check, ...history, everywhere(check, 2, 'up'), everywhere(check, 3, 'up'), everywhere(check, 4, 'up'));
    const repaired = { nowMs: NOON_MS + 5 * SLOT_MS, repairs: new Map([[1, { title: 'Reopen sign-in', by: 'Ana' }]]) };
    expect(judge(input([...others, settled], open, repaired)).change).toMatchObject({
      kind: 'resolve',
      resolution: 'Resolved after 4 min. Fixed by "Reopen sign-in" (Ana).',
      reason: 'resolved',
    });
  });

  it('never takes a check that got better for an excuse of one that got worse', () => {
    const [first, second] = [invoice('riverside'), invoice('hillcrest')];
    const slow = (check: Check) => [everywhere(check, 0, 'degraded'), everywhere(check, 1, 'degraded')];
    const others = views([]).filter(({ check }) => check.template !== 'post-invoice');
    const open = opened(judge(input([...others, view(first, ...slow(first)), view(second, ...slow(second))])).change);
    expect(open.class).toBe('degradation');
    const well = [2, 3, 4].map((slot) => everywhere(first, slot, 'up'));
    const mixed = [...others, view(first, ...slow(first), ...well), view(second, ...slow(second), everywhere(second, 4, 'down'))];
    expect(judge(input(mixed, open, { nowMs: NOON_MS + 4 * SLOT_MS + 1_000 })).change).toMatchObject({
      class: 'partial outage',
      reason: 'class-raised',
    });
  });

  it('says what is not seen, beside what is known', () => {
    const open = opened(judge(input(views(['post-invoice/riverside']))).change);
    const failing = views(['post-invoice/riverside']).map((one) =>
      one.check.id === 'report' ? { ...one, state: { ...one.state, moment: 'blind' as const } } : one,
    );
    const { change } = judge(input(failing, open, LATER));
    expect(change.kind === 'update' && change.facts.blind.map((check) => check.id)).toEqual(['report']);
  });

  it('keeps saying what failed when it is merely slow on the way back', () => {
    const check = invoice('riverside');
    const open = opened(judge(input(views([check.id]))).change);
    const slow = check.locations.map((location) =>
      said(check, location, 2, 'degraded', { failure: { kind: 'slow', message: 'took 8.6 s, expected at most 4 s' } }),
    );
    const others = views([]).filter((one) => one.check.id !== check.id);
    const back = [...others, view(check, everywhere(check, 0, 'up'), everywhere(check, 1, 'down'), slow)];
    const { change } = judge(input(back, { ...open, facts: { ...open.facts, shown: { ...open.facts.shown, visible: 0 } } }, LATER));
    const symptom = change.kind === 'update' ? change.facts.services[0]?.symptoms[0] : undefined;
    expect(symptom?.failure).toMatchObject({ kind: 'timeout', step: 'confirm the invoice' });
  });

  it('tells what is better once it has lasted, not check by check on the way to the end', () => {
    const [first, second] = [invoice('riverside'), invoice('hillcrest')];
    const down = (check: Check) => [everywhere(check, 0, 'up'), everywhere(check, 1, 'down')];
    const upAgain = (check: Check) => [everywhere(check, 2, 'up'), everywhere(check, 3, 'up'), everywhere(check, 4, 'up')];
    const others = views([]).filter(({ check }) => check.template !== 'post-invoice');
    const open = opened(judge(input(views([first.id, second.id]))).change);
    expect(open.class).toBe('full interruption');
    const half = [...others, view(first, ...down(first), ...upAgain(first)), view(second, ...down(second), everywhere(second, 4, 'down'))];
    const at = NOON_MS + 4 * SLOT_MS + 5_000;
    const soon = judge(input(half, open, { nowMs: at })).change;
    expect(soon).toMatchObject({ kind: 'update', class: 'full interruption', reason: 'shown-anew', material: false, timeline: [] });
    const waiting = soon.kind === 'update' ? { ...open, facts: soon.facts } : open;
    expect(judge(input(half, waiting, { nowMs: at + SLOT_MS / 2 })).change).toEqual({ kind: 'none' });
    const lasted = judge(input(half, waiting, { nowMs: at + SLOT_MS })).change;
    expect(lasted).toMatchObject({ kind: 'update', class: 'partial outage', reason: 'class-lowered', material: true });
    expect(lasted.kind === 'update' && lasted.facts.betterSinceMs).toBeUndefined();
    const bothUp = [...others, view(first, ...down(first), ...upAgain(first)), view(second, ...down(second), everywhere(second, 5, 'up'))];
    const recovering = judge(input(bothUp, waiting, { nowMs: at + 2 * SLOT_MS })).change;
    expect(recovering, 'all is up: nothing is lowered on the last steps').toMatchObject({
      class: 'full interruption',
      reason: 'recovering',
      timeline: [],
    });
  });

  it('is blind when nobody can see, and keeps the class that is open', () => {
    const blindView = (check: Check): CheckView => {
      const seen = view(check, everywhere(check, 0, 'up'));
      return { check, state: { ...seen.state, moment: 'blind' } };
    };
    const fresh = opened(judge(input(all.map(blindView))).change);
    expect(fresh.class).toBe('blind');
    const seenAgain = judge(input(views([]), fresh)).change;
    expect(seenAgain.kind === 'resolve' && seenAgain.facts.blind.map((check) => check.id)).toEqual(all.map((check) => check.id));
    expect(headlineOf(fresh.facts, 'blind')).toContain(
      'Nobody can say whether it works: no results for Post an invoice (Riverside Clinic)',
    );
    const open = opened(judge(input(views(['post-invoice/riverside']))).change);
    const gone = views(['post-invoice/riverside']).map((one) => ({ ...one, state: { ...one.state, moment: 'blind' as const } }));
    const both = judgeScope(input(gone, open, LATER)).outcomes;
    expect(both.map(({ incident, change }) => [incident?.id, change.kind, classOf(change)])).toEqual([
      [1, 'update', 'partial outage'],
      [undefined, 'open', 'blind'],
    ]);
  });

  it('closes the incidents of checks that are gone as retired', () => {
    const open = opened(judge(input(views(['post-invoice/riverside']))).change);
    const without = { config: aConfig([]) };
    expect(judge(input([], open, without)).change).toMatchObject({ kind: 'resolve', reason: 'retired' });
  });
});
