/** Slack's limits on blocks: docs.slack.dev/reference/block-kit/blocks. */

import { faultsOfElement } from './element-faults.ts';
import { fault, faultsOfText, missing, tooFew, tooLong, tooMany } from './faults.ts';
import type { Block } from './shapes.ts';
import { asObject, elementsOf } from './shapes.ts';

/** The most blocks of a message, and of a modal or a Home tab. */
export const MAX_BLOCKS = { message: 50, view: 100 };

const MAX_SECTION_CHARACTERS = 3_000;
const MAX_FIELDS = 10;
const MAX_FIELD_CHARACTERS = 2_000;
const MAX_HEADER_CHARACTERS = 150;
const MAX_LABEL_CHARACTERS = 2_000;
const MAX_ACTIONS = 25;
const MAX_CONTEXT_ELEMENTS = 10;
const MAX_ID_CHARACTERS = 255;

/** What Slack has, whether or not the desk can show it. */
const KNOWN = new Set(
  'actions alert card carousel container context context_actions data_table data_visualization divider file header image input markdown plan rich_text section table task_card video'.split(
    ' ',
  ),
);

/** What Slack would not take in these blocks; `at` is `/blocks` in a message and `/view/blocks` in a view. */
export function faultsOfBlocks(blocks: readonly Block[], at: string, most: number): string[] {
  return [
    ...tooMany(blocks.length, most, at),
    ...blocks.flatMap((block, index) => faultsOfBlock(block, `${at}/${index}`)),
    ...repeated(
      blocks.map((block, index) => ({ id: block?.block_id, at: `${at}/${index}/block_id` })),
      'block_id',
    ),
    ...blocks.flatMap((block, index) => repeatedActions(block, `${at}/${index}`)),
  ];
}

function faultsOfBlock(block: Block, at: string): string[] {
  if (!asObject(block)) return [fault('must provide an object', at)];
  if (!KNOWN.has(block.type)) return [fault(`unsupported type: ${String(block.type)}`, `${at}/type`)];
  return [...tooLong(block.block_id, MAX_ID_CHARACTERS, `${at}/block_id`), ...(RULES[block.type]?.(block, at) ?? [])];
}

const RULES: Readonly<Record<string, (block: Block, at: string) => string[]>> = {
  section: faultsOfSection,
  header: (block, at) => [
    ...missing('text', block.text, at),
    ...faultsOfText(block.text, `${at}/text`, { most: MAX_HEADER_CHARACTERS, plain: true }),
  ],
  actions: (block, at) => [
    ...tooFew((block.elements ?? []).length, `${at}/elements`),
    ...tooMany((block.elements ?? []).length, MAX_ACTIONS, `${at}/elements`),
    ...(block.elements ?? []).flatMap((element, index) => faultsOfElement(element, `${at}/elements/${index}`, 'actions')),
  ],
  context: (block, at) => [
    ...tooFew((block.elements ?? []).length, `${at}/elements`),
    ...tooMany((block.elements ?? []).length, MAX_CONTEXT_ELEMENTS, `${at}/elements`),
  ],
  image: (block, at) => missing('alt_text', block.alt_text, at),
  input: (block, at) => [
    ...missing('label', block.label, at),
    ...faultsOfText(block.label, `${at}/label`, { most: MAX_LABEL_CHARACTERS, plain: true }),
    ...faultsOfText(block.hint, `${at}/hint`, { most: MAX_LABEL_CHARACTERS, plain: true }),
    ...(block.element ? faultsOfElement(block.element, `${at}/element`, 'input') : missing('element', undefined, at)),
  ],
};

function faultsOfSection(block: Block, at: string): string[] {
  const fields = block.fields ?? [];
  return [
    ...(fields.length === 0 ? missing('text', block.text, at) : []),
    ...faultsOfText(block.text, `${at}/text`, { most: MAX_SECTION_CHARACTERS }),
    ...tooMany(fields.length, MAX_FIELDS, `${at}/fields`),
    ...fields.flatMap((field, index) => faultsOfText(field, `${at}/fields/${index}`, { most: MAX_FIELD_CHARACTERS })),
    ...(block.accessory ? faultsOfElement(block.accessory, `${at}/accessory`, 'accessory') : []),
  ];
}

/** Two elements of one block may not have one name. In different blocks they may. */
function repeatedActions(block: Block, at: string): string[] {
  if (block?.type !== 'actions') return [];
  const ids = elementsOf(block).map((element, index) => ({ id: element?.action_id, at: `${at}/elements/${index}/action_id` }));
  return repeated(ids, 'action_id');
}

function repeated(ids: readonly { id: string | undefined; at: string }[], field: string): string[] {
  return ids.flatMap(({ id, at }, index) => {
    const isSecond = id !== undefined && id !== '' && ids.findIndex((other) => other.id === id) < index;
    return isSecond ? [fault(`\`${field}\` "${id}" already exists`, at)] : [];
  });
}
