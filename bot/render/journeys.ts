/** How the journeys go: for how many they succeed now, how long they take beside usual, and what fails where. Pure. */
import { type Check, quorumOf } from '../../core/check.ts';
import type { Service } from '../../core/config/model.ts';
import { spanInWords, timeOfDay } from '../../core/duration.ts';
import { type CheckState, count, EMPTY_STATE, type LocationState, type Moment } from '../../core/evaluate.ts';
import { countInWords } from '../../core/report/words.ts';
import { listInWords, MARKS } from '../../core/words.ts';
import type { JourneyPace } from '../../store/journey.ts';
import { type Block, data, few, LIMITS, type Message, message, section } from './blocks.ts';
import { locationTitle } from './details.ts';
import { lastRound, type View } from './status.ts';

const MOST_JOURNEYS = 30;
const MOST_FAILING = 4;

/** One journey, for all its tenants. */
export interface Journey {
  template: string;
  title: string;
  checks: readonly Check[];
  states: ReadonlyMap<string, CheckState>;
  pace: JourneyPace;
}

/** How a journey stands for one tenant. `unseen`: nothing fresh is known; `unclear`: too few locations have spoken. */
export type Standing = 'fails' | 'degraded' | 'unseen' | 'unclear' | 'never' | 'succeeds';

/** The worst first. */
export const STANDINGS: readonly Standing[] = ['fails', 'degraded', 'unseen', 'never', 'unclear', 'succeeds'];

/** Now, with every agent trusted: what a location says is shown, whoever is at fault. */
function moment({ nowMs }: View): Moment {
  return { nowMs, planningSinceMs: 0, distrusted: new Set() };
}

/** What is held of a check, as long as a quorum of fresh results bears it. */
export function standingOf(view: View, check: Check, state: CheckState): Standing {
  if (state.held === 'down') return 'fails';
  if (state.held === 'degraded') return 'degraded';
  const spoken = Object.keys(state.locations).length;
  if (spoken === 0) return 'never';
  const seen = state.moment !== 'blind' && count(check, state, moment(view)).fresh.length >= quorumOf(check);
  if (state.held === 'up') return seen ? 'succeeds' : 'unseen';
  return count(check, state, moment(view)).fresh.length > 0 ? 'unclear' : 'unseen';
}

/** The checks of a journey by how they stand, the worst first. */
export function byStanding(
  view: View,
  journey: Pick<Journey, 'checks' | 'states'>,
): { check: Check; state: CheckState; standing: Standing }[] {
  return journey.checks
    .map((check) => {
      const state = journey.states.get(check.id) ?? EMPTY_STATE;
      return { check, state, standing: standingOf(view, check, state) };
    })
    .sort((a, b) => STANDINGS.indexOf(a.standing) - STANDINGS.indexOf(b.standing));
}

/** All journeys by service, those that fail first. */
export function renderJourneys(view: View, journeys: readonly Journey[]): Message {
  const first = headline(view, journeys);
  const sorted = [...journeys].sort((a, b) => badness(view, a) - badness(view, b));
  const shown = sorted.slice(0, MOST_JOURNEYS);
  const services = [...Map.groupBy(shown, (journey) => serviceOf(view, journey)?.id ?? '')];
  return message(first, [
    section(`*${first}*`),
    ...services.flatMap(([id, group]) =>
      paragraphs(
        `*${data(view.config.services[id]?.title ?? 'Of no service')}*`,
        group.map((one) => journeyLines(view, one)),
      ),
    ),
    ...(sorted.length > shown.length ? [section(restOfJourneys(view, sorted.slice(MOST_JOURNEYS)))] : []),
    ...(journeys.length > 0
      ? [section(`\`/rounds journeys ${journeys[0]?.template ?? ''}\` shows one by clinic, location and step.`)]
      : []),
  ]);
}

