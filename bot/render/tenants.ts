/** Who drives the load that all share, who grows, and what each took of it over two weeks. Numbers only: what follows is for people. Pure. */
import type { Config } from '../../core/config/model.ts';
import { spanInWords } from '../../core/duration.ts';
import type { Seen, SeenOfTenant } from '../../core/load/fold.ts';
import { loadInWords, measureInWords, waitingInWords } from '../../core/load/words.ts';
import { LOAD_MEASURES, type LoadMeasure, type NoisyTenant } from '../../core/load.ts';
import { percentInWords, sizeInWords } from '../../core/quantity.ts';
import { listInWords, MARKS } from '../../core/words.ts';
import type { KnownLoad, TenantHours } from '../../store/load.ts';
import { type Block, data, few, type Message, message, section, sentence } from './blocks.ts';

const DAY_S = 86_400;
const MOST_COMPONENTS = 8;
const MOST_TENANTS = 15;
const MOST_OF_OVERVIEW = 3;
const MOST_MEASURES = 4;
const MOST_GROWING = 3;
/** Files grow and shrink by as much without anybody doing anything. */
const GROWTH_LEAST_BYTES = 1_000_000;

export interface TenantsView {
  config: Config;
  nowMs: number;
  /** The latest first. */
  loads: readonly KnownLoad[];
  noisy: readonly NoisyTenant[];
  /** Of the last `days` days. */
  hours: readonly TenantHours[];
  days: number;
}

/** Every component on which the load of tenants is known, with whoever drives it. */
export function renderTenants(view: TenantsView): Message {
  const components = componentsIn(view);
  if (components.length === 0) return nothingKnown(view);
  const shown = components.slice(0, MOST_COMPONENTS);
  const first = headline(view);
  const rest = components.length - shown.length;
  return message(plainOf(first), [
    section(`*${first}*`),
    ...shown.map((component) => section(...componentLines(view, component, MOST_OF_OVERVIEW))),
    ...(rest > 0 ? [section(`and ${rest} more components: \`/rounds tenants COMPONENT\``)] : []),
  ]);
}

/** One component, with each tenant on it now and over the last days. */
export function renderComponent(view: TenantsView, component: string): Message {
  if (!componentsIn(view).includes(component)) return nothingKnown(view, component);
  const [first = '', ...lines] = componentLines(view, component, MOST_TENANTS);
  const shares = tenantsBySize(view, component).map(
    (tenant) => `• *${titleOf(view, tenant)}*: ${evidence(view, { component, tenant }) ?? 'nothing yet'}`,
  );
  const blocks: Block[] = [section(first, ...lines)];
  if (shares.length > 0) blocks.push(section(`*In the last ${view.days} days*`, ...few(shares, MOST_TENANTS, 'tenants')));
  return message(plainOf(first), blocks);
}

/** One tenant, on every component where it is known. */
export function renderTenant(view: TenantsView, tenant: string): Message {
  const title = titleOf(view, tenant);
  const components = componentsIn(view).filter(
    (component) => seenOn(view, component).has(tenant) || view.hours.some((one) => one.tenant === tenant && one.component === component),
  );
  if (components.length === 0) return sentence(`Nothing is known of the load of *${title}*. ${WHERE_NAMES}`);
  const isNoisy = view.noisy.some((one) => one.tenant === tenant);
  const first = isNoisy ? `${title} does far more than it usually does` : `${title}: as usual, as far as is known`;
  const blocks = components.slice(0, MOST_COMPONENTS).map((component) => {
    const seen = seenOn(view, component).get(tenant) ?? {};
    const now = measuresNow(seen).map((measure) => `• ${amountOf(seen, measure)}`);
    const told = evidence(view, { component, tenant });
    const growth = grownBy(view, { component, tenant });
    return section(
      `*${data(view.config.components[component]?.title ?? component)}*${ageOf(view, component)}`,
      ...(now.length > 0 ? now : ['• no load now']),
      growth === undefined ? '' : `Grows by ${sizeInWords(growth)} a day.`,
      told === undefined ? '' : `In the last ${view.days} days: ${told}.`,
    );
  });
  return message(plainOf(first), [section(`*${first}*`), ...blocks]);
}

