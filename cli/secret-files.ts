/** Secrets that Rounds makes for itself, one file each, readable by the owner alone. */
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** 32 random bytes, in characters that need no quoting in a URL, a shell or a YAML file. */
export function randomSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** Writes a secret, replacing the one there. */
export function writeSecret(folder: string, name: string, value: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  writeFileSync(join(folder, name), value, { mode: 0o600 });
}

/** Returns the secret of that name; makes one the first time. Two processes that make it at once end with the same. */
export function secretOnce(folder: string, name: string, make: () => string = randomSecret): string {
  const path = join(folder, name);
  if (!existsSync(path)) {
    const unfinished = `.${name}.${process.pid}`;
    writeSecret(folder, unfinished, make());
    try {
      linkSync(join(folder, unfinished), path);
    } catch (error) {
      if (!existsSync(path)) throw error;
    } finally {
      rmSync(join(folder, unfinished), { force: true });
    }
  }
  return readFileSync(path, 'utf8').trim();
}
