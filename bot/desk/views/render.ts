/** A modal and a Home tab as the page shows them. */

import { blocksHtml } from '../blocks.ts';
import type { Drawing } from '../drawing.ts';
import { plainText } from '../mrkdwn.ts';
import type { TextObject, View } from '../shapes.ts';

/** A modal for the page. Its texts are HTML. */
export interface RenderedModal {
  id: string;
  hash: string;
  title: string;
  html: string;
  /** Undefined when the modal has nothing to submit. */
  submit: string | undefined;
  close: string;
  /** How many modals lie below this one. */
  below: number;
}

/** The modal as HTML, safe to put into the page. */
export function renderModal(view: View, below: number, drawing: Drawing): RenderedModal {
  const hasInputs = view.blocks.some((block) => block.type === 'input');
  const submit = view.submit || hasInputs ? label(view.submit, 'Submit') : undefined;
  return {
    id: view.id,
    hash: view.hash,
    title: label(view.title, ''),
    html: blocksHtml(view.blocks, { ...drawing, scope: view.id }),
    submit,
    close: label(view.close, submit ? 'Cancel' : 'Close'),
    below,
  };
}

/** The Home tab as HTML; `html` is undefined when none was published. */
export function renderHome(view: View | undefined, drawing: Drawing): { id: string; hash: string; html: string } | { html: undefined } {
  if (!view) return { html: undefined };
  return { id: view.id, hash: view.hash, html: blocksHtml(view.blocks, { ...drawing, scope: view.id }) };
}

function label(text: TextObject | null, otherwise: string): string {
  return plainText(text?.text ?? otherwise);
}
