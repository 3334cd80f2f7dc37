/** The form of a runbook: what will be done, and a field for each of its parameters. Pure. */
import type { Parameter } from '../../core/config/model.ts';
import { TEXT_CHARACTERS } from '../../core/parameter.ts';
import { context, data, section } from './blocks.ts';
import { type Field, type FieldElement, field, type ModalView, modal, option, plain, VIEW_LIMITS } from './modal.ts';

/** Blocks of parameters are named apart from all others. */
const BLOCK = 'param:';

export interface RunbookForm {
  modalId: string;
  /** `INC-12`. */
  incident: string;
  title: string;
  /** What will be done, to what. */
  preview: string;
  parameters: readonly Parameter[];
}

/** The form as it opens, with the defaults in it. */
export function renderRunbookForm(form: RunbookForm): ModalView {
  return modal({
    verb: 'runbook',
    modalId: form.modalId,
    title: form.incident,
    submit: form.title,
    close: 'Not now',
    blocks: [
      section(`*${data(form.title)}*`, data(form.preview)),
      ...form.parameters.map(fieldOf),
      context('It runs with the values as they stand when you press the button; the thread says which. Write no names of patients.'),
    ],
  });
}

/** The block of a parameter: errors are shown there. */
export function blockOf(parameter: string): string {
  return `${BLOCK}${parameter}`;
}

function fieldOf(parameter: Parameter): Field {
  const { name, title, help } = parameter;
  return field(blockOf(name), title, ELEMENTS[parameter.type](parameter), help === undefined ? {} : { hint: help });
}

const ELEMENTS: Record<Parameter['type'], (parameter: Parameter) => FieldElement> = {
  text: ({ name, min, max, default: given }) => ({
    type: 'plain_text_input',
    action_id: name,
    ...(min === undefined ? {} : { min_length: min }),
    max_length: Math.min(max ?? TEXT_CHARACTERS, VIEW_LIMITS.text),
    ...(given === undefined ? {} : { initial_value: given }),
  }),
  number: ({ name, min, max, default: given }) => ({
    type: 'number_input',
    action_id: name,
    is_decimal_allowed:
      [min, max, given].some((one) => one !== undefined && !Number.isInteger(Number(one))) || (min === undefined && max === undefined),
    ...(given === undefined ? {} : { initial_value: given }),
    ...(min === undefined ? {} : { min_value: String(min) }),
    ...(max === undefined ? {} : { max_value: String(max) }),
  }),
  duration: ({ name, default: given }) => ({
    type: 'plain_text_input',
    action_id: name,
    max_length: 20,
    placeholder: plain('Such as 30s or 5m', VIEW_LIMITS.placeholder),
    ...(given === undefined ? {} : { initial_value: given }),
  }),
  choice: ({ name, options = [], default: given }) => ({
    type: 'static_select',
    action_id: name,
    options: options.map((one) => option(one, one)),
    ...(given === undefined ? {} : { initial_option: option(given, given) }),
  }),
};
