/**
 * Takes a picture of the desk as it stands, for the documentation. It starts nothing: the desk must run.
 *
 *     node scripts/screenshot.ts docs/screenshot.png --thread
 */
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium, type Page } from 'playwright';
import { readTable } from '../cli/process-table.ts';
import { findBrowser } from './find-browser.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const USAGE = `Usage: node scripts/screenshot.ts FILE.png [--url URL] [--data FOLDER] [--thread]
  --url     the desk; without it the one that runs with the data folder
  --data    the data folder of "rounds up" (default: ROUNDS_DATA, else .rounds)
  --thread  open the thread of the newest post first
`;
const WINDOW = { width: 1280, height: 800 };
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'];

interface Wanted {
  file: string;
  url: string;
  thread: boolean;
}

/** What the command line asks for. Throws one sentence when it cannot be done. */
function wanted(args: string[]): Wanted {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { url: { type: 'string' }, data: { type: 'string' }, thread: { type: 'boolean', default: false } },
  });
  const [file, ...more] = positionals;
  if (!file?.endsWith('.png') || more.length > 0) throw new Error(`Expected the name of one PNG file.\n${USAGE}`);
  const dataFolder = resolve(values.data ?? process.env.ROUNDS_DATA ?? '.rounds');
  const url = values.url ?? readTable(dataFolder)?.urls.desk;
  if (!url) throw new Error(`No desk runs with ${dataFolder}. Start it with npm start, or name one with --url.`);
  return { file, url, thread: values.thread };
}

async function openNewestThread(page: Page): Promise<void> {
  await page.getByTestId('messages').getByTestId('open-thread').last().click();
  await page.getByTestId('replies').getByRole('listitem').first().waitFor();
}

/** Fonts and pictures are part of what is shown. */
async function settled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await document.fonts.ready;
    await Promise.all([...document.images].map((image) => image.decode().catch(() => undefined)));
  });
}

async function takeScreenshot({ file, url, thread }: Wanted): Promise<void> {
  const found = await findBrowser(ROOT, process.env);
  if (!found) throw new Error('No Chromium is here. Run npm start once, or name one in ROUNDS_CHROMIUM.');
  const inherited = Object.fromEntries(Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined));
  const browser = await chromium.launch({ executablePath: found.executablePath, args: FLAGS, env: { ...inherited, ...found.env } });
  try {
    const page = await browser.newPage({ viewport: WINDOW, deviceScaleFactor: 1, colorScheme: 'light', timezoneId: 'Europe/Berlin' });
    await page.goto(url);
    await page.getByTestId('messages').getByRole('listitem').first().waitFor();
    if (thread) await openNewestThread(page);
    await settled(page);
    await page.screenshot({ path: file, animations: 'disabled' });
  } finally {
    await browser.close();
  }
}

try {
  const task = wanted(process.argv.slice(2));
  await takeScreenshot(task);
  process.stdout.write(`${task.file}: the desk at ${task.url}, ${WINDOW.width}×${WINDOW.height}\n`);
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
