/**
 * The Home tab. Published when somebody opens it, and kept current for who has looked within a day: when what it shows has changed, at
 * most once in 30 s for each. Times alone are no change; they are brought up to date every 5 min for who has looked within the hour.
 * Several bots share the work by way of `home_view`: a view is claimed before it is published, and published over the one that is known.
 */
import { createHash } from 'node:crypto';
import type { Check } from '../core/check.ts';
import type { Config } from '../core/config/model.ts';
import { standsOn } from '../core/graph.ts';
import { incidentOf } from '../core/incident.ts';
import { readBriefs } from '../store/check.ts';
import { anybodyDue, claimViewers, noteLook, notePublished, shownHash, type Viewer } from '../store/home.ts';
import { openIncidents } from '../store/incident.ts';
import { openPosts } from '../store/post.ts';
import { p95Since } from '../store/usual.ts';
import { type CommandVerb, type SlackApi, SlackTrouble } from './contract.ts';
import * as metrics from './metrics.ts';
import { nameIn } from './names.ts';
import type { OpenParts } from './open.ts';
import { type HomeContent, type HomeView, homeMaterial, renderHome } from './render/home.ts';
import type { TemplateStatus } from './render/status.ts';

const DAY_MS = 86_400_000;

export interface HomeTiming {
  /** How often it is looked whether anything has changed. */
  lookMs: number;
  /** After news, so that those of one moment are told together. */
  settleMs: number;
  /** None is published more often. */
  everyMs: number;
  /** Brought up to date after it though nothing has changed but times. */
  freshMs: number;
  freshWithinMs: number;
}

const HOUR_MS = 3_600_000;

export const HOME_TIMING: HomeTiming = { lookMs: 30_000, settleMs: 1_000, everyMs: 30_000, freshMs: 300_000, freshWithinMs: 3_600_000 };

/** Views published in one turn; the rest follows in the next. Slack takes about 100 a minute. */
const MOST_AT_ONCE = 40;

export interface HomeParts extends OpenParts {
  commands: ReadonlyMap<string, CommandVerb>;
}

export class Home {
  readonly #parts: HomeParts;
  readonly #timing: HomeTiming;
  /** Addresses of posts never change. */
  readonly #links = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;
  #nextAtMs = 0;
  #turn: Promise<void> = Promise.resolve();
  #stopped = false;

  /** `parts.config` may change while it runs. */
  constructor(parts: HomeParts, timing: HomeTiming) {
    this.#parts = parts;
    this.#timing = timing;
  }

  /** Begins to keep the views current. */
  start(): void {
    this.#after(this.#timing.lookMs);
  }

  /** Somebody has opened the tab. */
  async opened(user: string): Promise<void> {
    await noteLook(this.#parts.pool, user);
    await this.#refresh();
  }

  /** Something may have changed. */
  wake(): void {
    this.#after(this.#timing.settleMs);
  }

  /** Publishes nothing more, and waits for what is in hand. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#turn;
  }

  /** Looks after that time, or when it was going to if that is sooner. */
  #after(delayMs: number): void {
    const atMs = this.#parts.clock.monotonic() + delayMs;
    if (this.#stopped || (this.#timer && this.#nextAtMs <= atMs)) return;
    clearTimeout(this.#timer);
    this.#nextAtMs = atMs;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#refresh().finally(() => this.#after(this.#timing.lookMs));
    }, delayMs).unref();
  }

  /** One turn after the other. */
  #refresh(): Promise<void> {
    this.#turn = this.#turn
      .then(() => this.#publishDue())
      .then(() => metrics.lastTurn.setToCurrentTime({ loop: 'home' }))
      .catch((error: Error) => {
        metrics.failedTurns.inc({ loop: 'home' });
        this.#parts.log.warn({ error: error.message }, 'The Home tab could not be brought up to date');
      });
    return this.#turn;
  }

  async #publishDue(): Promise<void> {
    const { pool, commands } = this.#parts;
    const { everyMs, freshMs, freshWithinMs } = this.#timing;
    if (this.#stopped || !(await anybodyDue(pool, { withinMs: DAY_MS, everyMs }))) return;
    const content = await this.#content();
    const known = Object.values(content.config.people).map((person) => person.slack);
    const buttons = { run: commands.has('run'), report: commands.has('report') };
    const digest = digestOf(homeMaterial(content), buttons);
    const digests = { digestKnown: `${digest}+`, digestOthers: digest };
    const viewers = await claimViewers(pool, { withinMs: DAY_MS, everyMs, freshMs, freshWithinMs, known, ...digests, most: MOST_AT_ONCE });
    const withButtons = renderHome(content, buttons);
    const without = renderHome(content, { run: false, report: false });
    for (const viewer of viewers) {
      const isKnown = known.includes(viewer.user);
      await this.#publish(viewer, isKnown ? withButtons : without, isKnown ? digests.digestKnown : digests.digestOthers);
    }
    if (viewers.length === MOST_AT_ONCE) this.wake();
  }

