/** Of whole systems, played second by second: what is told, what is kept back, and in which words. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CLASSES } from '../../core/check.ts';
import { isBad } from '../../core/classify.ts';
import type { Facts, Incident } from '../../core/incident.ts';
import { blindsBy } from '../../core/location.ts';
import type { Edit, Posting } from '../scenarios/judging.ts';
import { PATIENTLY, runs } from './histories.ts';
import { anySystem, classNow, type Decided, ID_MARK, type Moment, rank, START_MS, type System, watch } from './systems.ts';

const FIVE_MINUTES_MS = 300_000;
const MOST_UPDATES = 10;

/** Says what is wrong with it, once for each thing. */
type Rule = (moment: Moment, system: System) => string[];

const idsOf = (list: readonly { id: string }[]) => list.map((one) => one.id);
const membersOf = (open: readonly Incident[]) => open.flatMap((incident) => incident.facts.members);

/** Whether it was decided since then to keep it back, and stored why. */
function isKeptBack(id: string, sinceMs: number, decided: readonly Decided[]): boolean {
  return decided.some(({ subject, atMs, inputs }) => {
    return subject === 'quiet' && START_MS + atMs >= sinceMs && [inputs.checks].flat().includes(id);
  });
}

const isNotWellAndUntold: Rule = ({ world, views, decided }) => {
  const told = new Set(membersOf(world.judging.open));
  const untold = views.filter((view) => isBad(view) && !told.has(view.check.id));
  return untold.flatMap(({ check, state }) => {
    return isKeptBack(check.id, state.heldSinceMs, decided)
      ? []
      : [`${check.id} is held ${state.held}, ${state.moment} now, and nobody is told`];
  });
};

/** What a location explains no more is looked at with the next turn: two in a row are one too many. */
function isUnseenAndUntold(): Rule {
  let before = new Set<string>();
  return ({ world: { judging }, views, atMs, decided }) => {
    // Of what was known to fail, the post stands; that it is not seen any more is told with its next update.
    const told = new Set(judging.open.flatMap(({ facts }) => [...facts.members, ...idsOf(facts.blind)]));
    const unseen = views.filter(({ check, state }) => {
      const isByLocation = blindsBy(judging.troubles, check, START_MS + atMs).length > 0;
      return state.moment === 'blind' && !isByLocation && !told.has(check.id) && !isKeptBack(check.id, 0, decided);
    });
    const now = new Set(unseen.map(({ check }) => check.id));
    const lasting = [...now].filter((id) => before.has(id));
    before = now;
    return lasting.map((id) => `nobody sees ${id}, and nobody is told`);
  };
}

const isToldTwice: Rule = ({ world }) => {
  const members = membersOf(world.judging.open);
  return members.filter((member, index) => members.indexOf(member) !== index).map((member) => `${member} is told of in two incidents`);
};

const tellsOfNothing: Rule = ({ world, views }) => {
  const bad = new Set(idsOf(views.filter(isBad).map((view) => view.check)));
  const isEmpty = ({ members, burns, blind, locations }: Facts) =>
    !members.some((member) => bad.has(member)) && burns.length + blind.length + locations.length === 0;
  return world.judging.open.filter(({ facts }) => isEmpty(facts)).map(({ id, root }) => `INC-${id} (${root}) tells of nothing`);
};

/** Ends with all of it well or told elsewhere, or points to an older one that is open. */
function endsTooEarly(): Rule {
  let known = new Map<number, readonly string[]>();
  return ({ world: { judging }, views }) => {
    const bad = new Set(idsOf(views.filter(isBad).map((view) => view.check)));
    const told = new Set(membersOf(judging.open));
    const open = new Set(judging.open.map((incident) => incident.id));
    const wrong = judging.ended.splice(0).flatMap(({ id, change }) => {
      if (change.kind === 'merge') return open.has(change.into) && change.into < id ? [] : [`INC-${id} points to INC-${change.into}`];
      const left = (known.get(id) ?? []).filter((member) => bad.has(member) && !told.has(member));
      return left.map((member) => `INC-${id} ended, and ${member} is not well`);
    });
    known = new Map(judging.open.map(({ id, facts }) => [id, facts.members]));
    return wrong;
  };
}

/** Of what maintenance and silences do not keep back. */
const tellsLess: Rule = (moment, { events, layout }) => {
  if (events.some((event) => event.is === 'silence')) return [];
  const told = rank(moment.world.judging.open.map((incident) => incident.class));
  const now = rank([classNow(layout.config, moment.views)]);
  return now < told ? [`${CLASSES[now]} is what fails now, and told is ${CLASSES[told] ?? 'nothing'}`] : [];
};

function wrongWords({ kind, class: klass, facts, text }: Posting): string[] {
  const own = facts?.services[0]?.class ?? (facts && facts.components.length > 0 ? 'risk' : 'blind');
  const isOther = facts !== undefined && (kind === 'open' || kind === 'raise' || kind === 'lower') && own !== klass;
  return [
    ...(text.includes(ID_MARK) ? [`an id is told: ${text}`] : []),
    ...(isOther ? [`told is ${klass}, and its facts say ${own}`] : []),
  ];
}

function tooMany(edits: readonly Edit[]): string[] {
  const byIncident = Map.groupBy(
    edits.filter((edit) => !edit.isNew),
    (edit) => edit.incident,
  );
  return [...byIncident].flatMap(([id, own]) => {
    const most = Math.max(...own.map(({ atMs }) => own.filter((one) => one.atMs >= atMs && one.atMs < atMs + FIVE_MINUTES_MS).length));
    return most > MOST_UPDATES ? [`INC-${id} was brought up to date ${most} times within five minutes`] : [];
  });
}

function play(system: System): void {
  const rules: Rule[] = [isNotWellAndUntold, isUnseenAndUntold(), isToldTwice, tellsOfNothing, endsTooEarly(), tellsLess];
  const { judging } = watch(system, (moment) => {
    if (!moment.isJudged) return;
    const wrong = rules.flatMap((rule) => rule(moment, system));
    if (wrong.length > 0) expect.fail(`at ${moment.atMs / 1_000} s: ${wrong.join('; ')}`);
  });
  expect([...judging.postings.flatMap(wrongWords), ...tooMany(judging.edits)]).toEqual([]);
  expect(judging.open, 'all has been well for long').toEqual([]);
}

it('nothing is kept back without a stored reason, told twice, told as less than it is, or ended while it goes on', PATIENTLY, () => {
  fc.assert(fc.property(anySystem({ quiet: true, agents: true, burns: true, workers: true }), play), runs(40));
});

it('nor where only targets fail', PATIENTLY, () => {
  fc.assert(fc.property(anySystem({}), play), runs(40));
});
