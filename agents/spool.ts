/**
 * Reports that could not be handed to the queue wait here, on disk, in order, until it is back. A report is written beside its
 * place, synced and renamed, so what a killed agent leaves is whole or not there.
 */
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../core/process.ts';
import type { Report } from '../jobs/contract.ts';

export interface SpoolOptions {
  folder: string;
  log: Log;
  now(): number;
  /** Beyond this the oldest go; 64 MB by default: some five hundred pictures. */
  maxBytes?: number;
  /** Older ones go: a day by default, after which the ledger has long ended their runs. */
  maxAgeMs?: number;
}

export interface Spooled {
  id: string;
  report: Report;
}

export interface Spool {
  /** Keeps a report; resolves when it is on the disk. */
  put(one: Spooled): Promise<void>;
  /** Hands out what is kept, oldest first, and forgets what `send` took. Stops at the first that throws, and throws that. */
  drain(send: (one: Spooled) => Promise<void>): Promise<void>;
  /** Reports kept now. */
  size(): number;
}

interface Kept {
  name: string;
  bytes: number;
  atMs: number;
}

const NAME = /^(\d{16})-([\w-]+)\.json$/;

/** Opens the spool and finds what an earlier agent has left. */
export async function openSpool(options: SpoolOptions): Promise<Spool> {
  const { folder, log, now, maxBytes = 64_000_000, maxAgeMs = 86_400_000 } = options;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const kept = await found(folder);
  let lastStamp = kept.at(-1)?.atMs ?? 0;

  const forget = async (one: Kept) => {
    kept.splice(kept.indexOf(one), 1);
    await rm(join(folder, one.name), { force: true });
  };
  const bound = async () => {
    const tooOld = kept.filter(({ atMs }) => now() - atMs > maxAgeMs);
    let bytes = kept.reduce((sum, one) => sum + one.bytes, 0) - tooOld.reduce((sum, one) => sum + one.bytes, 0);
    const tooMany = kept.filter((one) => {
      if (tooOld.includes(one) || bytes <= maxBytes) return false;
      bytes -= one.bytes;
      return true;
    });
    if (tooOld.length + tooMany.length === 0) return;
    log.warn({ tooOld: tooOld.length, tooMany: tooMany.length }, 'reports that waited for the queue were given up');
    for (const one of [...tooOld, ...tooMany]) await forget(one);
  };

  return {
    size: () => kept.length,
    async put({ id, report }) {
      // The name orders them, also when the wall clock jumps back.
      lastStamp = Math.max(now(), lastStamp + 1);
      const name = `${String(lastStamp).padStart(16, '0')}-${id}.json`;
      const text = JSON.stringify(report);
      await writeDurably(folder, name, text);
      kept.push({ name, bytes: Buffer.byteLength(text), atMs: lastStamp });
      await bound();
    },
    async drain(send) {
      await bound();
      for (let one = kept[0]; one; one = kept[0]) {
        const spooled = await read(folder, one.name);
        if (spooled) await send(spooled);
        else log.warn({ file: one.name }, 'a report on disk cannot be read and was given up');
        await forget(one);
      }
    },
  };
}

async function found(folder: string): Promise<Kept[]> {
  const names = (await readdir(folder)).sort();
  // An unfinished one was never promised to anybody.
  for (const name of names) if (name.endsWith('.unfinished')) await rm(join(folder, name), { force: true });
  return await Promise.all(
    names
      .filter((name) => NAME.test(name))
      .map(async (name) => ({ name, bytes: (await stat(join(folder, name))).size, atMs: Number(name.slice(0, 16)) })),
  );
}

async function writeDurably(folder: string, name: string, text: string): Promise<void> {
  const unfinished = join(folder, `${name}.unfinished`);
  const file = await open(unfinished, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(unfinished, join(folder, name));
  const directory = await open(folder, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function read(folder: string, name: string): Promise<Spooled | undefined> {
  try {
    const report = JSON.parse(await readFile(join(folder, name), 'utf8')) as Report;
    return { id: NAME.exec(name)?.[2] ?? name, report };
  } catch {
    return undefined;
  }
}
