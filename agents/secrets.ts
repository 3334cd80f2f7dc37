/**
 * Secrets travel as references and are resolved here, at the last moment: from a file of that name in the secrets folder
 * (mounted volumes), else from the environment that the agent was handed.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AgentFault } from '../probes/probe.ts';

const REFERENCE = /\$\{secret:([A-Z][A-Z0-9_]*)\}/g;
/** What the agent itself lives on is no check's business. */
const OWN = new Set(['ROUNDS_QUEUE_URL', 'DATABASE_URL']);

export interface Resolved {
  params: Record<string, unknown>;
  /** Every value that was filled in, once. */
  secrets: string[];
}

export interface Secrets {
  /** The parameters with every reference filled in. Throws `AgentFault` `secret-missing`, which names the secret and nothing else. */
  resolve(params: Readonly<Record<string, unknown>>): Promise<Resolved>;
}

export interface SecretsOptions {
  folder?: string;
  env: Readonly<Record<string, string | undefined>>;
}

/** Files are read for each run, so a secret that was rotated is used at once. */
export function secretsFrom(options: SecretsOptions): Secrets {
  return {
    async resolve(params) {
      const names = namesIn(params);
      if (names.size === 0) return { params, secrets: [] };
      const values = new Map<string, string>();
      for (const name of names) values.set(name, await secretOf(name, options));
      return { params: filled(params, values) as Record<string, unknown>, secrets: [...new Set(values.values())] };
    },
  };
}

function namesIn(value: unknown, names = new Set<string>()): Set<string> {
  if (typeof value === 'string') {
    // Nearly no text has one, and this is asked of every run.
    if (value.includes('${')) for (const match of value.matchAll(REFERENCE)) names.add(match[1] ?? '');
  } else if (typeof value === 'object' && value !== null) {
    for (const one of Object.values(value)) namesIn(one, names);
  }
  return names;
}

function filled(value: unknown, values: ReadonlyMap<string, string>): unknown {
  if (typeof value === 'string') return value.replaceAll(REFERENCE, (written, name: string) => values.get(name) ?? written);
  if (Array.isArray(value)) return value.map((one) => filled(one, values));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, filled(one, values)]));
}

async function secretOf(name: string, { folder, env }: SecretsOptions): Promise<string> {
  const value = (await fromFolder(name, folder)) ?? (OWN.has(name) ? undefined : env[name]);
  if (!value)
    throw new AgentFault(
      'secret-missing',
      `The secret ${name} is not on this agent: expected a file or an environment variable of that name.`,
    );
  return value;
}

async function fromFolder(name: string, folder: string | undefined): Promise<string | undefined> {
  if (folder === undefined) return undefined;
  try {
    // Editors and `echo` end a file with a line break that is no part of the secret.
    return (await readFile(join(folder, name), 'utf8')).replace(/\r?\n$/, '');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new AgentFault('secret-missing', `The file of the secret ${name} cannot be read on this agent.`, { cause: error });
  }
}
