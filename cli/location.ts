/** `rounds location add L`: the place and the credentials of a location's agents. */
import { existsSync } from 'node:fs';
import { closest } from 'fastest-levenshtein';
import { addLocation, type LocationCredentials } from '../jobs/location.ts';
import { queueUrlOf } from '../jobs/queue.ts';
import { readConfig } from './config.ts';
import type { CliContext } from './context.ts';
import { randomSecret } from './secret-files.ts';

/** As `rounds.yaml` has it: the id stands in names of schemas, keys and roles. */
const LOCATION = /^[a-z0-9][a-z0-9-]{0,39}$/i;

/** Adds a location, or gives its agents a new password, and prints their address. Returns the exit code. */
export async function location(context: CliContext, action: string, id: string): Promise<number> {
  const { env, io } = context;
  if (action !== 'add')
    return refuse(context, `rounds location knows only "add", got "${action}". Type: rounds location add ${id || 'north'}`);
  if (!LOCATION.test(id)) return refuse(context, `Expected the id of a location, letters, digits and "-", got "${id}".`);
  const url = queueUrlOf(env);
  if (!url) {
    return refuse(
      context,
      'No queue: expected its address in DATABASE_URL, REDIS_URL or ROUNDS_QUEUE_URL, with the right to make roles or ACL users.',
    );
  }
  const unknown = await unknownTo(context.options.config ?? env.ROUNDS_CONFIG ?? 'rounds.yaml', id);
  const made = await addLocation({ url, location: id, password: randomSecret() });
  io.out(inWords(id, { ...made, remarks: [...made.remarks, ...unknown] }));
  return 0;
}

function refuse({ io }: CliContext, sentence: string): number {
  io.err(`${sentence}\n`);
  return 1;
}

/** Nothing is planned for a location that the configuration does not have; that is no reason to refuse, since it may come next. */
async function unknownTo(file: string, id: string): Promise<string[]> {
  if (!existsSync(file)) return [];
  const known = Object.keys((await readConfig(file)).locations);
  if (known.includes(id)) return [];
  return [`${file} has no location "${id}": nothing is planned there until it has. Its nearest is "${closest(id, known)}".`];
}

function inWords(id: string, { user, url, statements, remarks }: LocationCredentials): string {
  const lines = (list: readonly string[]) => list.map((line) => `  ${line}\n`).join('');
  const todo = remarks.length === 0 ? '' : `\nLeft to do:\n${lines(remarks)}`;
  return `Agents at ${id} may use the queues of ${id}, as ${user}, and nothing else. Their address, shown this once:

ROUNDS_QUEUE_URL=${url}

It holds a password: keep it where secrets are kept. To start an agent with it: rounds agent --location ${id}
Agents that have the old password, if there are any, go on until they connect again.
${todo}
What was done:
${lines(statements)}`;
}
