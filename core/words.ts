/** What is said to people in one sentence, the same wherever it is said. */
import type { IncidentClass } from './check.ts';
import type { Config } from './config/model.ts';
import { spanInWords } from './duration.ts';
import type { Facts, Named, ServiceImpact, Symptom } from './incident.ts';

/** The one mark of a class; colour is never the only sign. */
export const MARKS: Record<IncidentClass | 'resolved', string> = {
  'full interruption': '🔴',
  'partial outage': '🟠',
  degradation: '🟡',
  risk: '🔵',
  blind: '⚪',
  resolved: '🟢',
};

/** `a`, `a and b`, `a, b and c`; beyond `most` the rest is counted: `a, b and 12 more`. */
export function listInWords(words: readonly string[], most = 4, joint: 'and' | 'or' = 'and'): string {
  const shown = words.length > most ? [...words.slice(0, most - 1), `${words.length - most + 1} more`] : [...words];
  const last = shown.pop();
  return shown.length === 0 ? (last ?? '') : `${shown.join(', ')} ${joint} ${last}`;
}

/** A check as people know it: "Post an invoice (Riverside Clinic)". */
export function namedCheck(config: Pick<Config, 'checks' | 'tenants'>, id: string): Named {
  const check = config.checks[id];
  const tenant = check?.tenant ? config.tenants[check.tenant]?.title : undefined;
  return { id, title: tenant ? `${check?.title} (${tenant})` : (check?.title ?? id) };
}

/** Who is in trouble: "Patient billing", "Patient billing and Clinic scheduling"; a component when no service is hit. */
export function subjectOf(facts: Facts): string {
  const worst = facts.services[0]?.class;
  const services = facts.services.filter((service) => service.class === worst).map((service) => service.title);
  if (services.length > 0) return listInWords(services);
  if (facts.components.length > 0) return listInWords(facts.components.map((component) => component.title));
  if (facts.locations.length > 0) return 'Monitoring';
  return listInWords(facts.blind.map((check) => check.title));
}

/** Who is hit and what they cannot do: "1 of 3 clinics cannot post invoices: Riverside Clinic." Empty when nobody is hit. */
export function impactOf(facts: Facts, klass: IncidentClass): string {
  if (facts.locations.length > 0) return unseenFrom(facts);
  if (klass === 'blind') return `Nobody can say whether it works: no results for ${listInWords(facts.blind.map((check) => check.title))}.`;
  if (klass === 'risk') {
    if (facts.othersFail) return 'No journey is known to fail because of it.';
    return facts.blind.length > 0 ? 'No journey is known to fail, but not all are seen.' : 'All journeys succeed; nobody is hurt yet.';
  }
  const worst = facts.services.filter((service) => service.class === facts.services[0]?.class);
  return worst.length === 0 ? '' : sentenceOf(facts, worst, klass);
}

/** "Nothing comes from Outside." Which checks cannot be judged for it is told below: it grows with every round. */
function unseenFrom({ locations }: Facts): string {
  const cut = locations.filter((one) => one.kind === 'cut-off').map((one) => one.title);
  const others = Map.groupBy(
    locations.filter((one) => one.kind !== 'cut-off'),
    (one) => (one.kind === 'silent' ? '' : one.reason),
  );
  const lines = [...others].map(([reason, list]) => {
    const where = listInWords(list.map((one) => one.title));
    return reason === '' ? `Nothing comes from ${where}.` : `The agent at ${where} cannot look (${reason}).`;
  });
  if (cut.length > 0)
    lines.push(`Everything fails from ${listInWords(cut)} and is well from elsewhere: its agent is at fault, not the services.`);
  return lines.join(' ');
}

function sentenceOf(facts: Facts, services: ServiceImpact[], klass: IncidentClass): string {
  const symptoms = leading(services);
  const phrase = phraseOf(symptoms);
  const tenants = uniqueTenants(symptoms);
  if (symptoms.length === 0) return burningWords(facts);
  const works = symptoms.every((symptom) => symptom.verdict !== 'down');
  if (klass === 'degradation' || works)
    return `${degradedWords(symptoms)}${tenants.length > 0 ? `: ${listInWords(titles(tenants))}` : ''}.`;
  if (tenants.length === 0) return `Nobody can ${phrase}.`;
  const isEach = symptoms.every((symptom) => symptom.tenantsTotal === 0 || symptom.tenants.length === symptom.tenantsTotal);
  if (tenants.length === facts.tenantsTotal && !isEach) return `All ${tenants.length} clinics are hit: some cannot ${phrase}.`;
  if (tenants.length === facts.tenantsTotal) return `None of ${facts.tenantsTotal} clinics can ${phrase}.`;
  const named = listInWords(titles(tenants));
  // Others are hit by another incident: the class is of all of it.
  if (klass === 'full interruption') return `No clinic can ${phrase} any more; by this cause: ${named}.`;
  return `${tenants.length} of ${facts.tenantsTotal} clinics cannot ${phrase}: ${named}.`;
}

