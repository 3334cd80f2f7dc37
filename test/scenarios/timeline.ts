/** What happens in a scenario, asked by moment: is an agent there, what does an attempt find, what do the clocks show. */
import type { Check, Purpose } from '../../core/check.ts';
import type { Failure, Finding } from '../../core/result.ts';
import { stableHash } from '../../core/run.ts';
import type { Event, EventOf } from './format.ts';

/** A target that is well answers so fast. */
const WELL_MS = 300;
/** A connection that is refused, or has no route, is known as fast. */
const REFUSED_MS = 500;

export interface Found {
  verdict: 'up' | 'degraded' | 'down' | 'fault';
  takesMs: number;
  failure?: Failure;
}

/** What one attempt is asked of. */
export interface AttemptAt {
  check: Check;
  location: string;
  slotMs: number;
  purpose: Purpose;
  /** From 0. */
  attempt: number;
  atMs: number;
}

const WELL: Found = { verdict: 'up', takesMs: WELL_MS };

type Kind = Event['is'];
type Spanned = { at: number; until?: number | undefined };

/** Whether the event is on: from its second, before its end. */
function isOn({ at, until }: Spanned, atMs: number): boolean {
  return atMs >= at && (until === undefined || atMs < until);
}

/** Ids that the patterns mean: an id, or a part of one with `*`. */
export function matching(patterns: readonly string[], ids: readonly string[]): Set<string> {
  const forms = patterns.map((one) => new RegExp(`^${one.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`));
  return new Set(ids.filter((id) => forms.some((form) => form.test(id))));
}

export class Timeline {
  readonly events: readonly Event[];
  readonly #failing = new Map<string, EventOf<'fail'>[]>();
  readonly #blips = new Map<string, EventOf<'blips'>[]>();
  readonly #findings = new Map<string, EventOf<'finding'>[]>();
  /** Checks of cut and fault, which name them by pattern. */
  readonly #meant = new Map<Event, Set<string>>();
  readonly #hashes = new Map<string, number>();

  /** `checks` and `locations` are all that there are at any time of it. Throws for an event that means none of them: it would be no event. */
  constructor(events: readonly Event[], checks: readonly string[], locations: readonly string[]) {
    this.events = events;
    for (const event of events) {
      for (const location of locationsIn(event)) {
        if (!locations.includes(location)) throw new Error(`an event is of "${location}", and no location is called so`);
      }
    }
    for (const event of events) {
      if (event.is === 'fail') this.#keep(this.#failing, event, event.fail, checks);
      if (event.is === 'blips') this.#keep(this.#blips, event, event.blips, checks);
      if (event.is === 'finding') this.#keep(this.#findings, event, [event.finding], checks);
      if (event.is === 'cut' || event.is === 'fault') this.#meant.set(event, matching(event.checks, checks));
    }
  }