  async #publish(viewer: Viewer, view: HomeView, digest: string): Promise<void> {
    const { pool, log, slack } = this.#parts;
    const { user } = viewer;
    try {
      const hash = await this.#publishOver(slack, viewer, view);
      if (hash) await notePublished(pool, { user, digest, hash });
      metrics.homes.inc({ outcome: hash ? 'published' : 'overtaken' });
    } catch (error) {
      if (!(error instanceof SlackTrouble)) throw error;
      // It is tried again in its next turn, since what it shows is not known now.
      metrics.homes.inc({ outcome: error.kind });
      log.warn({ slack: error.code }, `A Home tab could not be published: ${error.message}`);
    }
  }

  /** The new hash; `undefined` when another bot has published meanwhile. */
  async #publishOver(slack: SlackApi, { user, hash }: Viewer, view: HomeView): Promise<string | undefined> {
    try {
      return await slack.publishHome({ user, view, ...(hash ? { hash } : {}) });
    } catch (error) {
      if (!(error instanceof SlackTrouble) || error.code !== 'hash_conflict') throw error;
      if ((await shownHash(this.#parts.pool, user)) !== hash) return undefined;
      // Nobody has written down what Slack shows: a bot died between the two, or Slack has forgotten the view.
      return slack.publishHome({ user, view });
    }
  }

  async #content(): Promise<HomeContent> {
    const { pool, clock, config } = this.#parts;
    const checks = Object.values(config.checks);
    const [open, states, p95] = await Promise.all([
      this.#open(),
      readBriefs(
        pool,
        checks.map((check) => check.id),
      ),
      p95Since(pool, clock.now() - HOUR_MS),
    ]);
    const templatesOf = (own: readonly Check[]): TemplateStatus[] =>
      [...Map.groupBy(own, (check) => check.template)].map(([template, group]) => {
        const p95Ms = p95.get(template);
        return { title: group[0]?.title ?? template, checks: group, states, pace: p95Ms === undefined ? {} : { p95Ms } };
      });
    return {
      config,
      nowMs: clock.now(),
      open,
      services: servicesOf(config, open, (service) => templatesOf(checks.filter((check) => check.service === service))),
      components: templatesOf(checks.filter((check) => check.component !== undefined)),
      nameOf: nameIn(config),
    };
  }

  async #open(): Promise<HomeContent['open']> {
    const { pool } = this.#parts;
    const [incidents, posts] = await Promise.all([openIncidents(pool), openPosts(pool)]);
    const placed = new Map(posts.map((post) => [post.incidentId, post]));
    const standing = new Set(posts.map((post) => keyOf(post)));
    for (const key of this.#links.keys()) if (!standing.has(key)) this.#links.delete(key);
    return Promise.all(
      incidents.map(async (incident) => {
        const post = placed.get(incident.id);
        const link = post?.ts && (await this.#link({ channel: post.channel, ts: post.ts }));
        return { incident, ...(link ? { link } : {}) };
      }),
    );
  }

  /** The address of a post; without one the view is published all the same. */
  async #link(place: { channel: string; ts: string }): Promise<string | undefined> {
    const key = keyOf(place);
    const known = this.#links.get(key);
    if (known) return known;
    try {
      const link = await this.#parts.slack.permalink(place);
      this.#links.set(key, link);
      return link;
    } catch (error) {
      this.#parts.log.debug({ error: (error as Error).message }, 'The address of a post is not known');
      return undefined;
    }
  }
}

function keyOf(place: { channel: string; ts?: string }): string {
  return `${place.channel}/${place.ts}`;
}

function servicesOf(config: Config, open: HomeContent['open'], templates: (service: string) => TemplateStatus[]): HomeContent['services'] {
  return Object.values(config.services).map((service) => {
    const incidents = open.map(({ incident }) => incident);
    const found = incidentOf(incidents, service.id, standsOn(config, { service: service.id }));
    return { service, templates: templates(service.id), ...(found ? { open: found } : {}) };
  });
}

function digestOf(...what: unknown[]): string {
  return createHash('sha256').update(JSON.stringify(what)).digest('base64url').slice(0, 22);
}