const WHERE_NAMES = 'Whose load is whose is known by `database`, `role` and `queue` under `tenants` in rounds.yaml.';

function nothingKnown({ config }: TenantsView, component?: string): Message {
  const isNamed = Object.values(config.tenants).some(({ fields }) => fields.database ?? fields.role ?? fields.queue);
  const where = component === undefined ? '' : ` of ${data(config.components[component]?.title ?? component)}`;
  if (!isNamed) return sentence(`Nobody can tell whose load is whose${where}. ${WHERE_NAMES}`);
  return sentence(`No load${where} has been sampled yet. It is, with every run of a \`postgres\` or \`bullmq\` check of a component.`);
}

function headline(view: TenantsView): string {
  const noisy = [...new Set(view.noisy.map(({ tenant }) => titleOf(view, tenant)))];
  if (noisy.length > 0) return `${listInWords(noisy)} ${noisy.length === 1 ? 'does' : 'do'} far more than usual`;
  const isFresh = view.loads.some((load) => load.isFresh);
  return isFresh ? 'No tenant does far more than it usually does' : `${MARKS.blind} Nothing fresh is known of the load of tenants`;
}

function componentsIn({ config, loads }: TenantsView): string[] {
  const known = new Set(loads.map(({ component }) => component));
  return Object.keys(config.components).filter((component) => known.has(component));
}

function componentLines(view: TenantsView, component: string, most: number): string[] {
  const seen = seenOn(view, component);
  const noisy = view.noisy.filter((one) => one.component === component);
  const active = [...seen]
    .filter(([, measures]) => measuresNow(measures).length > 0)
    .sort(([a, one], [b, other]) => rankOf(noisy, b, other) - rankOf(noisy, a, one));
  const tenants = active.map(([tenant, measures]) => `• *${titleOf(view, tenant)}*: ${nowInWords(measures, noisy, tenant)}`);
  const growing = growthIn(view, component);
  const unreadable = [...new Set(view.loads.filter((one) => one.component === component).flatMap(({ state }) => state.unreadable))];
  return [
    `*${data(view.config.components[component]?.title ?? component)}*${ageOf(view, component)}`,
    ...(tenants.length > 0 ? few(tenants, most, 'tenants') : ['• no tenant puts load on it now']),
    growing === '' ? '' : `Grows: ${growing}`,
    ...few(
      unreadable.map((why) => `Not known: ${data(why)}`),
      3,
      'things that cannot be read',
    ),
  ];
}

/** Several agents and checks may see one component: of each measure, what was seen last. */
function seenOn({ config, loads }: TenantsView, component: string): Map<string, SeenOfTenant> {
  const seen = new Map<string, SeenOfTenant>();
  for (const { state } of loads.filter((one) => one.component === component)) {
    for (const [tenant, measures] of Object.entries(state.tenants)) {
      if (config.tenants[tenant]) seen.set(tenant, { ...measures, ...seen.get(tenant) });
    }
  }
  return seen;
}

function ageOf({ loads, nowMs }: TenantsView, component: string): string {
  const [latest] = loads.filter((one) => one.component === component);
  return latest && !latest.isFresh ? ` ${MARKS.blind} not sampled for ${spanInWords(nowMs - latest.plannedAtMs)}` : '';
}

/** The measures of which there is anything now. */
function measuresNow(seen: SeenOfTenant): LoadMeasure[] {
  return LOAD_MEASURES.filter((measure) => (seen[measure]?.now?.value ?? 0) > 0);
}

function shareOf({ now }: Seen): number {
  return now && now.total > 0 ? now.value / now.total : 0;
}

function rankOf(noisy: readonly NoisyTenant[], tenant: string, seen: SeenOfTenant): number {
  const place = noisy.findIndex((one) => one.tenant === tenant);
  if (place >= 0) return 1_000 - place;
  const main = (['statement-time', 'jobs-queued', 'connections'] as const).find((measure) => seen[measure]?.now !== undefined);
  return main ? shareOf(seen[main] ?? { history: { seconds: {}, samples: 0 } }) : 0;
}

