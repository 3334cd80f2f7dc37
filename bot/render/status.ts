/** How the services are. Pure. */

import type { Check } from '../../core/check.ts';
import { freshForMs } from '../../core/check.ts';
import type { Config, Service } from '../../core/config/model.ts';
import { spanInWords } from '../../core/duration.ts';
import type { CheckState } from '../../core/evaluate.ts';
import { type Incident, incidentName } from '../../core/incident.ts';
import { listInWords, MARKS } from '../../core/words.ts';
import type { Pace } from '../../store/query.ts';
import { type Block, data, few, type Message, message, section } from './blocks.ts';

const MOST_LINES = 15;

/** One template of checks as it stands. */
export interface TemplateStatus {
  title: string;
  checks: readonly Check[];
  states: ReadonlyMap<string, CheckState>;
  pace: Pace;
}

export interface ServiceStatus {
  service: Service;
  templates: readonly TemplateStatus[];
  open?: Incident;
  /** Since when nothing has been open; `undefined` when that is not known. */
  wellSinceMs?: number;
}

interface View {
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
  const bad = statuses.filter((status) => status.open && stateWords(view, status).bad).length;
  const first =
    statuses.length === 0
      ? 'No services are configured.'
      : bad === 0
        ? '🟢 All services are well.'
        : `${bad} of ${statuses.length} services are not well.`;
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

function firstLine(view: View, status: ServiceStatus): string {
  const { service } = status;
  const { words } = stateWords(view, status);
  return `*${data(service.title)}* · tier ${service.tier} · owner ${data(service.owner)} · ${words}`;
}

function stateWords(view: View, status: ServiceStatus): { words: string; bad: boolean } {
  const { open } = status;
  const impact = open?.facts.services.find((service) => service.id === status.service.id);
  if (open && impact) {
    const recovering = open.facts.recovering ? ', all is well again, still watching' : '';
    return { words: `${MARKS[impact.class]} ${impact.class} for ${spanInWords(view.nowMs - open.facts.sinceMs)}${recovering}`, bad: true };
  }
  if (!status.templates.some((template) => counts(template).known > 0)) return { words: '⚪ nothing is known yet', bad: false };
  const span = status.wellSinceMs === undefined ? '' : ` for ${spanInWords(view.nowMs - status.wellSinceMs)}`;
  return { words: `${MARKS.resolved} all well${span}`, bad: false };
}

/** "Post an invoice: 14 of 14 clinics, p95 1.2 s (usually 1.1 s), last round 12 s ago from north, south, cloud". */
function templateLine(view: View, template: TemplateStatus): string {
  const { up, total, known, tenants } = counts(template);
  const noun = tenants ? (total === 1 ? 'clinic' : 'clinics') : '';
  const mark = known === 0 ? '⚪' : up === total ? MARKS.resolved : up === 0 ? '🔴' : '🟠';
  const many =
    tenants || total > 1 ? `${up} of ${total} ${noun || 'well'}` : up === 1 ? 'well' : known === 0 ? 'nothing known yet' : 'not well';
  return `${mark} ${data(template.title)}: ${[many, paceWords(template.pace), lastRound(view, template)].filter(Boolean).join(', ')}`;
}

function counts(template: TemplateStatus): { up: number; known: number; total: number; tenants: boolean } {
  const held = template.checks.map((check) => template.states.get(check.id)?.held ?? 'unknown');
  return {
    up: held.filter((one) => one === 'up').length,
    known: held.filter((one) => one !== 'unknown').length,
    total: held.length,
    tenants: template.checks.some((check) => check.tenant !== undefined),
  };
}

function paceWords(pace: Pace): string {
  if (pace.p95Ms === undefined) return '';
  return `p95 ${spanInWords(pace.p95Ms)}${pace.usuallyMs === undefined ? '' : ` (usually ${spanInWords(pace.usuallyMs)})`}`;
}

function lastRound(view: View, template: TemplateStatus): string {
  const said = template.checks.flatMap((check) =>
    Object.entries(template.states.get(check.id)?.locations ?? {}).map(([location, one]) => ({ check, location, atMs: one.plannedAtMs })),
  );
  const last = Math.max(...said.map((one) => one.atMs));
  if (!Number.isFinite(last)) return '';
  const fresh = new Set(said.filter((one) => view.nowMs - one.atMs <= freshForMs(one.check)).map((one) => one.location));
  const locations = [...new Set(template.checks.flatMap((check) => check.locations))];
  const silent = locations.filter((location) => !fresh.has(location));
  const title = (location: string) => data(view.config.locations[location]?.title ?? location);
  const from = fresh.size > 0 ? ` from ${listInWords([...fresh].sort().map(title))}` : '';
  const missing = silent.length > 0 ? `; nothing fresh from ${listInWords(silent.map(title))}` : '';
  return `last round ${spanInWords(view.nowMs - last)} ago${from}${missing}`;
}

function plain(text: string): string {
  return text.replaceAll(/[*\u200b]/g, '');
}
