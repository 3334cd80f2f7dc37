/** What Slack sends, read as the input that it is: a field that Slack says is always there is checked all the same. Pure. */
import * as z from 'zod';
import type { FieldValues, OpenForm } from './contract.ts';

/** Fields of a form that are read at most, and what is read of each. */
const MOST_FIELDS = 100;
const MOST_CHOSEN = 1_000;

const chosen = z.object({ value: z.string() });
const element = z.object({
  value: z.string().nullish(),
  selected_option: chosen.nullish(),
  selected_options: z.array(chosen).nullish(),
});
const state = z.object({ values: z.record(z.string(), z.record(z.string(), z.unknown())) });

const viewSchema = z.object({
  id: z.string(),
  hash: z.string().default(''),
  type: z.string(),
  private_metadata: z.string().default(''),
  state: z.unknown(),
});

/** Where a press, a command or a form came from. */
export interface Origin {
  responseUrl: string;
  triggerId: string;
  user: string;
  /** The form that it was pressed in. */
  form?: OpenForm;
  /** Pressed in a form or in the Home tab, and not in a message. */
  inView: boolean;
}

const originSchema = z.object({
  response_url: z.string().catch(''),
  trigger_id: z.string().catch(''),
  user: z.object({ id: z.string() }).catch({ id: '' }),
  view: viewSchema.optional().catch(undefined),
});

/** Reads it from the body of a press or of a form. */
export function originOf(body: unknown): Origin {
  const { response_url: responseUrl, trigger_id: triggerId, user, view } = originSchema.parse(body);
  const form = view?.type === 'modal' ? formOf(view) : undefined;
  return { responseUrl, triggerId, user: user.id, inView: view !== undefined, ...(form ? { form } : {}) };
}

function formOf(view: z.infer<typeof viewSchema>): OpenForm {
  return { viewId: view.id, hash: view.hash, modalId: view.private_metadata, values: valuesOf(view.state) };
}

/** What stands in the fields, by block. A block whose elements cannot be read holds nothing. */
export function valuesOf(given: unknown): FieldValues {
  const parsed = state.safeParse(given);
  if (!parsed.success) return {};
  const blocks = Object.entries(parsed.data.values).slice(0, MOST_FIELDS);
  return Object.fromEntries(blocks.map(([block, elements]) => [block, Object.values(elements).flatMap(textsOf)]));
}

function textsOf(given: unknown): string[] {
  const parsed = element.safeParse(given);
  if (!parsed.success) return [];
  const { value, selected_option: one, selected_options: several } = parsed.data;
  if (several) return several.slice(0, MOST_CHOSEN).map((each) => each.value);
  const text = one?.value ?? value;
  return text ? [text] : [];
}