function headline(view: View, journeys: readonly Journey[]): string {
  if (journeys.length === 0) return 'No journeys are configured.';
  const worst = journeys.map((journey) => byStanding(view, journey)[0]?.standing ?? 'never');
  const number = (...standings: Standing[]) => worst.filter((one) => standings.includes(one)).length;
  const of = (some: number) => `${some} of ${journeys.length} ${journeys.length === 1 ? 'journey' : 'journeys'}`;
  const one = (some: number, single: string, many: string) => (some === 1 ? single : many);
  const fail = number('fails');
  if (fail > 0) return `${MARKS['partial outage']} ${of(fail)} ${one(fail, 'fails', 'fail')}.`;
  const slow = number('degraded');
  if (slow > 0) return `${MARKS.degradation} ${of(slow)} ${one(slow, 'is', 'are')} degraded.`;
  const unseen = number('unseen', 'unclear', 'never');
  if (unseen > 0) return `${MARKS.blind} ${of(unseen)} ${one(unseen, 'is', 'are')} not seen for everybody.`;
  return `${MARKS.resolved} ${journeys.length === 1 ? 'The journey succeeds' : `All ${journeys.length} journeys succeed`}.`;
}

function badness(view: View, journey: Journey): number {
  return STANDINGS.indexOf(byStanding(view, journey)[0]?.standing ?? 'never');
}

function serviceOf(view: View, journey: Pick<Journey, 'checks'>): Service | undefined {
  return view.config.services[journey.checks[0]?.service ?? ''];
}

function journeyLines(view: View, journey: Journey): string[] {
  const troubled = byStanding(view, journey).filter(({ standing }) => standing !== 'succeeds' && standing !== 'never');
  const lines = troubled.map(({ check, state, standing }) => {
    const title = tenantTitle(view, check);
    return `• ${title === undefined ? '' : `${data(title)}: `}${standingLine(view, check, state, standing)}`;
  });
  return [journeyLine(view, journey), ...few(lines, MOST_FAILING, 'clinics that do not succeed')];
}

/** "🟢 Post an invoice: 14 of 14 clinics succeed, p95 1.2 s in the last hour (usually 1.1 s), last round 12 s ago from north and south". */
export function journeyLine(view: View, journey: Journey): string {
  const parts = [standingWords(view, journey), paceWords(journey.pace), lastRound(view, journey)];
  return `${markOf(view, journey)} ${data(journey.title)}: ${parts.filter(Boolean).join(', ')}`;
}

function standingWords(view: View, journey: Journey): string {
  const all = byStanding(view, journey);
  const number = (...standings: Standing[]) => all.filter(({ standing }) => standings.includes(standing)).length;
  if (number('never') === all.length) return 'not seen yet';
  const [only] = all;
  if (all.length === 1 && only) return SINGLE[only.standing];
  const noun = all.some(({ check }) => check.tenant !== undefined) ? 'clinics' : 'checks';
  const others: readonly [number, string][] = [
    [number('degraded'), 'degraded'],
    [number('unseen', 'unclear'), 'not seen at present'],
    [number('never'), 'not seen yet'],
  ];
  const rest = others.flatMap(([some, words]) => (some > 0 ? [`${countInWords(some)} ${words}`] : []));
  return [`${countInWords(number('succeeds'))} of ${countInWords(all.length)} ${noun} succeed`, ...rest].join(', ');
}

const SINGLE: Record<Standing, string> = {
  fails: 'fails',
  degraded: 'degraded',
  unseen: 'not seen at present',
  unclear: 'not seen by enough locations yet',
  never: 'not seen yet',
  succeeds: 'succeeds',
};

function markOf(view: View, journey: Journey): string {
  const all = byStanding(view, journey).map(({ standing }) => standing);
  if (all[0] === 'fails') return all.every((one) => one === 'fails') ? MARKS['full interruption'] : MARKS['partial outage'];
  if (all[0] === 'degraded') return MARKS.degradation;
  return all.every((one) => one === 'succeeds') ? MARKS.resolved : MARKS.blind;
}

