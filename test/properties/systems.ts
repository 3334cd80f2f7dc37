/** Whole systems: a configuration with what stands on what, and a timeline of what happens to it. */
import fc from 'fast-check';
import { installedParts } from '../../cli/config.ts';
import { CLASSES, type IncidentClass } from '../../core/check.ts';
import { type CheckView, classifyService, isBad } from '../../core/classify.ts';
import { formatProblem, loadConfig } from '../../core/config/load.ts';
import type { Config } from '../../core/config/model.ts';
import type { Reasoned } from '../../core/facts.ts';
import type { Event } from '../scenarios/format.ts';
import { Timeline } from '../scenarios/timeline.ts';
import { World } from '../scenarios/world.ts';

const parts = await installedParts();
export const START_MS = Date.parse('2026-03-10T10:00:00+01:00');
const SECOND_MS = 1_000;

/** Every id begins with this, and no title has it: people are told titles. */
export const ID_MARK = 'zq';
const PLACES = ['North', 'South', 'Cloud', 'East', 'West'];
const NAMES = ['Ada', 'Bea', 'Cleo', 'Dora', 'Edda', 'Fay', 'Gil', 'Hana', 'Ira', 'Jun'];
const id = (kind: string, index: number) => `${ID_MARK}${kind}${index}`;
const range = (count: number) => Array.from({ length: count }, (_, index) => index);

interface CheckPart {
  /** Of these, as many as the owner has: `every`, `timeout`, and so on. */
  everyS: number;
  timeoutS: number;
  retries: number;
  resolveAfter: number;
  critical: boolean;
  forEach: boolean;
  places: number[];
}

export interface Layout {
  text: string;
  config: Config;
}

function anyCheckPart(locations: number): fc.Arbitrary<CheckPart> {
  return fc.record({
    everyS: fc.constantFrom(20, 30, 60),
    timeoutS: fc.constantFrom(2, 5),
    retries: fc.nat(1),
    resolveAfter: fc.integer({ min: 1, max: 3 }),
    critical: fc.boolean(),
    forEach: fc.boolean(),
    places: fc.oneof(
      { weight: 3, arbitrary: fc.constant(range(locations)) },
      { weight: 1, arbitrary: fc.uniqueArray(fc.nat(locations - 1), { minLength: 1 }) },
    ),
  });
}

/** Services and components with a graph that has no circle, tenants, and checks from one to five locations. */
export const anyLayout: fc.Arbitrary<Layout> = fc
  .record({
    locations: fc.integer({ min: 1, max: 5 }),
    components: fc.nat(4),
    services: fc.integer({ min: 1, max: 3 }),
    tenants: fc.nat(3),
  })
  .chain(({ locations, components, services, tenants }) => {
    const below = (count: number) => fc.uniqueArray(fc.nat(Math.max(0, count - 1)), { maxLength: Math.min(count, 2) });
    return fc
      .record({
        locations: fc.constant(locations),
        tenants: fc.constant(tenants),
        components: fc.tuple(
          ...range(components).map((index) =>
            fc.record({
              below: index === 0 ? fc.constant<number[]>([]) : below(index),
              check: fc.option(anyCheckPart(locations), { freq: 4 }),
            }),
          ),
        ),
        services: fc.tuple(
          ...range(services).map(() =>
            fc.record({
              below: components === 0 ? fc.constant<number[]>([]) : below(components),
              tier: fc.constantFrom(1, 2, 3),
              checks: fc.array(anyCheckPart(locations), { minLength: 1, maxLength: 3 }),
            }),
          ),
        ),
      })
      .map((layout) => read(textOf(layout)));
  });

type Parts = {
  locations: number;
  tenants: number;
  components: { below: number[]; check: CheckPart | null }[];
  services: { below: number[]; tier: number; checks: CheckPart[] }[];
};

