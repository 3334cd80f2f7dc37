/** The form of `/rounds run`: which check, for whom, from where. Pure. */
import type { Check } from '../../core/check.ts';
import type { Config } from '../../core/config/model.ts';
import { context } from './blocks.ts';
import { bytesOf, choices, type Field, field, type ModalView, modal, type Option, option, plain, VIEW_LIMITS } from './modal.ts';

/** The fields by their blocks: errors are shown there. */
export const RUN_FIELDS = { find: 'find', check: 'check', tenants: 'tenants', locations: 'locations', everybody: 'everybody' } as const;

/** Options in the menu of checks at most; Slack's own search in a menu is quick with as many. Further ones are found by typing. */
const MOST_CHECKS = 1_000;
/** Options of the other menus: what a view holds beside the checks. */
const MOST_OTHERS = 300;
/** Slack's 250 kB less what it may count otherwise than we do. */
const MOST_BYTES = 230_000;

export interface RunForm {
  modalId: string;
  config: Config;
  /** Asked for in a channel, where everybody could see the answer. */
  inChannel: boolean;
  /** What was typed to narrow the list. */
  sought?: string;
}

/** The form as it opens, or as it is once something was sought. */
export function renderRunForm(form: RunForm): ModalView {
  let most = MOST_CHECKS;
  let view = renderWith(form, most);
  // Long titles and thousands of checks: fewer are shown, and the rest is found by typing.
  while (bytesOf(view) > MOST_BYTES && most > 50) {
    most = Math.floor(most / 2);
    view = renderWith(form, most);
  }
  return view;
}

function renderWith(form: RunForm, most: number): ModalView {
  const { config, modalId } = form;
  const all = templatesOf(config);
  const found = all.filter((template) => matches(template, form.sought ?? ''));
  const shown = found.slice(0, most);
  return modal({
    verb: 'run',
    modalId,
    title: 'Run a check',
    submit: 'Run it',
    close: 'Not now',
    blocks: [
      ...(all.length > most ? [findField(form.sought), context(foundWords(found.length, shown.length, all.length, form.sought))] : []),
      ...(shown.length > 0 ? [checkField(shown)] : []),
      ...tenantsField(config),
      ...locationsField(config),
      ...(form.inChannel ? [everybodyField()] : []),
    ],
  });
}

interface Template {
  id: string;
  title: string;
  group: string;
}

/** Each check once, whatever the number of its tenants, with the service that it is for; in the order of the configuration. */
function templatesOf(config: Config): Template[] {
  const seen = new Map<string, Template>();
  for (const check of Object.values(config.checks)) {
    if (!seen.has(check.template)) seen.set(check.template, { id: check.template, title: check.title, group: groupOf(config, check) });
  }
  return [...seen.values()];
}

function groupOf(config: Config, check: Check): string {
  if (check.service === undefined) return 'What services stand on';
  return config.services[check.service]?.title ?? check.service;
}

function matches(template: Template, sought: string): boolean {
  const text = `${template.title} ${template.id} ${template.group}`.toLowerCase();
  return sought
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

function foundWords(found: number, shown: number, all: number, sought: string | undefined): string {
  if (found === 0) return `None of ${all} checks is called so. Type something else and press Enter.`;
  const count = shown < found ? `${shown} of ${found}` : String(found);
  return sought
    ? `${count} ${count === '1' ? 'check' : 'checks'} found.`
    : `${count} checks are listed. For the others type a part of the name and press Enter.`;
}

function findField(sought: string | undefined): Field {
  const element = {
    type: 'plain_text_input' as const,
    action_id: RUN_FIELDS.find,
    max_length: 100,
    placeholder: plain('A part of its name, then Enter', VIEW_LIMITS.placeholder),
    dispatch_action_config: { trigger_actions_on: ['on_enter_pressed'] as ['on_enter_pressed'] },
    ...(sought ? { initial_value: sought } : {}),
  };
  return { ...field(RUN_FIELDS.find, 'Find a check', element, { optional: true }), dispatch_action: true };
}

function checkField(shown: readonly Template[]): Field {
  const groups = [...Map.groupBy(shown, (template) => template.group)].map(([title, templates]) => ({
    title,
    options: templates.map((template) => option(template.title, template.id)),
  }));
  const placeholder = plain('Choose a check', VIEW_LIMITS.placeholder);
  return field(RUN_FIELDS.check, 'Check', { type: 'static_select', action_id: RUN_FIELDS.check, placeholder, ...choices(groups) });
}

function tenantsField(config: Config): Field[] {
  const tenants = Object.values(config.tenants);
  if (tenants.length === 0 || !Object.values(config.checks).some((check) => check.tenant !== undefined)) return [];
  const options = tenants.map((tenant) => option(tenant.title, tenant.id));
  return [manyField(RUN_FIELDS.tenants, 'Clinics', options, 'All of them, unless some are chosen.')];
}

function locationsField(config: Config): Field[] {
  const options = Object.values(config.locations).map((location) => option(location.title, location.id));
  return options.length < 2
    ? []
    : [manyField(RUN_FIELDS.locations, 'From', options, 'All locations of the check, unless some are chosen.')];
}

function manyField(id: string, title: string, all: readonly Option[], hint: string): Field {
  const options = all.slice(0, MOST_OTHERS);
  const rest = all.length - options.length;
  const more = rest > 0 ? ` ${rest} more are not listed: for one of those type /rounds run CHECK/ID.` : '';
  const placeholder = plain('All', VIEW_LIMITS.placeholder);
  const element = { type: 'multi_static_select' as const, action_id: id, placeholder, ...choices([{ title, options }]) };
  return field(id, title, element, { optional: true, hint: `${hint}${more}` });
}

function everybodyField(): Field {
  const options = [option('Show the answer to everybody here', 'yes')];
  return field(RUN_FIELDS.everybody, 'Answer', { type: 'checkboxes', action_id: RUN_FIELDS.everybody, options }, { optional: true });
}
