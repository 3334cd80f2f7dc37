/** What judgement reads besides results, as a timeline says it. */
import type { ReportedChange } from '../../core/change.ts';
import type { Config } from '../../core/config/model.ts';
import type { NoisyTenant } from '../../core/load.ts';
import { windowsBetween } from '../../core/maintenance.ts';
import type { Quiet } from '../../core/quiet.ts';
import type { Burn } from '../../core/slo/burn.ts';
import type { Timeline } from './timeline.ts';

export class Signals {
  readonly #timeline: Timeline;
  readonly #startMs: number;

  constructor(timeline: Timeline, startMs: number) {
    this.#timeline = timeline;
    this.#startMs = startMs;
  }

  /** Changes that were told of by then. */
  changes(atMs: number): ReportedChange[] {
    return this.#timeline
      .of('change')
      .filter((event) => event.at <= atMs)
      .map(({ at, change: { by, ...change } }, index) => ({ id: index + 1, atMs: this.#startMs + at, ...change, ...(by ? { by } : {}) }));
  }

  noisy(config: Config, atMs: number): NoisyTenant[] {
    return this.#timeline
      .of('load')
      .filter((event) => event.at <= atMs && atMs < (event.until ?? Number.POSITIVE_INFINITY))
      .map(({ at, load: { text, ...load } }) => ({
        ...load,
        sinceMs: this.#startMs + at,
        text: text ?? `${config.tenants[load.tenant]?.title ?? load.tenant}: ${load.measure} ${load.value}, usually ${load.usual}`,
      }));
  }

  burns(config: Config, atMs: number): Burn[] {
    return this.#timeline
      .of('burn')
      .filter((event) => event.at <= atMs && atMs < (event.until ?? Number.POSITIVE_INFINITY))
      .map(({ at, burn: { long, short, left, tenant, title, ...burn } }) => ({
        ...burn,
        title: title ?? config.services[burn.service]?.title ?? burn.slo,
        longMs: long,
        shortMs: short,
        sinceMs: this.#startMs + at,
        budgetLeft: left,
        severity: 'page' as const,
        window: '28 days',
        ...(tenant ? { tenant } : {}),
      }));
  }

  /** Maintenance of the configuration and silences of the timeline that are on. */
  quiets(config: Config, atMs: number, nowMs: number): Quiet[] {
    const windows = windowsBetween(config, nowMs, nowMs + 1).filter((quiet) => quiet.fromMs <= nowMs && nowMs < quiet.untilMs);
    const silences = this.#timeline.of('silence').flatMap(({ at, silence: { for: lastsMs, title, ...silence } }, index): Quiet[] => {
      const ended = this.#timeline.of('unsilence').find((event) => event.unsilence === title && event.at > at);
      const untilMs = Math.min(at + lastsMs, ended?.at ?? Number.POSITIVE_INFINITY);
      if (atMs < at || atMs >= untilMs) return [];
      const span = { fromMs: this.#startMs + at, untilMs: this.#startMs + untilMs };
      return [{ kind: 'silence', id: String(index + 1), title, ...silence, ...span }];
    });
    return [...windows, ...silences];
  }
}
