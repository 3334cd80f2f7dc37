/** How the services are. Pure. */

import type { Check } from '../../core/check.ts';
import { freshForMs } from '../../core/check.ts';
import type { Config, Service } from '../../core/config/model.ts';
import { spanInWords } from '../../core/duration.ts';
import { type Incident, incidentName } from '../../core/incident.ts';
import { listInWords, MARKS } from '../../core/words.ts';
import type { BriefState } from '../../store/check.ts';
import type { Pace } from '../../store/usual.ts';
import { type Block, data, few, type Message, message, section } from './blocks.ts';

const MOST_LINES = 15;

/** One template of checks as it stands. */
export interface TemplateStatus {
  title: string;
  checks: readonly Check[];
  states: ReadonlyMap<string, BriefState>;
  pace: Pace;
}

export interface ServiceStatus {
  service: Service;
  templates: readonly TemplateStatus[];
  open?: Incident;
  /** Since when nothing has been open; `undefined` when that is not known. */
  wellSinceMs?: number;
}

export interface View {
  config: Config;
  nowMs: number;
}

/** One service in full. */
export function renderService(view: View, status: ServiceStatus): Message {
  const first = firstLine(view, status);
  const lines = few(
    status.templates.map((template) => templateLine(view, template)),
    MOST_LINES,
    'checks',
  );
  const open = status.open ? `Open: ${incidentName(status.open.id)} · \`/rounds why ${incidentName(status.open.id)}\`` : 'Open: none';
  return message(plain(first), [section(first), section(...lines, open)]);
}

/** All services, a line each; the worst first. */
export function renderOverview(view: View, statuses: readonly ServiceStatus[], components: readonly TemplateStatus[]): Message {
  const first = overviewLine(view, statuses);
  const order = [...statuses].sort((a, b) => Number(Boolean(b.open)) - Number(Boolean(a.open)) || a.service.tier - b.service.tier);
  const blocks: Block[] = [
    section(
      `*${first}*`,
      ...few(
        order.map((status) => firstLine(view, status)),
        MOST_LINES,
        'services',
      ),
    ),
  ];
  if (components.length > 0) {
    const lines = few(
      components.map((template) => templateLine(view, template)),
      MOST_LINES,
      'components',
    );
    blocks.push(section('*What they stand on*', ...lines));
  }
  return message(first, blocks);
}

/** All services in one sentence. */
export function overviewLine(view: View, statuses: readonly ServiceStatus[]): string {
  const states = statuses.map((status) => stateWords(view, status).state);
  const count = (state: State) => states.filter((one) => one === state).length;
  const of = (number: number) => `${number} of ${statuses.length} services`;
  if (statuses.length === 0) return 'No services are configured.';
  if (count('bad') > 0) return `${of(count('bad'))} ${count('bad') === 1 ? 'is' : 'are'} not well.`;
  if (count('unknown') > 0) return `${MARKS.blind} Nothing fresh is known of ${of(count('unknown'))}.`;
  return `${MARKS.resolved} All services are well.`;
}

function firstLine(view: View, status: ServiceStatus): string {
  const { service } = status;
  return `*${data(service.title)}* · tier ${service.tier} · owner ${data(service.owner)} · ${stateWords(view, status).words}`;
}

type State = 'well' | 'bad' | 'unknown';

/** A service is called well only while somebody looks. */
export function stateWords(view: View, status: ServiceStatus): { words: string; state: State } {
  const { open } = status;
  const impact = open?.facts.services.find((service) => service.id === status.service.id);
  if (open && impact) {
    const recovering = open.facts.recovering ? ', all is well again, still watching' : '';
    return {
      words: `${MARKS[impact.class]} ${impact.class} for ${spanInWords(view.nowMs - open.facts.sinceMs)}${recovering}`,
      state: 'bad',
    };
  }
  const rounds = status.templates.map((template) => roundsOf(view, template));
  const lastMs = Math.max(...rounds.map((one) => one.lastMs));
  if (!Number.isFinite(lastMs)) return { words: `${MARKS.blind} nothing is known yet`, state: 'unknown' };
  if (rounds.every((one) => one.fresh.length === 0)) {
    return { words: `${MARKS.blind} nothing fresh is known, last round ${spanInWords(view.nowMs - lastMs)} ago`, state: 'unknown' };
  }
  const span = status.wellSinceMs === undefined ? '' : ` for ${spanInWords(view.nowMs - status.wellSinceMs)}`;
  return { words: `${MARKS.resolved} all well${span}`, state: 'well' };
}

