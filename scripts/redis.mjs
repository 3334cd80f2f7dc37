/**
 * Finds a redis-server for the tests. Plain JavaScript: the setup runs it before our own Node is there.
 *
 * The order: `.rounds/redis/usr/bin/redis-server`, which `unpackRedis` put there; `redis-server` on the PATH.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where an ordinary user's own Redis lies. @param {string} root The checkout. */
export function ownRedisFolder(root) {
  return join(root, '.rounds', 'redis');
}

/**
 * The redis-server to use, or `undefined` when there is none. Nothing is started to find out.
 * @param {string} root The checkout.
 * @param {string | undefined} path The PATH.
 * @returns {string | undefined}
 */
export function findRedis(root, path) {
  const folders = [join(ownRedisFolder(root), 'usr', 'bin'), ...(path ?? '').split(delimiter).filter((folder) => folder !== '')];
  return folders.map((folder) => join(folder, 'redis-server')).find(isProgram);
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