/** The critical journeys that are down say what is wrong; else whatever is not well. */
function leading(services: ServiceImpact[]): Symptom[] {
  const all = services.flatMap((service) => service.symptoms);
  const critical = all.filter((symptom) => symptom.critical && symptom.verdict === 'down');
  return critical.length > 0 ? critical : all;
}

/** When everything fails at one step, that step is what cannot be done; else what the checks are for. */
function phraseOf(symptoms: Symptom[]): string {
  const steps = new Set(symptoms.map((symptom) => symptom.failure?.step));
  const [only] = steps;
  if (symptoms.length > 1 && steps.size === 1 && only) return only;
  return listInWords([...new Set(symptoms.map((symptom) => symptom.does))], 4, 'or');
}

/** "Error budget of 28 days: 61 % left, burning 21 times too fast." Empty when none burns. */
export function budgetOf(facts: Pick<Facts, 'burns'>): string {
  const [worst] = facts.burns.toSorted((a, b) => b.rate - a.rate);
  if (!worst) return '';
  const left = worst.budgetLeft >= 0 ? `${Math.round(worst.budgetLeft * 100)} % left` : 'spent';
  return `Error budget of ${worst.window}: ${left}, burning ${Math.round(worst.rate)} times too fast.`;
}

/** "Changed shortly before: billing 4.12 (deployment, 3 min before)." Empty when nothing was. */
export function changesOf(facts: Pick<Facts, 'changes' | 'sinceMs'>): string {
  if (facts.changes.length === 0) return '';
  const words = facts.changes.map(({ title, kind, atMs }) => `${title} (${kind}, ${whenOf(facts.sinceMs - atMs)})`);
  return `Changed: ${listInWords(words, 3)}.`;
}

function whenOf(leadMs: number): string {
  if (Math.abs(leadMs) < 1_000) return 'at the same time';
  return leadMs > 0 ? `${spanInWords(leadMs)} before` : `${spanInWords(-leadMs)} after it began`;
}

function burningWords(facts: Facts): string {
  const [worst] = facts.burns.toSorted((a, b) => b.rate - a.rate);
  if (!worst) return '';
  return `"${worst.title}" fails so often that the error budget burns ${Math.round(worst.rate)} times too fast.`;
}

function degradedWords(symptoms: Symptom[]): string {
  const down = symptoms.filter((symptom) => symptom.verdict === 'down');
  const shown = down.length > 0 ? down : symptoms;
  const what = listInWords([...new Set(shown.map((symptom) => `"${symptom.title}"`))]);
  if (down.length > 0) return `${what} ${verb(shown, 'fails', 'fail')}`;
  const slow = shown.every((symptom) => symptom.failure?.kind === 'slow');
  return slow ? `${what} ${verb(shown, 'is', 'are')} slow` : `${what} ${verb(shown, 'fails', 'fail')} from some locations`;
}

function verb(symptoms: readonly Symptom[], one: string, many: string): string {
  return new Set(symptoms.map((symptom) => symptom.title)).size > 1 ? many : one;
}

function uniqueTenants(symptoms: Symptom[]): Named[] {
  const found = new Map<string, Named>();
  for (const symptom of symptoms) for (const tenant of symptom.tenants) found.set(tenant.id, tenant);
  return [...found.values()];
}

function titles(list: readonly Named[]): string[] {
  return list.map((one) => one.title);
}

/** The first line of an alert without its mark: "Patient billing: partial outage. 1 of 3 clinics cannot post invoices: …". */
export function headlineOf(facts: Facts, klass: IncidentClass): string {
  return `${subjectOf(facts)}: ${klass}. ${impactOf(facts, klass)}`.trim();
}
