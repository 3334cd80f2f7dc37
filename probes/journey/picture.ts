/**
 * The picture of a failing page. What people type, what is marked private and whatever shows a secret is covered before
 * the picture is taken; if that cannot be done in time there is no picture, and that is no failure.
 */
import type { Frame, Locator, Page } from 'playwright';
import type { Picture } from '../../core/result.ts';

/** The whole of it, covering included. */
const PICTURE_MS = 3_000;
const MAX_BYTES = 120_000;
/** Tried in turn until the picture is small enough. */
const QUALITIES = [70, 45, 20];
const MASK_COLOUR = '#4a5568';
const ALWAYS_PRIVATE = 'input, textarea, select, [contenteditable=""], [contenteditable="true"], [data-private]';
/** A mask is as large as its element; text that flows over its edge is made invisible as well. */
const MARK = 'data-rounds-private';
const INVISIBLE = `[${MARK}], [${MARK}] * { color: transparent !important; -webkit-text-fill-color: transparent !important; text-shadow: none !important; }`;

export interface PictureOptions {
  /** Further selectors to cover, of the configuration. */
  mask: readonly string[];
  secrets: readonly string[];
}

/** A JPEG of what the page shows, at most 120 kB; `undefined` when none could be had within 3 s. */
export async function takePicture(page: Page, options: PictureOptions): Promise<Picture | undefined> {
  // A page that never came shows nothing.
  if (page.isClosed() || page.url() === 'about:blank') return undefined;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, PICTURE_MS, undefined);
  });
  const taken = coveredPicture(page, options).catch(() => undefined);
  const picture = await Promise.race([taken, late]);
  clearTimeout(timer);
  return picture;
}

async function coveredPicture(page: Page, options: PictureOptions): Promise<Picture | undefined> {
  const mask = page.frames().flatMap((frame) => privateParts(frame, options));
  await Promise.all(mask.map((part) => part.evaluateAll(markAll, MARK)));
  for (const quality of QUALITIES) {
    const jpeg = await page.screenshot({
      type: 'jpeg',
      quality,
      scale: 'css',
      animations: 'disabled',
      mask,
      maskColor: MASK_COLOUR,
      style: INVISIBLE,
      timeout: PICTURE_MS,
    });
    if (jpeg.length <= MAX_BYTES) return { mime: 'image/jpeg', base64: jpeg.toString('base64') };
  }
  return undefined;
}

/** Runs in the page. */
function markAll(elements: Element[], mark: string): void {
  for (const element of elements) element.setAttribute(mark, '');
}

function privateParts(frame: Frame, { mask, secrets }: PictureOptions): Locator[] {
  const selectors = [ALWAYS_PRIVATE, ...mask].map((selector) => frame.locator(selector));
  return [...selectors, ...secrets.filter((secret) => secret !== '').map((secret) => showing(frame, secret))];
}

/** Two letters are part of many words: so short a secret is looked for alone. */
function showing(frame: Frame, secret: string): Locator {
  return frame.getByText(secret, { exact: secret.length < 4 });
}