/** "Post an invoice: 14 of 14 clinics, p95 1.2 s (usually 1.1 s), last round 12 s ago from north, south, cloud". */
export function templateLine(view: View, template: TemplateStatus): string {
  const { up, total, known, tenants } = counts(template);
  const many =
    known === 0 ? '' : tenants ? `${up} of ${total} ${total === 1 ? 'clinic' : 'clinics'}` : total > 1 ? `${up} of ${total} well` : '';
  const parts = [many || wellWords(template), paceWords(template.pace), lastRound(view, template)];
  return `${markOf(template)} ${data(template.title)}: ${parts.filter(Boolean).join(', ')}`;
}

export interface Counts {
  up: number;
  down: number;
  known: number;
  total: number;
  tenants: boolean;
}

/** How many of a template's checks are what. */
export function counts(template: TemplateStatus): Counts {
  const held = template.checks.map((check) => template.states.get(check.id)?.held ?? 'unknown');
  return {
    up: held.filter((one) => one === 'up').length,
    down: held.filter((one) => one === 'down').length,
    known: held.filter((one) => one !== 'unknown').length,
    total: held.length,
    tenants: template.checks.some((check) => check.tenant !== undefined),
  };
}

function markOf(template: TemplateStatus): string {
  const { up, down, known, total } = counts(template);
  if (known === 0) return MARKS.blind;
  if (up === total) return MARKS.resolved;
  if (down === 0) return up + down < known ? MARKS.degradation : MARKS.blind;
  return down === total ? MARKS['full interruption'] : MARKS['partial outage'];
}

function wellWords(template: TemplateStatus): string {
  const { up, down, known } = counts(template);
  if (known === 0) return 'nothing is known yet';
  return up > 0 ? 'well' : down > 0 ? 'down' : 'degraded';
}

function paceWords(pace: Pace): string {
  if (pace.p95Ms === undefined) return '';
  return `p95 ${spanInWords(pace.p95Ms)}${pace.usuallyMs === undefined ? '' : ` (usually ${spanInWords(pace.usuallyMs)})`}`;
}

/** "last round 12 s ago from north, south and cloud; nothing fresh from east"; empty before the first. */
export function lastRound(view: View, template: Pick<TemplateStatus, 'checks' | 'states'>): string {
  const { lastMs, fresh } = roundsOf(view, template);
  if (!Number.isFinite(lastMs)) return '';
  const silent = [...new Set(template.checks.flatMap((check) => check.locations))].filter((location) => !fresh.includes(location));
  const title = (location: string) => data(view.config.locations[location]?.title ?? location);
  const from = fresh.length > 0 ? ` from ${listInWords(fresh.map(title))}` : '';
  const missing = silent.length > 0 ? `; nothing fresh from ${listInWords(silent.map(title))}` : '';
  return `last round ${spanInWords(view.nowMs - lastMs)} ago${from}${missing}`;
}

/** When the last result of these checks was planned, and which locations have a fresh one. */
export function roundsOf(view: View, template: Pick<TemplateStatus, 'checks' | 'states'>): { lastMs: number; fresh: string[] } {
  const said = template.checks.flatMap((check) =>
    Object.entries(template.states.get(check.id)?.locations ?? {}).map(([location, one]) => ({ check, location, atMs: one.plannedAtMs })),
  );
  const fresh = said.filter((one) => view.nowMs - one.atMs <= freshForMs(one.check)).map((one) => one.location);
  return { lastMs: Math.max(...said.map((one) => one.atMs)), fresh: [...new Set(fresh)].sort() };
}

function plain(text: string): string {
  return text.replaceAll(/[*\u200b]/g, '');
}
