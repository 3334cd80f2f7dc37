/** One journey by clinic and location, with the steps of its last rounds: where the time goes. Pure. */
import type { Check } from '../../core/check.ts';
import { freshForMs } from '../../core/check.ts';
import { spanInWords } from '../../core/duration.ts';
import type { CheckState } from '../../core/evaluate.ts';
import { countInWords, reasonInWords } from '../../core/report/words.ts';
import type { StepResult } from '../../core/result.ts';
import { listInWords, MARKS } from '../../core/words.ts';
import type { JourneyPace } from '../../store/journey.ts';
import type { ResultView } from '../../store/query.ts';
import { type Block, cut, data, type Message, message, section } from './blocks.ts';
import { locationTitle, runInWords } from './details.ts';
import { byStanding, type Journey, journeyLine, type Standing, standingLine, tenantTitle } from './journeys.ts';
import type { View } from './status.ts';

/** Clinics that are shown by location and step; the rest is counted. */
const MOST_TENANTS = 8;
const MOST_LOCATIONS = 6;
const MOST_STEPS = 12;
/** Fewer runs do not say how long a step usually takes. */
const LEAST_TO_COMPARE = 3;
/** A step is pointed out when it takes so many times as long as elsewhere, and so much longer. */
const SLOW_TIMES = 2;
const SLOW_LEAST_MS = 200;

export interface JourneyDetails extends Journey {
  /** The last results, of those in {@link shownChecks} and of some others. */
  results: readonly ResultView[];
  /** The pace of those that are shown, by check. */
  paces: ReadonlyMap<string, JourneyPace>;
}

/** The checks that are shown one by one: what is not well, then what takes longest. */
export function shownChecks(view: View, journey: Pick<Journey, 'checks' | 'states'>): ReturnType<typeof byStanding> {
  const longest = ({ state }: { state: CheckState }) => Math.max(0, ...Object.values(state.locations).map((one) => one.durationMs));
  const all = byStanding(view, journey);
  const well = all.filter(({ standing }) => standing === 'succeeds').sort((a, b) => longest(b) - longest(a));
  return [...all.filter(({ standing }) => standing !== 'succeeds'), ...well].slice(0, MOST_TENANTS);
}

/** One journey in full. */
export function renderJourney(view: View, journey: JourneyDetails): Message {
  const shown = shownChecks(view, journey);
  const title = journeyLine(view, journey);
  const middle = middleOfSteps(journey.results);
  const rest = restLine(
    byStanding(view, journey).map(({ standing }) => standing),
    shown.map(({ standing }) => standing),
  );
  const blocks: Block[] = [
    section(title, aboutLine(view, journey), whereLine(journey.results, middle)),
    ...shown.map((one) => section(...tenantLines(view, journey, one, middle))),
    ...(rest ? [section(rest)] : []),
  ];
  return message(title.replaceAll(/[*\u200b]/g, ''), blocks);
}

/** "Patient billing · every 60 s from Data centre north and south". */
function aboutLine(view: View, { checks }: JourneyDetails): string {
  const [check] = checks;
  if (!check) return '';
  const locations = [...new Set(checks.flatMap((one) => one.locations))].map((location) => data(locationTitle(view.config, location)));
  const service = view.config.services[check.service ?? '']?.title;
  return `${service ? `${data(service)} · ` : ''}every ${spanInWords(check.everyMs)} from ${listInWords(locations, 6)}`;
}

type Middle = ReadonlyMap<string, number>;

/** How long each step took in the middle of the runs that came to an end, in the order of the steps. */
function middleOfSteps(results: readonly ResultView[]): Middle {
  const good = results.filter((result) => result.verdict === 'up' || result.verdict === 'degraded');
  const passed = good.flatMap((result) => result.steps.filter((step) => step.outcome === 'passed'));
  const byName = [...Map.groupBy(passed, (step) => step.name)].filter(([, steps]) => steps.length >= LEAST_TO_COMPARE);
  return new Map(byName.map(([name, steps]) => [name, median(steps.map((step) => step.durationMs))]));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[half] ?? 0) : ((sorted[half - 1] ?? 0) + (sorted[half] ?? 0)) / 2;
}

function whereLine(results: readonly ResultView[], middle: Middle): string {
  const whole = [...middle.values()].reduce((sum, ms) => sum + ms, 0);
  if (whole === 0) return '';
  const runs = results.filter((result) => result.verdict === 'up' || result.verdict === 'degraded').length;
  const steps = [...middle].map(([name, ms]) => `${data(name)} ${spanInWords(ms)} (${Math.round((ms / whole) * 100)} %)`);
  return cut(`Where the time goes, in the middle of ${countInWords(runs)} runs: ${someSteps(steps)}`, 1_500);
}

