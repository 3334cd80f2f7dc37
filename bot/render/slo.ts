/** Objectives and what is left of their error budgets: by service, and by clinic where it is worse. Pure. */
import type { Service } from '../../core/config/model.ts';
import { burnInWords, goodInWords, leftInWords, objectiveInWords, rateInWords } from '../../core/slo/words.ts';
import { MARKS } from '../../core/words.ts';
import type { BudgetStanding } from '../../store/slo.ts';
import { type Block, data, few, type Message, message, section, sentence } from './blocks.ts';
import type { View } from './status.ts';

const MOST_TENANTS = 5;

/** All budgets of these services, those that burn first. */
export function renderSlos(view: View, services: readonly Service[], standings: readonly BudgetStanding[]): Message {
  if (standings.length === 0) return nothingPromised(services);
  const first = headline(standings);
  const groups = services.map((service) => standings.filter(({ ref }) => ref.slo.service === service.id));
  const sections = services.flatMap((service, index) => serviceSection(view, service, groups[index] ?? []));
  return message(first, [section(`*${data(first)}*`), ...sections]);
}

function nothingPromised([only, other]: readonly Service[]): Message {
  const whose = only && !other ? `${data(only.title)} has no objectives.` : 'No objectives are configured.';
  return sentence(`${whose} They stand in rounds.yaml under "slos" of a service.`);
}

/** An objective with the budgets that are counted for it. */
interface Promised {
  whole?: BudgetStanding;
  tenants: BudgetStanding[];
}

function promisedOf(standings: readonly BudgetStanding[]): Promised[] {
  return [...Map.groupBy(standings, ({ ref }) => `${ref.slo.service}/${ref.slo.id}`).values()].map((group) => {
    const whole = group.find(({ ref }) => ref.tenant === undefined);
    return { ...(whole ? { whole } : {}), tenants: group.filter(({ ref }) => ref.tenant !== undefined) };
  });
}

type State = 'burning' | 'spent' | 'unseen' | 'kept';

function stateOf({ budget, burn }: BudgetStanding): State {
  if (burn) return 'burning';
  if (budget.left <= 0) return 'spent';
  return budget.good + budget.bad === 0 ? 'unseen' : 'kept';
}

const STATES: readonly State[] = ['burning', 'spent', 'kept', 'unseen'];
const MARK: Readonly<Record<State, string>> = {
  burning: MARKS.degradation,
  spent: MARKS.degradation,
  unseen: MARKS.blind,
  kept: MARKS.resolved,
};

/** What is worst of an objective. */
function worstOf({ whole, tenants }: Promised): State {
  const states = [...(whole ? [whole] : []), ...tenants].map(stateOf);
  return STATES.find((state) => states.includes(state)) ?? 'unseen';
}

function headline(standings: readonly BudgetStanding[]): string {
  const all = promisedOf(standings);
  const worst = all.map(worstOf);
  const number = (state: State) => worst.filter((one) => one === state).length;
  const of = (some: number) => `${some} of ${all.length} ${all.length === 1 ? 'objective' : 'objectives'}`;
  const [burning, spent, unseen] = [number('burning'), number('spent'), number('unseen')];
  if (burning > 0) return `${MARK.burning} The error budget of ${of(burning)} burns too fast.`;
  if (spent > 0) return `${MARK.spent} The error budget of ${of(spent)} is spent.`;
  if (unseen > 0) return `${MARK.unseen} No data for ${of(unseen)}.`;
  return all.length === 1 ? `${MARK.kept} The objective is kept.` : `${MARK.kept} All ${all.length} objectives are kept.`;
}

function serviceSection(view: View, service: Service, standings: readonly BudgetStanding[]): Block[] {
  if (standings.length === 0) return [];
  const sorted = promisedOf(standings).sort((a, b) => STATES.indexOf(worstOf(a)) - STATES.indexOf(worstOf(b)));
  return [section(`*${data(service.title)}*`, ...sorted.flatMap((one) => objectiveLines(view, one)))];
}

function objectiveLines(view: View, promised: Promised): string[] {
  const { whole, tenants } = promised;
  const slo = (whole ?? tenants[0])?.ref.slo;
  if (!slo) return [];
  const worse = tenants.filter((one) => !whole || stateOf(one) === 'burning' || one.budget.left < whole.budget.left);
  const lines = [...worse]
    .filter((one) => one.budget.bad > 0 || one.burn)
    .sort((a, b) => a.budget.left - b.budget.left)
    .map((one) => `• ${data(tenantTitle(view, one))}: ${standingWords(view, one)}`);
  const objective = `objective ${objectiveInWords(slo.objective)}`;
  const byClinic = `${objective}, by clinic${lines.length === 0 ? ': all kept' : ''}`;
  const words = whole ? wholeWords(view, whole, objective) : byClinic;
  return [`${MARK[worstOf(promised)]} ${data(slo.title)}: ${words}`, ...few(lines, MOST_TENANTS, 'clinics')];
}

function wholeWords(view: View, whole: BudgetStanding, objective: string): string {
  const seen = `${goodInWords(whole.budget)}, ${objective}`;
  return stateOf(whole) === 'unseen' ? seen : `${seen}. ${standingWords(view, whole)}`;
}

/** "Budget of 28 days: 61 % left, burning 21 times too fast over 1 h, since 10:42". */
function standingWords({ config, nowMs }: View, { budget, window, windowMs, rate, burn, ref }: BudgetStanding): string {
  const speed = burn ? burnInWords(burn, windowMs, { nowMs, timeZone: config.timezone }) : rateWords(rate);
  const left = ref.tenant === undefined ? `Budget of ${window}: ${leftInWords(budget.left)}` : leftInWords(budget.left);
  return [left, speed].filter(Boolean).join(', ');
}

function rateWords(rate: number): string {
  const words = rateInWords(rate);
  return words && `${words} in the last hour`;
}

function tenantTitle({ config }: View, { ref }: BudgetStanding): string {
  return config.tenants[ref.tenant ?? '']?.title ?? ref.tenant ?? '';
}
