/** The form of a runbook with parameters. What is typed is held against their declaration, and what becomes of it against the action. */
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import type { Runbook } from '../../core/config/model.ts';
import { referencesIn } from '../../core/config/references.ts';
import { expectation } from '../../core/config/words.ts';
import { type Incident, incidentName } from '../../core/incident.ts';
import { fillParameters, type ParameterValue, readParameters } from '../../core/parameter.ts';
import { previewOf } from '../../core/runbook.ts';
import { audit } from '../../store/audit.ts';
import { useButton } from '../../store/button.ts';
import { useModal } from '../../store/modal.ts';
import type { FormContext, FormOutcome, FormVerb, RunbookAction } from '../contract.ts';
import { data, sentence } from '../render/blocks.ts';
import { fieldError } from '../render/modal.ts';
import { blockOf, renderRunbookForm } from '../render/modal-runbook.ts';
import { askRunbook, mayRun, type RunbookParams, runbookDigest, runbookParams } from '../runbook.ts';

/** Long enough to fill in a few fields, short enough that the incident is still the one that was looked at. */
const EXPIRES_IN_MS = 15 * 60_000;

const boundSchema = runbookParams.extend({ digest: z.string() });

const runbook: FormVerb = {
  verb: 'runbook',
  expiresInMs: EXPIRES_IN_MS,

  view: ({ config, modalId, request }) => {
    const params = boundSchema.parse(request.params);
    const parameters = config.runbooks[params.runbook]?.parameters ?? [];
    const incident = incidentName(request.button?.incidentId ?? 0);
    return renderRunbookForm({ modalId, incident, title: params.title, preview: params.preview, parameters });
  },

  permit: ({ config, modal, person, user, incident }) =>
    incident
      ? mayRun(config, boundSchema.parse(modal.params), { person, user, facts: incident.facts })
      : { allowed: false, reason: 'unknown-form', text: 'Rounds does not know the incident of this form any more.' },

  submit: async (context, values) => {
    const { config, modal, incident } = context;
    const { digest, ...params } = boundSchema.parse(modal.params);
    const known = config.runbooks[params.runbook];
    if (!known?.parameters || !incident || runbookDigest(known) !== digest) return changed(context, params.title);
    const read = readParameters(known.parameters, (name) => values[blockOf(name)]?.[0]);
    if (!read.ok) return { errors: Object.fromEntries([...read.errors].map(([name, error]) => [blockOf(name), fieldError(error)])) };
    const action = context.actions.get(known.action.type);
    const filled = action && fill(known, action, read.values);
    if (!action || !filled) return changed(context, params.title);
    if ('errors' in filled) return filled;
    const shown = previewOf(known, action.preview(filled.params, params.target), findingOf(incident, params));
    return ask(context, { params, known, shown, actionParams: filled.params, values: read.values });
  },
};

interface Filled {
  params: RunbookParams;
  known: Runbook;
  shown: string;
  actionParams: Record<string, unknown>;
  values: ReadonlyMap<string, ParameterValue>;
}

async function ask(context: FormContext, filled: Filled): Promise<FormOutcome> {
  const { modal, person } = context;
  const { values, ...rest } = filled;
  return askRunbook(context, {
    ...rest,
    person,
    incidentId: modal.button?.incidentId ?? 0,
    incidentRevision: modal.button?.incidentRevision ?? 0,
    madeAtMs: modal.madeAtMs,
    parameters: (filled.known.parameters ?? []).map(({ name, title }) => ({ title, value: values.get(name) ?? '' })),
    use: async (db) => (await useModal(db, modal.id)) && (await useButton(db, modal.button?.id ?? '', person?.id ?? '')),
  });
}

/** The configuration was changed while the form was open: what is shown in it may not be what would be done. */
async function changed({ pool, modal, person }: FormContext, title: string): Promise<FormOutcome> {
  const subject = incidentName(modal.button?.incidentId ?? 0);
  await audit(pool, { actor: person?.id ?? '', verb: 'runbook', subject, outcome: 'refused', reason: 'stale-form', data: modal.params });
  return { refused: sentence(`"${data(title)}" has changed in the configuration since this form was opened. Press its button again.`) };
}

/** The action's parameters, or what its schema says of what was typed, at the field that it comes from. */
function fill(
  known: Runbook,
  action: RunbookAction,
  values: ReadonlyMap<string, ParameterValue>,
): { params: Record<string, unknown> } | { errors: Record<string, string> } {
  const { template, params } = known.action;
  if (!template) return { params };
  const parsed = action.schema.safeParse(fillParameters(template, values), { error: expectation });
  if (parsed.success) return { params: parsed.data };
  const fallback = known.parameters?.[0]?.name ?? '';
  return {
    errors: Object.fromEntries(
      parsed.error.issues.map((issue) => [blockOf(parameterAt(template, issue.path) ?? fallback), fieldError(capital(issue.message))]),
    ),
  };
}

function parameterAt(template: unknown, path: readonly PropertyKey[]): string | undefined {
  let value = template;
  for (const segment of path) value = (value as Record<PropertyKey, unknown> | undefined)?.[segment];
  const found = typeof value === 'string' ? referencesIn(value).find((reference) => reference.kind === 'param') : undefined;
  return found?.kind === 'param' ? found.name : undefined;
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function findingOf(incident: Incident, params: RunbookParams): string | undefined {
  const findings = incident.facts.components.flatMap((component) => component.findings);
  return findings.find((finding) => isDeepStrictEqual(finding.target, params.target))?.text;
}

export default runbook;