function someSteps(words: readonly string[]): string {
  const rest = words.length - MOST_STEPS;
  return [...words.slice(0, MOST_STEPS), ...(rest > 0 ? [`${rest} more`] : [])].join(' → ');
}

const STANDING_MARKS: Record<Standing, string> = {
  fails: MARKS['full interruption'],
  degraded: MARKS.degradation,
  unseen: MARKS.blind,
  unclear: MARKS.blind,
  never: MARKS.blind,
  succeeds: MARKS.resolved,
};

function tenantLines(view: View, journey: JourneyDetails, one: ReturnType<typeof byStanding>[number], middle: Middle): string[] {
  const { check, state, standing } = one;
  const usualMs = journey.paces.get(check.id)?.usualP50Ms;
  const usually = usualMs === undefined ? '' : `, usually ${spanInWords(usualMs)}`;
  const title = data(tenantTitle(view, check) ?? check.title);
  const head = `${STANDING_MARKS[standing]} *${title}*: ${standingLine(view, check, state, standing)}${usually}`;
  if (standing === 'never') return [head];
  const rest = check.locations.length - MOST_LOCATIONS;
  return [
    head,
    ...check.locations
      .slice(0, MOST_LOCATIONS)
      .map((location) => cut(locationLine(view, journey, { check, state, location, middle }), 700)),
    ...(rest > 0 ? [`• and ${rest} more locations`] : []),
  ];
}

interface AtLocation {
  check: Check;
  state: CheckState;
  location: string;
  middle: Middle;
}

function locationLine(view: View, journey: JourneyDetails, { check, state, location, middle }: AtLocation): string {
  const title = `• ${data(locationTitle(view.config, location))}`;
  const known = state.locations[location];
  const gap = state.gaps[location];
  const missed = gap && gap.plannedAtMs > (known?.plannedAtMs ?? 0) ? `; no result ${spanInWords(view.nowMs - gap.plannedAtMs)} ago` : '';
  const why = missed && gap?.reason && gap.reason !== 'no-result' ? ` (${data(reasonInWords(gap.reason))})` : '';
  if (!known) return `${title}: not seen yet${missed}${why}`;
  const ageMs = view.nowMs - known.plannedAtMs;
  const stale = ageMs > freshForMs(check) ? ', nothing fresh since' : '';
  const result = journey.results.find((one) => one.checkId === check.id && one.location === location);
  const words = result ? runInWords(result) : `${known.verdict} in ${spanInWords(known.durationMs)}`;
  const steps = result && result.steps.length > 0 ? `: ${stepsWords(result.steps, middle)}` : '';
  return `${title}, ${spanInWords(ageMs)} ago${stale}: ${words}${steps}${missed}${why}`;
}

/** "log in 0.8 s → *open the invoice 2.4 s* (elsewhere 0.4 s) → confirm 0.9 s". */
function stepsWords(steps: readonly StepResult[], middle: Middle): string {
  const reached = steps.filter((step) => step.outcome !== 'skipped');
  const skipped = steps.length - reached.length;
  const words = reached.map((step) => {
    const usualMs = middle.get(step.name);
    const slow = usualMs !== undefined && step.durationMs > usualMs * SLOW_TIMES && step.durationMs - usualMs > SLOW_LEAST_MS;
    const own = `${data(step.name)} ${spanInWords(step.durationMs)}`;
    const marked = slow || step.outcome === 'failed' ? `*${own}*` : own;
    return slow ? `${marked} (elsewhere ${spanInWords(usualMs)})` : marked;
  });
  return `${someSteps(words)}${skipped > 0 ? ` (${skipped} not reached)` : ''}`;
}

/** "and 492 more clinics: 490 succeed, 2 not seen yet". */
function restLine(all: readonly Standing[], shown: readonly Standing[]): string {
  const rest = all.length - shown.length;
  if (rest <= 0) return '';
  const left = (standing: Standing) => all.filter((one) => one === standing).length - shown.filter((one) => one === standing).length;
  const words = (Object.keys(REST_WORDS) as Standing[]).flatMap((standing) =>
    left(standing) > 0 ? [`${countInWords(left(standing))} ${REST_WORDS[standing]}`] : [],
  );
  return `and ${countInWords(rest)} more ${rest === 1 ? 'clinic' : 'clinics'}: ${words.join(', ')}`;
}

const REST_WORDS: Record<Standing, string> = {
  fails: 'fail',
  degraded: 'degraded',
  unseen: 'not seen at present',
  unclear: 'not clear yet',
  never: 'not seen yet',
  succeeds: 'succeed',
};
