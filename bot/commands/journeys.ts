import { type Check, isJourney } from '../../core/check.ts';
import type { CheckState } from '../../core/evaluate.ts';
import { listInWords } from '../../core/words.ts';
import { readStates } from '../../store/check.ts';
import { pacesOf } from '../../store/journey.ts';
import { resultViewsOfRuns } from '../../store/query.ts';
import type { CommandContext, CommandVerb } from '../contract.ts';
import { nearest } from '../names.ts';
import { data, type Message, sentence } from '../render/blocks.ts';
import { renderJourney, shownChecks } from '../render/journey.ts';
import { type Journey, renderJourneys } from '../render/journeys.ts';
import { notKnown } from '../render/refusal.ts';

const DAY_MS = 86_400_000;
const USUAL_DAYS = 7;
/** PostgreSQL counted as many in 2.3 s on two busy cores: where there are more, what is usual is taken from fewer days, one at least. */
const MOST_RUNS = 1_000_000;
/** Results that are read to say how long each step takes. */
const MOST_RESULTS = 60;

const journeys: CommandVerb = {
  verb: 'journeys',
  arguments: '[journey]',
  summary: 'For how many the journeys succeed now, and how long they take; with a name, one of them by clinic, location and step.',
  example: '/rounds journeys post-invoice',
  changes: false,

  run: async (context) => {
    const { config, words } = context;
    const asked = words.join(' ');
    const all = Object.values(config.checks).filter(isJourney);
    if (!asked) return overview(context, all);
    const found = findJourneys(all, asked);
    return found.length > 0 ? details(context, found) : unknown(context, all, asked);
  },
};

/** By id, by template (then for all tenants), or by title. */
function findJourneys(all: readonly Check[], asked: string): Check[] {
  const lower = asked.toLowerCase();
  const exact = all.filter((check) => check.id.toLowerCase() === lower);
  return exact.length > 0 ? exact : all.filter((check) => check.template.toLowerCase() === lower || check.title.toLowerCase() === lower);
}

function unknown({ config }: CommandContext, all: readonly Check[], asked: string): Message {
  const lower = asked.toLowerCase();
  const other = Object.values(config.checks).find((check) =>
    [check.id, check.template, check.title].some((one) => one.toLowerCase() === lower),
  );
  if (other) {
    const templates = listInWords([...new Set(all.map((check) => check.template))], 8);
    const journeysAre = templates ? ` Journeys are ${data(templates)}.` : ' There are no journeys.';
    return sentence(
      `"${data(other.title)}" is no journey, it is a check of type ${other.type}: \`/rounds status\` shows it.${journeysAre}`,
    );
  }
  const near = nearest(asked, [...new Set(all.flatMap((check) => [check.template, check.id, check.title]))]);
  return notKnown('journey', asked, all.find((check) => check.title === near)?.template ?? near, (name) => `/rounds journeys ${name}`);
}

async function overview(context: CommandContext, all: readonly Check[]): Promise<Message> {
  const { pool, config, clock } = context;
  const nowMs = clock.now();
  const groups = Map.groupBy(all, (check) => check.template);
  const states = await readStates(pool, idsOf(all));
  const ids = new Map([...groups].map(([template, checks]) => [template, idsOf(checks)]));
  const paces = await pacesOf(pool, { groups: ids, nowMs, usualMs: usualMsFor(all) });
  const made = [...groups].map(([template, checks]) => journeyOf(checks, states, paces.get(template) ?? {}));
  return renderJourneys({ config, nowMs }, made);
}

async function details(context: CommandContext, checks: readonly Check[]): Promise<Message> {
  const { pool, config, clock } = context;
  const view = { config, nowMs: clock.now() };
  const states = await readStates(pool, idsOf(checks));
  const shown = shownChecks(view, { checks, states }).map(({ check }) => check);
  const template = checks[0]?.template ?? '';
  const groups = new Map([[template, idsOf(checks)], ...shown.map((check): [string, string[]] => [`one ${check.id}`, [check.id]])]);
  const paces = await pacesOf(pool, { groups, nowMs: view.nowMs, usualMs: usualMsFor([...checks, ...shown]) });
  const results = await resultViewsOfRuns(pool, lastRuns(checks, shown, states));
  return renderJourney(view, {
    ...journeyOf(checks, states, paces.get(template) ?? {}),
    results,
    paces: new Map(shown.map((check) => [check.id, paces.get(`one ${check.id}`) ?? {}])),
  });
}

function journeyOf(checks: readonly Check[], states: ReadonlyMap<string, CheckState>, pace: Journey['pace']): Journey {
  const [first] = checks;
  return { template: first?.template ?? '', title: first?.title ?? '', checks, states, pace };
}

/** The last run of each location: all of what is shown, and of the others as many as it takes to compare. */
function lastRuns(checks: readonly Check[], shown: readonly Check[], states: ReadonlyMap<string, CheckState>): string[] {
  const runsOf = (check: Check) => Object.values(states.get(check.id)?.locations ?? {}).map((one) => one.run);
  const others = checks.filter((check) => !shown.includes(check)).flatMap(runsOf);
  return [...shown.flatMap(runsOf), ...others.slice(0, MOST_RESULTS)];
}

function usualMsFor(checks: readonly Check[]): number {
  const runsADay = checks.reduce((sum, check) => sum + (check.locations.length * DAY_MS) / check.everyMs, 0);
  return DAY_MS * Math.min(USUAL_DAYS, Math.max(1, Math.floor(MOST_RUNS / Math.max(1, runsADay))));
}

function idsOf(checks: readonly Check[]): string[] {
  return checks.map((check) => check.id);
}

export default journeys;