function textOf({ locations, tenants, components, services }: Parts): string {
  const checkOf = (name: string, title: string, owner: string, part: CheckPart, extra: string) =>
    `  ${name}: { title: ${title}, ${owner}, ${extra}every: ${part.everyS}s, timeout: ${part.timeoutS}s, retries: ${part.retries}, resolveAfter: ${part.resolveAfter}, locations: [${part.places.map((place) => id('l', place)).join(', ')}], http: { url: https://any.example } }`;
  const dependsOn = (below: readonly number[]) => `dependsOn: [${below.map((one) => id('c', one)).join(', ')}]`;
  const lines = [
    'version: 1',
    'timezone: Europe/Berlin',
    'locations:',
    ...range(locations).map((index) => `  ${id('l', index)}: { title: Place ${PLACES[index]} }`),
    `teams: { ${ID_MARK}team: { title: Operations, channel: '#operations' } }`,
    ...(tenants > 0 ? ['tenants:', ...range(tenants).map((index) => `  ${id('t', index)}: { title: Clinic ${NAMES[index]} }`)] : []),
    ...(components.length > 0 ? ['components:'] : []),
    ...components.map(({ below }, index) => `  ${id('c', index)}: { title: Database ${NAMES[index]}, ${dependsOn(below)} }`),
    'services:',
    ...services.map(
      ({ below, tier }, index) =>
        `  ${id('s', index)}: { title: Service ${NAMES[index]}, tier: ${tier}, owner: ${ID_MARK}team, ${dependsOn(below)} }`,
    ),
    'checks:',
    ...components.flatMap(({ check }, index) =>
      check ? [checkOf(id('k', index), `Look at ${NAMES[index]}`, `component: ${id('c', index)}`, check, '')] : [],
    ),
    ...services.flatMap(({ checks }, service) =>
      checks.map((part, index) => {
        const extra = `does: use ${NAMES[service]}, critical: ${part.critical}, ${part.forEach && tenants > 0 ? 'forEach: tenants, ' : ''}`;
        return checkOf(
          id('j', 10 * service + index),
          `Use ${NAMES[service]} ${NAMES[index + 3]}`,
          `service: ${id('s', service)}`,
          part,
          extra,
        );
      }),
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function read(text: string): Layout {
  const loaded = loadConfig({ file: 'any.yaml', text }, parts);
  if (!loaded.ok) throw new Error(`${text}\n${loaded.problems.map((problem) => formatProblem('any.yaml', problem)).join('\n')}`);
  return { text, config: loaded.config };
}

/** What happens, and for how long it is looked at. */
export interface System {
  layout: Layout;
  events: Event[];
  forMs: number;
}

export interface Happenings {
  /** Silences. */
  quiet?: boolean;
  /** Agents that are lost, cut off or at fault, reports that are late, lost or told twice. */
  agents?: boolean;
  /** Budgets that burn. */
  burns?: boolean;
  /** The workers stop, and their clock jumps. */
  workers?: boolean;
}

/** Everything is over by then; after that nothing happens for a while. */
const TROUBLE_MS = 12 * 60_000;
const QUIET_MS = 10 * 60_000;

export function anySystem(happenings: Happenings = {}): fc.Arbitrary<System> {
  return anyLayout.chain((layout) =>
    fc
      .record({
        fails: fc.array(anyFail(layout.config), { minLength: 1, maxLength: 5 }),
        agents: happenings.agents ? fc.array(anyAgentTrouble(layout.config), { maxLength: 3 }) : fc.constant<never[]>([]),
        silences: happenings.quiet ? fc.array(anySilence(layout.config), { maxLength: 2 }) : fc.constant<never[]>([]),
        changes: fc.array(anyChange(layout.config), { maxLength: 2 }),
        burns: happenings.burns ? fc.array(anyBurn(layout.config), { maxLength: 2 }) : fc.constant<never[]>([]),
        workers: happenings.workers ? fc.array(anyStop, { maxLength: 1 }) : fc.constant<never[]>([]),
      })
      .map(({ fails, agents, silences, changes, burns, workers }) =>
        systemOf(layout, [...fails, ...agents, ...silences, ...changes, ...burns, ...workers]),
      ),
  );
}

/** A system that is told as its configuration and a timeline when it is a counterexample. */
export function systemOf(layout: Layout, events: Event[], forMs = TROUBLE_MS + QUIET_MS): System {
  const told = () =>
    `\n${layout.text}events:\n${events.map((event) => `  - ${JSON.stringify(event)}`).join('\n')}\nfor: ${forMs / 1_000}s\n`;
  return { layout, events, forMs, [fc.toStringMethod]: told } as System;
}

const anyAt = fc.integer({ min: 30, max: 500 }).map((seconds) => seconds * SECOND_MS);
/** Over by the end of the trouble. */
const anySpan = fc
  .tuple(anyAt, fc.integer({ min: 5, max: 400 }))
  .map(([at, seconds]) => ({ at, until: Math.min(TROUBLE_MS, at + seconds * SECOND_MS) }));

function anyFail(config: Config): fc.Arbitrary<Event> {
  const checks = Object.keys(config.checks);
  const templates = [...new Set(Object.values(config.checks).map((check) => check.template))];
  const one = fc.uniqueArray(fc.constantFrom(...checks), { minLength: 1, maxLength: 4 });
  const whole = fc.constantFrom(...templates).map((template) => checks.filter((check) => config.checks[check]?.template === template));
  const from = fc.option(fc.uniqueArray(fc.constantFrom(...Object.keys(config.locations)), { minLength: 1 }), { nil: undefined, freq: 3 });
  return fc
    .record({
      span: anySpan,
      fail: fc.oneof(
        { weight: 2, arbitrary: one },
        { weight: 2, arbitrary: whole },
        { weight: 1, arbitrary: fc.constant<string[]>(['*']) },
      ),
      from,
      verdict: fc.constantFrom('down' as const, 'down' as const, 'degraded' as const),
      kind: fc.constantFrom('timeout', 'connection-refused'),
      once: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
    })
    .map(({ span, from: places, ...rest }): Event => ({ is: 'fail', ...span, ...rest, ...(places ? { from: places } : {}) }));
}

/** Checks that fail wherever they are looked at. */
export function anyOutage(config: Config): fc.Arbitrary<Event> {
  return anyFail(config).map((event): Event => {
    if (event.is !== 'fail') return event;
    const { from: _everywhere, ...rest } = event;
    return { ...rest, once: false };
  });
}

/** What may be wrong with one location: what it sees of the targets, its agent, its clock, and the way to it. */
export function anyTroubleAt(config: Config, place: string): fc.Arbitrary<Event> {
  const skew = fc.integer({ min: -300, max: 300 }).map((seconds) => seconds * SECOND_MS);
  const blips = fc.record({ span: anySpan, chance: fc.constantFrom(0.2, 0.5, 0.9), seed: fc.nat(1_000) });
  return fc.oneof(
    { weight: 3, arbitrary: anyFail(config).map((event): Event => (event.is === 'fail' ? { ...event, from: [place] } : event)) },
    { weight: 3, arbitrary: anyAgentTrouble(config, place) },
    { weight: 1, arbitrary: fc.tuple(anySpan, skew).map(([span, by]): Event => ({ is: 'agent', ...span, agent: place, by })) },
    { weight: 1, arbitrary: blips.map(({ span, ...rest }): Event => ({ is: 'blips', ...span, blips: ['*'], from: [place], ...rest })) },
  );
}

function anyAgentTrouble(config: Config, at?: string): fc.Arbitrary<Event> {
  const place = at === undefined ? fc.constantFrom(...Object.keys(config.locations)) : fc.constant(at);
  const span = anySpan;
  const checks = fc.constant<string[]>(['*']);
  return fc.oneof(
    fc.record({ is: fc.constant('lose' as const), span, lose: place }).map(({ span: times, ...rest }): Event => ({ ...times, ...rest })),
    fc
      .record({ is: fc.constant('cut' as const), span, cut: place, checks })
      .map(({ span: times, ...rest }): Event => ({ ...times, ...rest })),
    fc
      .record({ is: fc.constant('fault' as const), span, fault: place, checks, kind: fc.constant('no-browser') })
      .map(({ span: times, ...rest }): Event => ({ ...times, ...rest })),
    fc
      .record({
        is: fc.constant('delay' as const),
        span,
        delay: place,
        by: fc.integer({ min: 1, max: 100 }).map((seconds) => seconds * SECOND_MS),
      })
      .map(({ span: times, ...rest }): Event => ({ ...times, ...rest })),
    fc.record({ is: fc.constant('spool' as const), span, spool: place }).map(({ span: times, ...rest }): Event => ({ ...times, ...rest })),
    fc
      .record({ is: fc.constant('duplicate' as const), span, duplicate: place })
      .map(({ span: times, ...rest }): Event => ({ ...times, ...rest })),
  );
}

function someOf(ids: readonly string[], most = 2): fc.Arbitrary<string[]> {
  return ids.length === 0 ? fc.constant<never[]>([]) : fc.uniqueArray(fc.constantFrom(...ids), { maxLength: most });
}

function anySilence(config: Config): fc.Arbitrary<Event> {
  return fc
    .record({
      at: anyAt,
      for: fc.integer({ min: 60, max: 600 }).map((seconds) => seconds * SECOND_MS),
      services: someOf(Object.keys(config.services), 1),
      components: someOf(Object.keys(config.components), 1),
      tenants: someOf(Object.keys(config.tenants), 1),
    })
    .map(({ at, ...rest }): Event => ({ is: 'silence', at, silence: { title: 'Quiet please', by: 'ana', checks: [], ...rest } }));
}

function anyChange(config: Config): fc.Arbitrary<Event> {
  return fc
    .record({ at: anyAt, services: someOf(Object.keys(config.services), 1), components: someOf(Object.keys(config.components), 1) })
    .map(
      ({ at, ...rest }): Event => ({
        is: 'change',
        at,
        change: { kind: 'deployment', title: 'Release Nine', outcome: 'done', source: 'api', tenants: [], ...rest },
      }),
    );
}

function anyBurn(config: Config): fc.Arbitrary<Event> {
  return fc.record({ span: anySpan, service: fc.constantFrom(...Object.keys(config.services)) }).map(
    ({ span, service }): Event => ({
      is: 'burn',
      ...span,
      burn: {
        service,
        slo: `${ID_MARK}slo`,
        rate: 20,
        title: 'It can be used',
        objective: 0.999,
        long: 3_600_000,
        short: 60_000,
        left: 0.5,
      },
    }),
  );
}

const anyStop = anySpan.map((span): Event => ({ is: 'stop', ...span, stop: 'rounds' }));

/** A decision that was stored. */
export interface Decided extends Reasoned {
  atMs: number;
  scope: string;
}

/** What is to be seen after each second. */
export interface Moment {
  /** After second 0. */
  atMs: number;
  world: World;
  views: readonly CheckView[];
  decided: readonly Decided[];
  /** Nothing waits to be judged: the workers are there. */
  isJudged: boolean;
}

/** Plays it second by second. */
export function watch({ layout: { config }, events, forMs }: System, see: (moment: Moment) => void): World {
  const timeline = new Timeline(events, Object.keys(config.checks), Object.keys(config.locations));
  const world = new World({ config, timeline, startMs: START_MS });
  const decided: Decided[] = [];
  world.judging.hear = (scope, atMs, decisions) => decided.push(...decisions.map((one) => ({ ...one, scope, atMs })));
  for (let atMs = SECOND_MS; atMs <= forMs; atMs += SECOND_MS) {
    world.runUntil(atMs);
    see({ atMs, world, views: world.views(), decided, isJudged: world.judging.dirty.size === 0 });
  }
  return world;
}

/** The place of the worst of them; beyond the last when there is none. */
export function rank(classes: readonly (IncidentClass | 'none')[]): number {
  return Math.min(CLASSES.length, ...classes.map((one) => (one === 'none' ? CLASSES.length : CLASSES.indexOf(one))));
}

/** The worst class that what fails now amounts to: without what is up again, only not yet for enough rounds, which opens nothing. */
export function classNow(config: Config, views: readonly CheckView[]): IncidentClass | 'none' {
  const fails = (view: CheckView) => isBad(view) && (view.state.moment !== 'up' || view.state.lone || view.state.split);
  const now = views.map((view): CheckView => (fails(view) ? view : { ...view, state: { ...view.state, held: 'up' } }));
  const classes = Object.keys(config.services).map(
    (service) => classifyService(now.filter(({ check }) => check.service === service)).class,
  );
  const worst = CLASSES[rank(classes)];
  return worst ?? (now.some((view) => isBad(view)) ? 'risk' : 'none');
}
