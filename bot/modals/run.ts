/** The form of `/rounds run`. What is chosen is held against the configuration as it is now; the form only helps to choose. */
import type { Check } from '../../core/check.ts';
import type { Config } from '../../core/config/model.ts';
import { listInWords } from '../../core/words.ts';
import { inTransaction } from '../../store/db.ts';
import { useModal } from '../../store/modal.ts';
import type { FieldValues, FormContext, FormOutcome, FormVerb } from '../contract.ts';
import { sentence } from '../render/blocks.ts';
import { fieldError } from '../render/modal.ts';
import { RUN_FIELDS, renderRunForm } from '../render/modal-run.ts';
import { unknownPerson } from '../render/refusal.ts';
import { askRun, runStarted } from '../run.ts';

/** As long as Slack takes answers to a command: docs.slack.dev/interactivity/handling-user-interaction */
const EXPIRES_IN_MS = 25 * 60_000;

const run: FormVerb = {
  verb: 'run',
  expiresInMs: EXPIRES_IN_MS,

  view: ({ config, modalId, request, values }) => {
    const [sought] = values?.[RUN_FIELDS.find] ?? [];
    return renderRunForm({ config, modalId, inChannel: request.answerTo.responseUrl !== undefined, ...(sought ? { sought } : {}) });
  },

  permit: ({ person, user }) =>
    person ? { allowed: true } : { allowed: false, reason: 'unknown-person', text: unknownPerson('run checks', user) },

  submit: async (context, values) => {
    const chosen = chosenIn(context.config, values);
    return 'errors' in chosen ? chosen : ask(context, chosen, values[RUN_FIELDS.everybody]?.[0] === 'yes');
  },
};

interface Chosen {
  checks: Check[];
  locations?: readonly string[];
}

function chosenIn(config: Config, values: FieldValues): Chosen | { errors: Record<string, string> } {
  const [template] = values[RUN_FIELDS.check] ?? [];
  const all = Object.values(config.checks).filter((check) => check.template === template);
  const [first] = all;
  if (!first) {
    // Without a menu there is only the field in which to look for a check.
    const at = RUN_FIELDS.check in values ? RUN_FIELDS.check : RUN_FIELDS.find;
    return { errors: { [at]: template ? 'This check is not in the configuration any more.' : 'Expected a check.' } };
  }
  const tenants = values[RUN_FIELDS.tenants] ?? [];
  const checks = tenants.length === 0 ? all : all.filter((check) => check.tenant !== undefined && tenants.includes(check.tenant));
  if (checks.length < tenants.length) return { errors: { [RUN_FIELDS.tenants]: tenantsError(config, all) } };
  const locations = values[RUN_FIELDS.locations] ?? [];
  const strange = locations.filter((location) => !first.locations.includes(location));
  if (strange.length > 0) return { errors: { [RUN_FIELDS.locations]: locationsError(config, first, strange) } };
  return { checks, ...(locations.length > 0 ? { locations } : {}) };
}

function tenantsError(config: Config, all: readonly Check[]): string {
  const has = all.flatMap((check) => (check.tenant === undefined ? [] : [config.tenants[check.tenant]?.title ?? check.tenant]));
  if (has.length === 0) return 'This check is not made for each clinic: choose none.';
  return fieldError(`Expected clinics that the check is made for: ${listInWords(has, 6)}.`);
}

function locationsError(config: Config, check: Check, strange: readonly string[]): string {
  const title = (location: string) => config.locations[location]?.title ?? location;
  return fieldError(
    `This check runs from ${listInWords(check.locations.map(title), 6)}, not from ${listInWords(strange.map(title), 4, 'or')}.`,
  );
}

async function ask(context: FormContext, { checks, locations }: Chosen, everybody: boolean): Promise<FormOutcome> {
  const { modal, person, user, config } = context;
  const answerTo = { user, ...modal.answerTo, ...(everybody && modal.answerTo.responseUrl ? { everybody: true } : {}) };
  const more = locations ? { locations } : {};
  const did = await inTransaction(
    context.pool,
    async (db) =>
      (await useModal(db, modal.id)) && (await askRun(db, { key: `manual/form/${modal.id}`, checks, person, answerTo, ...more })),
  );
  return did
    ? { done: runStarted(config, checks, locations) }
    : { refused: sentence('That runs already; its answer comes where you asked.') };
}

export default run;
