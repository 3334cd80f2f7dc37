/**
 * Finds a Chromium for the journeys. Plain JavaScript: the setup runs it before our own Node is there.
 *
 * The order: ROUNDS_CHROMIUM; Playwright's own, when the user installed it; Debian's headless shell; Debian's Chromium;
 * the headless shell of @sparticuz/chromium, which `unpackBrowser` put below `.rounds/browser`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';

/**
 * @typedef {object} Browser
 * @property {string} executablePath
 * @property {Record<string, string>} env What the browser needs in its environment: libraries, fonts. Often empty.
 * @property {string} source Where it is from, in words.
 */

/** The flags with which a Chromium starts everywhere, also as root and without a sandbox of the kernel. */
export const BROWSER_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const DEBIAN = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'];
/** The font that came along, and those of the system. The package's own file names folders of another place. */
const FONTS = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
`;
const NAMES = ['chrome-headless-shell', 'headless_shell', 'chrome', 'Chromium', 'Google Chrome for Testing'];

/**
 * Every Chromium on this machine, the preferred one first.
 * @param {string} root The checkout.
 * @param {Readonly<Record<string, string | undefined>>} env
 * @returns {Browser[]}
 */
export function browsers(root, env) {
  const plain = (executablePath, source) => ({ executablePath, env: {}, source });
  if (env.ROUNDS_CHROMIUM) return [plain(env.ROUNDS_CHROMIUM, 'ROUNDS_CHROMIUM')];
  const found = ofPlaywright(root, env).map((path) => plain(path, 'Playwright'));
  for (const path of DEBIAN) if (existsSync(path)) found.push(plain(path, 'Debian'));
  const unpacked = ofSparticuz(root);
  return unpacked ? [...found, unpacked] : found;
}

/**
 * The Chromium to use, or `undefined` when there is none. Nothing is started to find out, so it costs a few file look-ups.
 * A candidate that the setup has seen fail is passed over.
 * @param {string} root The checkout.
 * @param {Readonly<Record<string, string | undefined>>} env
 * @returns {Browser | undefined}
 */
export function findBrowser(root, env) {
  const failing = failingBrowsers(root);
  return browsers(root, env).find(({ executablePath }) => !failing.includes(executablePath));
}

/** @param {string} root @returns {string[]} */
function failingBrowsers(root) {
  try {
    const tried = JSON.parse(readFileSync(join(root, '.rounds', 'browser-tried.json'), 'utf8'));
    return Object.keys(tried).filter((path) => !tried[path]);
  } catch {
    return [];
  }
}

/**
 * Whether the browser really starts, libraries and all: it does when it offers its remote control. Takes about 0.1 s; 20 s at most.
 * @param {Browser} browser
 * @returns {Promise<boolean>}
 */
export async function starts(browser) {
  const profile = mkdtempSync(join(tmpdir(), 'rounds-browser-'));
  const args = ['--headless', ...BROWSER_FLAGS, '--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank'];
  const env = { PATH: '/usr/bin:/bin', HOME: profile, ...browser.env };
  const child = spawn(browser.executablePath, args, { env, stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  const closed = new Promise((resolve) => child.once('close', resolve));
  const offered = await new Promise((resolve) => {
    const timer = setTimeout(resolve, 20_000, false);
    child.once('error', () => resolve(false));
    child.once('exit', () => resolve(false));
    createInterface({ input: child.stderr }).on('line', (line) => line.startsWith('DevTools listening') && resolve(true));
    closed.then(() => clearTimeout(timer));
  });
  await endGroup(child, closed);
  rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  return offered;
}

/** A Chromium is a group of processes, each with files in the profile. */
async function endGroup(child, closed) {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The group has ended by itself.
  }
  await closed;
}

/** Playwright keeps each revision in a folder of its own; only the one that this version of Playwright drives will do. */
function ofPlaywright(root, env) {
  const home = env.PLAYWRIGHT_BROWSERS_PATH || defaultPlaywrightFolder(env);
  let list;
  try {
    list = JSON.parse(readFileSync(join(root, 'node_modules', 'playwright-core', 'browsers.json'), 'utf8')).browsers;
  } catch {
    return [];
  }
  return ['chromium-headless-shell', 'chromium'].flatMap((name) => {
    const revision = list.find((browser) => browser.name === name)?.revision;
    const folder = join(home, `${name.replaceAll('-', '_')}-${revision}`);
    if (!existsSync(join(folder, 'INSTALLATION_COMPLETE'))) return [];
    const program = programBelow(folder, 5);
    return program ? [program] : [];
  });
}

function defaultPlaywrightFolder(env) {
  const home = env.HOME || homedir();
  return process.platform === 'darwin'
    ? join(home, 'Library', 'Caches', 'ms-playwright')
    : join(env.XDG_CACHE_HOME || join(home, '.cache'), 'ms-playwright');
}

function programBelow(folder, depth) {
  const entries = readdirSync(folder, { withFileTypes: true });
  const file = entries.find((entry) => entry.isFile() && NAMES.includes(entry.name));
  if (file) return join(folder, file.name);
  for (const entry of depth > 0 ? entries : []) {
    const found = entry.isDirectory() && programBelow(join(folder, entry.name), depth - 1);
    if (found) return found;
  }
  return undefined;
}

function sparticuzFolder(root) {
  try {
    const { version } = JSON.parse(readFileSync(join(root, 'node_modules', '@sparticuz', 'chromium', 'package.json'), 'utf8'));
    return join(root, '.rounds', 'browser', `${version}-${process.arch}`);
  } catch {
    return undefined;
  }
}

function ofSparticuz(root) {
  const folder = sparticuzFolder(root);
  if (!folder || !existsSync(join(folder, 'headless-shell'))) return undefined;
  const env = { LD_LIBRARY_PATH: join(folder, 'al2023', 'lib'), FONTCONFIG_PATH: join(folder, 'fonts') };
  return { executablePath: join(folder, 'headless-shell'), env, source: '@sparticuz/chromium' };
}

/**
 * Unpacks the headless shell that came with npm, its libraries and a font, into `.rounds/browser`.
 * Everything goes to a folder beside it first: an interrupted run leaves nothing that looks finished.
 * @param {string} root The checkout.
 * @returns {Promise<boolean>} False when npm brought none for this system.
 */
export async function unpackBrowser(root) {
  const folder = sparticuzFolder(root);
  const packed = join(root, 'node_modules', '@sparticuz', 'chromium', 'bin');
  if (!folder || process.platform !== 'linux' || process.arch !== 'x64' || !existsSync(join(packed, 'chromium.br'))) return false;
  if (existsSync(folder)) return true;
  const unfinished = `${folder}.${process.pid}`;
  for (const name of ['al2023', 'fonts']) mkdirSync(join(unfinished, name), { recursive: true });
  await Promise.all([
    unbrotli(join(packed, 'chromium.br'), join(unfinished, 'headless-shell'), 0o755),
    untar(join(packed, 'al2023.tar.br'), join(unfinished, 'al2023')),
    untar(join(packed, 'fonts.tar.br'), join(unfinished, 'fonts')),
  ]);
  writeFileSync(join(unfinished, 'fonts', 'fonts.conf'), FONTS);
  if (!existsSync(folder)) renameSync(unfinished, folder);
  rmSync(unfinished, { recursive: true, force: true });
  return true;
}

/** @param {string} path @param {string} target @param {number} [mode] */
async function unbrotli(path, target, mode = 0o644) {
  const unpacked = createBrotliDecompress({ chunkSize: 2 ** 21 });
  await pipeline(createReadStream(path, { highWaterMark: 2 ** 20 }), unpacked, createWriteStream(target, { mode }));
}

/** By way of a file: tar ends at the mark of the archive's end and does not wait for the padding behind it, which breaks a pipe. */
async function untar(path, into) {
  const archive = `${into}.tar`;
  await unbrotli(path, archive);
  const tar = spawn('tar', ['-x', '--no-same-owner', '-C', into, '-f', archive], { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = await once(tar, 'close');
  if (code !== 0) throw new Error(`tar could not unpack ${path} (exit ${code}).`);
  rmSync(archive);
}
