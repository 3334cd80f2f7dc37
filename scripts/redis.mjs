/**
 * Finds a redis-server for the tests, and brings one to a machine that has none. Plain JavaScript: the setup runs it before
 * our own Node is there.
 *
 * The order: `.rounds/redis/usr/bin/redis-server`, which `unpackRedis` put there; `redis-server` on the PATH.
 * What is brought is the distribution's own package, unpacked below `.rounds` and not installed: no right is needed, no
 * service is started now or at the next boot, and the machine stays as it was.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, relative } from 'node:path';

/** 6.2: the oldest for which BullMQ 6 gives no warning. */
const OLDEST = [6, 2];
/** 2 min for one call of apt: the lists of packages are some 20 MB, and a network that is away must not hold up the tests for long. */
const APT_LIMIT_MS = 120_000;

/**
 * The redis-server to use, or `undefined` when there is none that starts and is new enough. Takes some milliseconds.
 * @param {string} root The checkout.
 * @param {string | undefined} path The PATH.
 * @returns {string | undefined}
 */
export function findRedis(root, path) {
  const folders = [join(ownFolder(root), 'usr', 'bin'), ...(path ?? '').split(delimiter).filter((folder) => folder !== '')];
  return folders.map((folder) => join(folder, 'redis-server')).find((program) => existsSync(program) && isNewEnough(program));
}

function ownFolder(root) {
  return join(root, '.rounds', 'redis');
}

function isNewEnough(program) {
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8', timeout: 10_000 });
  const [, major, minor] = (/ v=(\d+)\.(\d+)\./.exec(stdout ?? '') ?? []).map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}

/**
 * Unpacks the distribution's redis-server, and the libraries that this machine lacks, into `.rounds/redis`.
 * Everything goes to a folder beside it first: an interrupted run leaves nothing that looks finished.
 * @param {string} root The checkout.
 * @returns {Promise<string | undefined>} Why there is none now, in words; `undefined` when it worked.
 */
export async function unpackRedis(root) {
  if (spawnSync('apt-get', ['--version'], { stdio: 'ignore' }).status !== 0) return 'there is no apt-get to bring it';
  const downloads = mkdtempSync(join(tmpdir(), 'rounds-apt-'));
  const unfinished = `${ownFolder(root)}.${process.pid}`;
  try {
    const archives = await download(downloads);
    if (archives.length === 0) return 'apt-get could not bring it';
    mkdirSync(unfinished, { recursive: true });
    for (const archive of archives) {
      if (!(await works('dpkg', ['-x', archive, unfinished]))) return 'its package could not be unpacked';
    }
    if (!existsSync(join(unfinished, 'usr', 'bin', 'redis-server'))) return 'apt-get brought a package without it';
    wrap(unfinished);
    if (!isNewEnough(join(unfinished, 'usr', 'bin', 'redis-server')))
      return `the one of apt-get is older than ${OLDEST.join('.')}, or does not start`;
    rmSync(ownFolder(root), { recursive: true, force: true });
    renameSync(unfinished, ownFolder(root));
    return undefined;
  } finally {
    for (const folder of [downloads, unfinished]) rmSync(folder, { recursive: true, force: true });
  }
}

/** What `apt-get install` would install here, downloaded only. Lists that the machine lacks are fetched into `folder`, not into its own. */
async function download(folder) {
  for (const name of ['archives', 'lists']) mkdirSync(join(folder, name, 'partial'), { recursive: true });
  const network = ['http', 'https'].flatMap((scheme) => ['-o', `Acquire::${scheme}::Timeout=15`]);
  const own = ['-o', `Dir::Cache=${folder}`, '-o', 'Debug::NoLocking=1', '-o', 'Acquire::Retries=1', '-o', 'APT::Sandbox::User='];
  const ownLists = ['-o', `Dir::State::lists=${join(folder, 'lists')}`];
  const install = ['install', '--yes', '--no-install-recommends', '--download-only', 'redis-server'];
  const options = ['-qq', ...network, ...own];
  const got =
    (await works('apt-get', [...options, ...install])) ||
    ((await works('apt-get', [...options, ...ownLists, 'update'])) && (await works('apt-get', [...options, ...ownLists, ...install])));
  if (!got) return [];
  const names = readdirSync(join(folder, 'archives')).filter((name) => /^(redis|lib).*\.deb$/.test(name) && !/^libc6_/.test(name));
  return names.map((name) => join(folder, 'archives', name));
}

/** Whether the command ends well in its time. What it says is not shown: the reason is said in one line. */
async function works(program, args) {
  const child = spawn(program, args, {
    stdio: 'ignore',
    timeout: APT_LIMIT_MS,
    env: { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
  });
  return (await new Promise((resolve) => child.once('error', () => resolve(1)).once('close', resolve))) === 0;
}

/** Puts a script before the program that shows it the libraries that came along, wherever the checkout is moved to. */
function wrap(folder) {
  const program = join(folder, 'usr', 'bin', 'redis-server');
  // Beside its link's target: Debian's is a relative link, and the program is told by its name what to be.
  renameSync(program, `${program}.program`);
  const libraries = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => /\.so(\.|$)/.test(entry.name))
    .map((entry) => relative(join(folder, 'usr', 'bin'), entry.parentPath ?? entry.path));
  const search = [...new Set(libraries)].map((path) => `$here/${path}`).join(':');
  const script = ['#!/bin/sh', 'here=$(dirname "$0")', `LD_LIBRARY_PATH="${search}" exec "$0.program" "$@"`];
  writeFileSync(program, `${script.join('\n')}\n`, { mode: 0o755 });
}
