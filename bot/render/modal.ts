/**
 * Forms, as much of them as Rounds shows, within Slack's limits by construction. Pure.
 * Limits: docs.slack.dev/reference/views, docs.slack.dev/reference/block-kit/composition-objects.
 */
import { type Block, cut, label, type Message, type Plain, section } from './blocks.ts';

export const VIEW_LIMITS = {
  blocks: 100,
  title: 24,
  /** Of "submit" and "close". */
  button: 24,
  privateMetadata: 3_000,
  option: 75,
  /** Groups of one menu, and options of one group. */
  groups: 100,
  options: 100,
  placeholder: 150,
  label: 2_000,
  hint: 2_000,
  /** Of what a text field holds. */
  text: 3_000,
  /** `view_too_large`: "greater than 250kb". */
  bytes: 250_000,
  /** Slack names none for what stands below a field; longer is not read. */
  error: 300,
} as const;

export interface Option {
  text: Plain;
  value: string;
}
export interface OptionGroup {
  label: Plain;
  options: Option[];
}
type Choices = { options: Option[] } | { option_groups: OptionGroup[] };

export type FieldElement =
  | {
      type: 'plain_text_input';
      action_id: string;
      initial_value?: string;
      min_length?: number;
      max_length?: number;
      placeholder?: Plain;
      dispatch_action_config?: { trigger_actions_on: ['on_enter_pressed'] };
    }
  | { type: 'number_input'; action_id: string; is_decimal_allowed: boolean; initial_value?: string; min_value?: string; max_value?: string }
  | ({ type: 'static_select'; action_id: string; placeholder?: Plain; initial_option?: Option } & Choices)
  | ({ type: 'multi_static_select'; action_id: string; placeholder?: Plain } & Choices)
  | { type: 'checkboxes'; action_id: string; options: Option[] };

export interface Field {
  type: 'input';
  block_id: string;
  label: Plain;
  element: FieldElement;
  optional: boolean;
  hint?: Plain;
  dispatch_action?: true;
}

export interface ModalView {
  type: 'modal';
  callback_id: string;
  title: Plain;
  submit?: Plain;
  close: Plain;
  private_metadata: string;
  notify_on_close: boolean;
  blocks: (Block | Field)[];
}

/** A form. `modalId`: the opaque id that stands for what it means; without one there is nothing to send. */
export function modal(form: {
  verb: string;
  modalId?: string;
  title: string;
  submit?: string;
  close?: string;
  blocks: readonly (Block | Field)[];
}): ModalView {
  return {
    type: 'modal',
    callback_id: `rounds.${form.verb}`,
    title: plain(form.title, VIEW_LIMITS.title),
    ...(form.submit === undefined ? {} : { submit: plain(form.submit, VIEW_LIMITS.button) }),
    close: plain(form.close ?? 'Close', VIEW_LIMITS.button),
    private_metadata: form.modalId ?? '',
    notify_on_close: form.modalId !== undefined,
    blocks: form.blocks.slice(0, VIEW_LIMITS.blocks),
  };
}

/** What is said to one person where a form stood. */
export function messageModal(title: string, { blocks }: Message): ModalView {
  return modal({ verb: 'said', title, blocks });
}

/** Stands there while what the form needs is fetched. */
export function loadingModal(title: string): ModalView {
  return modal({ verb: 'loading', title, blocks: [section('One moment: the form is being made.')] });
}

/** A plain text within a limit; never empty, which Slack refuses. */
export function plain(text: string, most: number): Plain {
  return { type: 'plain_text', text: label(text, most) || '–', emoji: true };
}

/** An option of a menu. */
export function option(text: string, value: string): Option {
  return { text: plain(text, VIEW_LIMITS.option), value };
}

/** A field with its label and its hint; `id` names both the block and what stands in it. */
export function field(id: string, title: string, element: Field['element'], more: { optional?: boolean; hint?: string } = {}): Field {
  const { optional = false, hint } = more;
  return {
    type: 'input',
    block_id: id,
    label: plain(title, VIEW_LIMITS.label),
    element,
    optional,
    ...(hint ? { hint: plain(hint, VIEW_LIMITS.hint) } : {}),
  };
}

/**
 * The options of a menu: as they are when they fit into one list, else in groups of at most a hundred, each named after what is in it.
 */
export function choices(groups: readonly { title: string; options: readonly Option[] }[]): Choices {
  const [only, second] = groups;
  if (only && !second && only.options.length <= VIEW_LIMITS.options) return { options: [...only.options] };
  const split = groups.flatMap(({ title, options }) => {
    const parts = Math.ceil(options.length / VIEW_LIMITS.options);
    return Array.from({ length: parts }, (_, part) => ({
      label: plain(parts === 1 ? title : `${label(title, VIEW_LIMITS.option - 12)} (${part + 1} of ${parts})`, VIEW_LIMITS.option),
      options: options.slice(part * VIEW_LIMITS.options, (part + 1) * VIEW_LIMITS.options),
    }));
  });
  return { option_groups: split.slice(0, VIEW_LIMITS.groups) };
}

/** What a view takes of Slack's 250 kB. */
export function bytesOf(view: ModalView): number {
  return Buffer.byteLength(JSON.stringify(view));
}

/** What is said below a field. */
export function fieldError(text: string): string {
  return cut(text, VIEW_LIMITS.error);
}
