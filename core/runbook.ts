/** Which runbooks fit what is known, each bound to its target. */
import type { Config, Runbook } from './config/model.ts';
import type { ComponentTrouble, Offer, ServiceImpact } from './incident.ts';
import type { Failure, Finding } from './result.ts';

/** What the action says of itself: the sentence shown before it runs, and the finding it cannot do without. */
export interface ActionWords {
  needsFinding?: string;
  preview(params: Record<string, unknown>, target: Offer['target']): string;
}

/** One thing that is wrong, as a runbook's conditions see it. */
interface Trouble {
  service?: string;
  component?: string;
  template: string;
  failure?: Failure;
}

function fits(allowed: readonly string[] | undefined, value: string | undefined): boolean {
  return !allowed || (value !== undefined && allowed.includes(value));
}

function matches(runbook: Runbook, trouble: Trouble): boolean {
  const { when } = runbook;
  return (
    fits(when.services, trouble.service) &&
    fits(when.components, trouble.component) &&
    fits(when.checks, trouble.template) &&
    fits(when.failures, trouble.failure?.kind) &&
    fits(when.steps, trouble.failure?.step)
  );
}

/** The runbooks to offer, in the order of their ids. One whose action needs a finding is offered only with one. */
export function offersFor(
  config: Config,
  services: readonly ServiceImpact[],
  components: readonly ComponentTrouble[],
  words: ReadonlyMap<string, ActionWords>,
): Offer[] {
  const troubles: Trouble[] = [
    ...services.flatMap((service) => service.symptoms.map((symptom) => ({ service: service.id, ...symptom }))),
    ...components.map((component) => ({
      component: component.id,
      template: config.checks[component.check]?.template ?? component.check,
      ...(component.failure ? { failure: component.failure } : {}),
    })),
  ];
  const findings = components.flatMap((component) => component.findings);
  return Object.values(config.runbooks)
    .filter((runbook) => troubles.some((trouble) => matches(runbook, trouble)))
    .sort((a, b) => a.id.localeCompare(b.id))
    .flatMap((runbook) => offerOf(runbook, findings, words.get(runbook.action.type)) ?? []);
}

function offerOf(runbook: Runbook, findings: readonly Finding[], action: ActionWords | undefined): Offer | undefined {
  if (!action) return undefined;
  const finding = action.needsFinding ? findings.find((one) => one.kind === action.needsFinding) : undefined;
  if (action.needsFinding && !finding) return undefined;
  const target = finding?.target ?? {};
  return {
    runbook: runbook.id,
    title: runbook.title,
    preview: previewOf(runbook, action.preview(runbook.action.params, target), finding?.text),
    location: runbook.action.location,
    target,
  };
}

/** What is shown before it runs: what the runbook is for, what its action does, and what was found. */
export function previewOf(runbook: Runbook, does: string, found: string | undefined): string {
  return [runbook.explains, does, found].filter((one) => one !== undefined).join(' ');
}
