/** Finds the actions: every file of `actions/` is one, and is named after its type. */
import { readdir } from 'node:fs/promises';
import type { Action } from './action.ts';

const FOLDER = new URL('./actions/', import.meta.url);

/** The folder's actions by type, sorted. Throws when a file holds no action or one whose type is not the file's name. */
export async function loadActions(folder: URL = FOLDER): Promise<ReadonlyMap<string, Action>> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.ts')).sort();
  const actions = await Promise.all(files.map((file) => loadAction(file, folder)));
  return new Map(actions.map((action) => [action.type, action]));
}

async function loadAction(file: string, folder: URL): Promise<Action> {
  const module: { default?: Action } = await import(/* @vite-ignore */ new URL(file, folder).href);
  const action = module.default;
  const type = file.slice(0, -'.ts'.length);
  if (typeof action?.run !== 'function') throw new Error(`runbooks/actions/${file}: expected "export default defineAction({…})".`);
  if (action.type !== type)
    throw new Error(`runbooks/actions/${file}: expected type "${type}", as the file is named, got "${action.type}".`);
  return action;
}
