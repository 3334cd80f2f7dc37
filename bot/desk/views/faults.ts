/** Slack's limits on modals and Home tabs: docs.slack.dev/reference/views. */

import { faultsOfBlocks, MAX_BLOCKS } from '../block-faults.ts';
import { fault, faultsOfText, listOf, missing, tooLong } from '../faults.ts';
import type { Block, Json } from '../shapes.ts';
import { asObject } from '../shapes.ts';

const MAX_TITLE_CHARACTERS = 24;
const MAX_METADATA_CHARACTERS = 3_000;
const MAX_ID_CHARACTERS = 255;
/** `view_too_large`: "greater than 250kb". */
const MAX_VIEW_BYTES = 250_000;

const KNOWN_FIELDS = new Set(
  'type blocks title submit close private_metadata callback_id external_id clear_on_close notify_on_close submit_disabled state hash'.split(
    ' ',
  ),
);

/** Why Slack would refuse a view: its error, and its messages. */
export interface Refusal {
  error: string;
  messages: string[];
}

/** Why Slack would refuse this as a view of the type, or undefined when it would not. */
export function refusalOf(view: Json | undefined, type: 'modal' | 'home'): Refusal | undefined {
  if (!view) return { error: 'invalid_arguments', messages: [fault('missing required field: view', '')] };
  if (Buffer.byteLength(JSON.stringify(view)) > MAX_VIEW_BYTES) return { error: 'view_too_large', messages: [] };
  const faults = type === 'modal' ? faultsOfModal(view) : faultsOfHome(view);
  if (faults.length === 0) return undefined;
  return { error: 'invalid_arguments', messages: [fault('failed to match all allowed schemas', '/view'), ...faults] };
}

function faultsOfModal(view: Json): string[] {
  const title = { most: MAX_TITLE_CHARACTERS, plain: true };
  return [
    ...faultsOfBoth(view, 'modal'),
    ...missing('title', view.title, '/view'),
    ...faultsOfText(view.title, '/view/title', title),
    ...faultsOfText(view.submit, '/view/submit', title),
    ...faultsOfText(view.close, '/view/close', title),
    ...inputsWithoutSubmit(view),
  ];
}

function faultsOfHome(view: Json): string[] {
  const strange = ['title', 'submit', 'close'].filter((field) => view[field] !== undefined && view[field] !== null);
  return [...faultsOfBoth(view, 'home'), ...strange.map((field) => fault(`invalid additional property: ${field}`, '/view'))];
}

function faultsOfBoth(view: Json, type: string): string[] {
  const { items, faults } = listOf(view.blocks, 'blocks', '/view');
  const strange = Object.keys(view).filter((field) => !KNOWN_FIELDS.has(field));
  return [
    ...missing('type', view.type, '/view'),
    ...(view.type !== undefined && view.type !== type ? [fault(`unsupported type: ${String(view.type)}`, '/view/type')] : []),
    ...strange.map((field) => fault(`invalid additional property: ${field}`, '/view')),
    ...tooLong(view.private_metadata, MAX_METADATA_CHARACTERS, '/view/private_metadata'),
    ...tooLong(view.callback_id, MAX_ID_CHARACTERS, '/view/callback_id'),
    ...tooLong(view.external_id, MAX_ID_CHARACTERS, '/view/external_id'),
    ...faults,
    ...faultsOfBlocks(items as Block[], '/view/blocks', MAX_BLOCKS.view),
  ];
}

function inputsWithoutSubmit(view: Json): string[] {
  if (view.submit) return [];
  const blocks = listOf(view.blocks, 'blocks', '/view').items;
  return blocks.flatMap((block, index) =>
    asObject(block)?.type === 'input'
      ? [fault('must define `submit` to use an `input` block in modals', `/view/blocks/${index}/input`)]
      : [],
  );
}