  #keep<T>(into: Map<string, T[]>, event: T, patterns: readonly string[], checks: readonly string[]): void {
    for (const pattern of patterns) {
      if (matching([pattern], checks).size === 0) throw new Error(`an event means "${pattern}", and no check is called so`);
    }
    for (const id of matching(patterns, checks)) into.set(id, [...(into.get(id) ?? []), event]);
  }

  of<K extends Kind>(kind: K): Extract<Event, { is: K }>[] {
    return this.events.filter((event): event is Extract<Event, { is: K }> => event.is === kind);
  }

  #at<K extends Kind>(kind: K, atMs: number, of: (event: Extract<Event, { is: K }>) => boolean = () => true) {
    for (const event of this.events) {
      if (event.is === kind && isOn(event as Spanned, atMs) && of(event as Extract<Event, { is: K }>))
        return event as Extract<Event, { is: K }>;
    }
    return undefined;
  }

  /** When the agent works again, in milliseconds; 0 when it works. */
  backAtMs(location: string, atMs: number): number {
    const lost = this.#at('lose', atMs, (event) => event.lose === location);
    return lost ? (lost.until ?? Number.POSITIVE_INFINITY) : 0;
  }

  /** When the workers are back; 0 when they work. */
  startsAtMs(atMs: number): number {
    return this.#at('stop', atMs)?.until ?? 0;
  }

  /** What the workers' wall clock is ahead by. */
  workersAheadMs(atMs: number): number {
    return this.events.reduce((sum, event) => (event.is === 'clock' && isOn(event, atMs) ? sum + event.by : sum), 0);
  }

  /** When a report that the agent sends at that moment is there, each time that it arrives. */
  arrivals(location: string, atMs: number, transitMs: number): number[] {
    const spooled = this.#at('spool', atMs, (event) => event.spool === location);
    const delayed = this.#at('delay', atMs, (event) => event.delay === location);
    const first = (spooled ? spooled.until : atMs + (delayed?.by ?? 0)) + transitMs;
    return this.#at('duplicate', atMs, (event) => event.duplicate === location) ? [first, first + 700] : [first];
  }

  /** What the attempt finds. */
  found(asked: AttemptAt): Found {
    const { check, location, atMs } = asked;
    const fault = this.#at('fault', atMs, (event) => event.fault === location && this.#means(event, check.id));
    if (fault) return { verdict: 'fault', takesMs: WELL_MS, failure: { kind: fault.kind, message: 'the agent itself is in trouble' } };
    const cut = this.#at('cut', atMs, (event) => event.cut === location && this.#means(event, check.id));
    if (cut) return { verdict: 'down', takesMs: REFUSED_MS, failure: { kind: 'unreachable', message: 'there is no route to the host' } };
    return this.#failingOf(asked) ?? this.#blipOf(asked) ?? WELL;
  }

  #means(event: Event, check: string): boolean {
    return this.#meant.get(event)?.has(check) ?? false;
  }

  #failingOf({ check, location, attempt, atMs }: AttemptAt): Found | undefined {
    const all = this.#failing.get(check.id);
    if (!all) return undefined;
    const on = all.filter((event) => isOn(event, atMs) && (!event.from || event.from.includes(location)) && !(event.once && attempt > 0));
    const event = on.find(({ verdict }) => verdict === 'down') ?? on[0];
    return event && foundOf(event, check);
  }

  #blipOf(asked: AttemptAt): Found | undefined {
    const { check, location, atMs } = asked;
    for (const event of this.#blips.get(check.id) ?? []) {
      if (!isOn(event, atMs) || (event.from && !event.from.includes(location))) continue;
      if (this.#chance(event.seed, asked) < event.chance) {
        return { verdict: 'down', takesMs: REFUSED_MS, failure: { kind: 'connection-reset', message: 'the connection was closed' } };
      }
    }
    return undefined;
  }

  /** The same for the same attempt, whatever else happens: from 0 to 1. */
  #chance(seed: number, { check, location, slotMs, purpose, attempt }: AttemptAt): number {
    const name = this.#hash(check.id) ^ Math.imul(this.#hash(location), 31);
    const mixed = mix(mix(mix(name + seed) ^ Math.floor(slotMs / 1000)) + attempt * 7 + (purpose === 'confirm' ? 3 : 0));
    return mixed / 0x1_0000_0000;
  }

  #hash(text: string): number {
    const known = this.#hashes.get(text);
    if (known !== undefined) return known;
    const hash = stableHash(text);
    this.#hashes.set(text, hash);
    return hash;
  }

  /** What a run that is not well finds beside it. */
  findingsOf(check: string, atMs: number): Finding[] {
    const all = this.#findings.get(check);
    if (!all) return [];
    return all.filter((event) => isOn(event, atMs)).map(({ kind, text, target }) => ({ kind, text, target }));
  }
}

function locationsIn(event: Event): string[] {
  if ('from' in event && event.from) return event.from;
  const one = event as Partial<Record<'lose' | 'cut' | 'fault' | 'delay' | 'spool' | 'duplicate' | 'agent', string>>;
  return [one.lose ?? one.cut ?? one.fault ?? one.delay ?? one.spool ?? one.duplicate ?? one.agent ?? []].flat();
}

function foundOf(event: EventOf<'fail'>, check: Check): Found {
  const isTimeout = event.verdict === 'down' && (event.kind ?? 'timeout') === 'timeout';
  const slowMs = Math.min(check.timeoutMs - 1, (check.degradedAboveMs ?? check.timeoutMs / 2) + 1_000);
  const takesMs = event.takes ?? (isTimeout ? check.timeoutMs : event.verdict === 'degraded' ? slowMs : REFUSED_MS);
  const kind = event.kind ?? (event.verdict === 'down' ? 'timeout' : 'slow');
  const message = event.message ?? (kind === 'slow' ? `took ${takesMs / 1000} s` : `no answer within ${check.timeoutMs / 1000} s`);
  return { verdict: event.verdict, takesMs, failure: { kind, message, ...(event.step === undefined ? {} : { step: event.step }) } };
}

/** Murmur's last step: every bit of the number changes half of the others. */
function mix(value: number): number {
  let hash = value >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
