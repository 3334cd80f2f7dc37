/** What is said when a maintenance window or a silence is over: what it kept back, and what is still wrong. Pure. */
import { type CheckView, classifyService, freshestFailure, isBad } from './classify.ts';
import type { Config } from './config/model.ts';
import { spanInWords, timeOfDay } from './duration.ts';
import type { Quiet } from './quiet.ts';
import { listInWords, MARKS, namedCheck } from './words.ts';

/** A maintenance window or a silence that is over. */
export interface EndedQuiet {
  quiet: Quiet;
  endedAtMs: number;
  /** Before its time: by a person, by the id; or since the configuration does not have it any more. */
  early?: { by: string } | 'configuration';
}

/** What was kept back meanwhile. */
export interface KeptBack {
  /** Checks that were not well. */
  checks: string[];
  /** Open incidents of which updates were kept back. */
  incidents: number[];
  /** Services whose error budget burnt too fast. */
  budgets: string[];
}

export interface EndWords {
  mark: string;
  title: string;
  lines: string[];
}

type Parts = Pick<Config, 'services' | 'components' | 'tenants' | 'checks' | 'people' | 'timezone'>;

/** More than that is counted. */
const MOST_TROUBLES = 6;

/** The summary. `views`: how everything that it covered stands now. */
export function endInWords(ended: EndedQuiet, kept: KeptBack, views: readonly CheckView[], config: Parts): EndWords {
  const troubles = troublesOf(views, config);
  return {
    mark: troubles.mark,
    title: titleOf(ended, config),
    lines: [reasonOf(ended, config), meanwhile(kept), ...troubles.lines].filter((line) => line !== ''),
  };
}

function titleOf({ quiet, endedAtMs, early }: EndedQuiet, { people, timezone }: Parts): string {
  const at = timeOfDay(endedAtMs, timezone);
  const what = quiet.kind === 'silence' ? `Silence of ${quiet.title}` : quiet.title;
  if (early === undefined) return `${what} ended at ${at} (${spanInWords(quiet.untilMs - quiet.fromMs)})`;
  if (early === 'configuration') return `${what} ended at ${at}: it is in the configuration no more`;
  const leftMs = Math.max(0, quiet.untilMs - endedAtMs);
  return `${people[early.by]?.name ?? early.by} ended the silence of ${quiet.title} at ${at}, ${spanInWords(leftMs)} early`;
}

function reasonOf({ quiet }: EndedQuiet, { people }: Parts): string {
  if (quiet.by === undefined || quiet.reason === undefined) return '';
  return `Silenced by ${people[quiet.by]?.name ?? quiet.by}: "${quiet.reason}".`;
}

function meanwhile({ checks, budgets }: KeptBack): string {
  if (checks.length > 0) return `${checks.length} ${checks.length === 1 ? 'check' : 'checks'} failed meanwhile.`;
  return budgets.length > 0 ? 'Error budgets burnt too fast meanwhile.' : '';
}

function troublesOf(views: readonly CheckView[], config: Parts): { mark: string; lines: string[] } {
  const bad = views.filter(isBad);
  const returning = bad.filter((view) => view.state.moment === 'up');
  const wrong = bad.filter((view) => view.state.moment !== 'up');
  const blind = views.filter((view) => !isBad(view) && view.state.moment === 'blind');
  const troubles = [...servicesOf(wrong).flatMap((id) => serviceTrouble(id, wrong, config)), ...componentTroubles(wrong, config)];
  const lines = [
    ...few(troubles).map((text, index) => (index === 0 ? `Still wrong: ${text}` : text)),
    ...(returning.length > 0 ? [`Coming back: ${listInWords(subjects(returning, config))}. Watching for more rounds.`] : []),
    ...(blind.length > 0
      ? [`Nobody can say: no results for ${listInWords(blind.map((view) => namedCheck(config, view.check.id).title))}.`]
      : []),
  ];
  return lines.length > 0 ? { mark: markOf(wrong, blind.length > 0), lines } : { mark: MARKS.resolved, lines: ['All well again.'] };
}

function few(troubles: readonly string[]): string[] {
  if (troubles.length <= MOST_TROUBLES) return [...troubles];
  return [...troubles.slice(0, MOST_TROUBLES - 1), `And ${troubles.length - MOST_TROUBLES + 1} more.`];
}

/** The mark of the worst class that what is left amounts to. */
function markOf(wrong: readonly CheckView[], anyBlind: boolean): string {
  const classes = servicesOf(wrong).map((id) => classifyService(wrong.filter((view) => view.check.service === id)).class);
  // Seen alone, what is left of a service always looks like all of it.
  if (classes.some((one) => one === 'full interruption' || one === 'partial outage')) return MARKS['partial outage'];
  if (classes.includes('degradation')) return MARKS.degradation;
  if (wrong.length > 0) return MARKS.risk;
  return anyBlind ? MARKS.blind : MARKS.resolved;
}

function servicesOf(views: readonly CheckView[]): string[] {
  return [...new Set(views.flatMap((view) => view.check.service ?? []))].sort();
}

/** "Patient billing, 2 of 14 clinics cannot post invoices." */
function serviceTrouble(id: string, wrong: readonly CheckView[], config: Parts): string {
  const own = wrong.filter((view) => view.check.service === id);
  const down = own.filter((view) => view.state.held === 'down');
  const critical = down.filter((view) => view.check.critical);
  const leading = [critical, down, own].find((list) => list.length > 0) ?? [];
  return `${config.services[id]?.title ?? id}, ${impact(leading, config)}.`;
}

function impact(leading: readonly CheckView[], config: Parts): string {
  const tenants = new Set(leading.flatMap((view) => view.check.tenant ?? []));
  const templates = new Set(leading.map((view) => view.check.template));
  const ofTemplates = Object.values(config.checks).filter((check) => templates.has(check.template));
  const total = new Set(ofTemplates.flatMap((check) => check.tenant ?? [])).size;
  const does = listInWords([...new Set(leading.map((view) => view.check.does))], 4, 'or');
  if (leading.every((view) => view.state.held === 'down')) {
    if (tenants.size === 0) return `nobody can ${does}`;
    if (total === 1) return `${[...tenants].map((id) => config.tenants[id]?.title ?? id)} cannot ${does}`;
    return tenants.size === total ? `none of ${total} clinics can ${does}` : `${tenants.size} of ${total} clinics cannot ${does}`;
  }
  const titles = listInWords([...new Set(leading.map((view) => `"${view.check.title}"`))]);
  const whose = tenants.size > 0 ? ` for ${tenants.size} of ${total} clinics` : '';
  return `${titles} ${new Set(leading.map((view) => view.check.title)).size === 1 ? 'is' : 'are'} slow or ${leading.length === 1 ? 'fails' : 'fail'} from some locations${whose}`;
}

/** "PostgreSQL (shared cluster): 23 sessions wait for a lock." */
function componentTroubles(wrong: readonly CheckView[], config: Parts): string[] {
  const own = wrong.filter((view) => view.check.component !== undefined);
  return [...Map.groupBy(own, (view) => view.check.component ?? '')].map(([id, views]) => {
    const said = freshestFailure(views);
    const what = said?.findings[0]?.text ?? said?.failure?.message ?? 'not well';
    return `${config.components[id]?.title ?? id}: ${what}.`;
  });
}

function subjects(views: readonly CheckView[], config: Parts): string[] {
  const titleOf = ({ check }: CheckView) =>
    check.service === undefined
      ? (config.components[check.component ?? '']?.title ?? check.title)
      : (config.services[check.service]?.title ?? check.service);
  return [...new Set(views.map(titleOf))];
}