/** What is unusual first, then what it has the largest share of. */
function nowInWords(seen: SeenOfTenant, noisy: readonly NoisyTenant[], tenant: string): string {
  const unusual = noisy.filter((one) => one.tenant === tenant).map(({ measure }) => measure);
  const others = measuresNow(seen).filter((measure) => !unusual.includes(measure));
  const shown = [...unusual, ...others.slice(0, Math.max(1, MOST_MEASURES - unusual.length - 2))];
  const blocks = Math.max(0, ...shown.map((measure) => seen[measure]?.now?.blocks ?? 0));
  return [...shown.map((measure) => amountOf(seen, measure)), ...(blocks > 0 ? [waitingInWords(blocks)] : [])].join('; ');
}

function amountOf(seen: SeenOfTenant, measure: LoadMeasure): string {
  const now = seen[measure]?.now;
  return now ? loadInWords({ measure, ...now, blocks: 0 }) : measureInWords(measure);
}

function growthIn(view: TenantsView, component: string): string {
  const grown = tenantsBySize(view, component).flatMap((tenant) => {
    const bytes = grownBy(view, { component, tenant });
    return bytes === undefined ? [] : [{ tenant, bytes }];
  });
  const most = grown.sort((a, b) => b.bytes - a.bytes).slice(0, MOST_GROWING);
  return most.map(({ tenant, bytes }) => `${titleOf(view, tenant)} by ${sizeInWords(bytes)} a day`).join(', ');
}

interface Place {
  component: string;
  tenant: string;
}

/** Bytes a day; `undefined` when it is next to nothing, or not known. */
function grownBy({ hours }: TenantsView, { component, tenant }: Place): number | undefined {
  const found = hours.find((one) => one.component === component && one.tenant === tenant && one.measure === 'bytes-grown');
  const bytes = (found?.mean ?? 0) * DAY_S;
  return bytes >= GROWTH_LEAST_BYTES ? bytes : undefined;
}

function tenantsBySize({ config, hours }: TenantsView, component: string): string[] {
  const here = hours.filter((one) => one.component === component && config.tenants[one.tenant]);
  const sized = [...Map.groupBy(here, ({ tenant }) => tenant)].map(([tenant, own]) => ({ tenant, share: mainShare(own) }));
  return sized.sort((a, b) => b.share - a.share).map(({ tenant }) => tenant);
}

function mainShare(own: readonly TenantHours[]): number {
  return (own.find(({ measure }) => measure === 'statement-time' || measure === 'jobs-queued') ?? own[0])?.share ?? 0;
}

/** "63 % of statement time, 12 % of blocks read; far above its usual in 9 of 336 hours". */
function evidence({ hours }: TenantsView, { component, tenant }: Place): string | undefined {
  const own = hours.filter((one) => one.component === component && one.tenant === tenant);
  const shares = own
    .filter(({ share }) => share >= 0.005)
    .sort((a, b) => LOAD_MEASURES.indexOf(a.measure) - LOAD_MEASURES.indexOf(b.measure));
  if (own.length === 0) return undefined;
  const seen = Math.max(...own.map((one) => one.hours));
  const noisy = Math.max(...own.map(({ noisyHours }) => noisyHours));
  const taken = shares.slice(0, MOST_MEASURES).map(({ share, measure }) => `${percentInWords(share)} of ${measureInWords(measure)}`);
  return `${taken.length > 0 ? taken.join(', ') : 'next to nothing'}; far above its usual in ${noisy} of ${seen} ${seen === 1 ? 'hour' : 'hours'}`;
}

function titleOf({ config }: TenantsView, tenant: string): string {
  return data(config.tenants[tenant]?.title ?? tenant);
}

/** For the notification on a phone, which knows no marks. */
function plainOf(line: string): string {
  return line.replaceAll('*', '');
}
