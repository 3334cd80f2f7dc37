/** The little that `rounds up` must know of a configuration before the processes read it whole. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';

export interface ConfigFacts {
  locations: string[];
  /** Who and what the local desk shows: `ROUNDS_DESK_SEED`. */
  seed: { channels: string[]; users: { id: string; name: string }[] };
  /** The names in `${secret:NAME}`. */
  secrets: string[];
}

interface RawConfig {
  locations?: Record<string, unknown>;
  people?: Record<string, { slack?: string; title?: string; name?: string }>;
}

/** Reads locations, people, channels and names of secrets. Throws with one sentence; every other error is left to the processes. */
export function readConfigFacts(path: string): ConfigFacts {
  const text = readText(path);
  const raw = parseRaw(path, text);
  const locations = Object.keys(raw.locations ?? {});
  if (locations.length === 0) throw new Error(`${path}: expected at least one location under "locations". See: rounds validate ${path}`);
  const users = Object.entries(raw.people ?? {}).flatMap(([id, person]) =>
    person?.slack ? [{ id: person.slack, name: person.name ?? person.title ?? capital(id) }] : [],
  );
  return { locations, seed: { channels: channelsIn(raw), users }, secrets: secretNames(text) };
}

/** The names in `${secret:NAME}`, in the order in which they stand there. */
export function secretNames(text: string): string[] {
  return [...new Set([...text.matchAll(/\$\{secret:([A-Za-z0-9_]+)\}/g)].map((match) => match[1] ?? ''))];
}

function parseRaw(path: string, text: string): RawConfig {
  try {
    return (parse(text) ?? {}) as RawConfig;
  } catch (error) {
    throw new Error(`${path} is not YAML: ${(error as Error).message.split('\n')[0]}`);
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`The configuration ${path} cannot be read (${(error as NodeJS.ErrnoException).code}). Name another with --config.`);
  }
}

/** A channel may stand in a team, an escalation or a report; everywhere it begins with #. */
function channelsIn(value: unknown): string[] {
  if (typeof value === 'string') return /^#[\p{L}\d_-]+$/u.test(value) ? [value.slice(1)] : [];
  if (typeof value !== 'object' || value === null) return [];
  return [...new Set(Object.values(value).flatMap(channelsIn))];
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/**
 * Writes the sample clinic's configuration with the ports that the clinic really has, and its journeys by their full path below
 * `journeysFolder`. Returns the path of the copy.
 */
export function writeDemoConfig(
  source: string,
  target: string,
  ports: { clinic: number; clinicControl: number },
  journeysFolder: string,
): string {
  const text = readText(source)
    .replaceAll('http://127.0.0.1:4610', `http://127.0.0.1:${ports.clinic}`)
    .replaceAll('http://127.0.0.1:4611', `http://127.0.0.1:${ports.clinicControl}`)
    .replace(/(\bfile:\s*)(['"]?)(?:\.\/)?journeys\//g, `$1$2${journeysFolder}/`);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(`${target}.new`, text);
  renameSync(`${target}.new`, target);
  return target;
}

/** Where the journeys of a configuration of the clinic are: beside it, else those of the sample. */
export function journeysBeside(source: string, sampleFolder: string): string {
  const beside = join(dirname(source), 'journeys');
  return existsSync(beside) ? beside : join(sampleFolder, 'journeys');
}
