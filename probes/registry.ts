/** Finds the probes: every file of `types/` is one, and is named after its type. */
import { readdir } from 'node:fs/promises';
import type { Probe } from './probe.ts';

const FOLDER = new URL('./types/', import.meta.url);

/** The folder's probes by type, sorted. Throws when a file holds no probe or one whose type is not the file's name. */
export async function loadProbes(folder: URL = FOLDER): Promise<ReadonlyMap<string, Probe>> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.ts')).sort();
  const probes = await Promise.all(files.map((file) => loadProbe(file, folder)));
  return new Map(probes.map((probe) => [probe.type, probe]));
}

async function loadProbe(file: string, folder: URL): Promise<Probe> {
  const module: { default?: Probe } = await import(/* @vite-ignore */ new URL(file, folder).href);
  const probe = module.default;
  const type = file.slice(0, -'.ts'.length);
  if (typeof probe?.run !== 'function') throw new Error(`probes/types/${file}: expected "export default defineProbe({…})".`);
  if (probe.type !== type) throw new Error(`probes/types/${file}: expected type "${type}", as the file is named, got "${probe.type}".`);
  return probe;
}