/** "p95 1.2 s in the last hour (usually 1.1 s)"; says so when there is nothing to compare. */
export function paceWords({ p95Ms, usualP95Ms }: JourneyPace): string {
  const usually = usualP95Ms === undefined ? '' : ` (usually ${spanInWords(usualP95Ms)})`;
  if (p95Ms !== undefined) return `p95 ${spanInWords(p95Ms)} in the last hour${usually}`;
  return usualP95Ms === undefined ? '' : `no good run in the last hour${usually}`;
}

/** How a journey stands for one tenant, in a line: what fails at which step, since when, seen from where. */
export function standingLine(view: View, check: Check, state: CheckState, standing: Standing): string {
  if (standing === 'succeeds' || standing === 'never') return SINGLE[standing];
  if (standing === 'unclear') return unclearWords(view, check, state);
  if (standing === 'unseen') return `nothing fresh since ${since(view, lastAtMs(state))}`;
  return troubleWords(view, check, state, standing);
}

/** The tenant's own title; `undefined` for a check without one. */
export function tenantTitle(view: View, check: Check): string | undefined {
  return check.tenant === undefined ? undefined : (view.config.tenants[check.tenant]?.title ?? check.tenant);
}

function troubleWords(view: View, check: Check, state: CheckState, standing: 'fails' | 'degraded'): string {
  const { fresh, bad, down } = count(check, state, moment(view));
  const from = standing === 'fails' ? down : bad;
  const held = `since ${since(view, state.heldSinceMs)}`;
  if (fresh.length === 0) return `${SINGLE[standing]} ${held}, and nothing fresh since ${since(view, lastAtMs(state))}`;
  if (from.length === 0) return `succeeds again, still watched; ${standing === 'fails' ? 'failed' : 'degraded'} ${held}`;
  const said = from.flatMap((location) => state.locations[location] ?? []);
  return `${SINGLE[standing]}${failureWords(said)}, ${held}, seen from ${seenFrom(view, check, from)}`;
}

function failureWords(said: readonly LocationState[]): string {
  const failure = said.find((one) => one.failure)?.failure;
  if (!failure) return '';
  return `${failure.step ? ` at "${data(failure.step)}"` : ''}: ${data(failure.message)}`;
}

function seenFrom(view: View, check: Check, locations: readonly string[]): string {
  const total = check.locations.length;
  if (locations.length === total) return total === 1 ? data(locationTitle(view.config, locations[0] ?? '')) : `all ${total} locations`;
  return `${locations.length} of ${total} locations: ${listInWords(locations.map((location) => data(locationTitle(view.config, location))))}`;
}

function unclearWords(view: View, check: Check, state: CheckState): string {
  const { fresh } = count(check, state, moment(view));
  return `not clear yet: seen from ${seenFrom(view, check, fresh)}, ${quorumOf(check)} must agree`;
}

function lastAtMs(state: CheckState): number {
  return Math.max(...Object.values(state.locations).map((one) => one.plannedAtMs));
}

/** "10:42 (6 min ago)"; the day is told by how long ago. */
function since(view: View, atMs: number): string {
  return `${timeOfDay(atMs, view.config.timezone)} (${spanInWords(view.nowMs - atMs)} ago)`;
}

function restOfJourneys(view: View, rest: readonly Journey[]): string {
  const well = rest.filter((journey) => byStanding(view, journey).every(({ standing }) => standing === 'succeeds')).length;
  const many = `and ${rest.length} more ${rest.length === 1 ? 'journey' : 'journeys'}`;
  return well === rest.length
    ? `${many}: all of them succeed`
    : `${many}, ${rest.length - well} of which do not succeed for all or are not seen`;
}

/** Groups of lines under a title, in as many sections as they need. */
function paragraphs(title: string, groups: readonly string[][]): Block[] {
  const texts = [title];
  for (const text of groups.map((lines) => lines.join('\n'))) {
    const last = texts.at(-1) ?? '';
    if (last.length + text.length < LIMITS.section) texts[texts.length - 1] = `${last}\n${text}`;
    else texts.push(text);
  }
  return texts.map((text) => section(text));
}
