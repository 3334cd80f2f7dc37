/** Loads a journey's file. It is code that runs in the agent: an agent that was given a folder loads nothing outside it. */
import { realpath, stat } from 'node:fs/promises';
import { registerHooks } from 'node:module';
import { extname, isAbsolute, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { AgentFault } from '../probe.ts';
import { plain } from '../words.ts';
import { JOURNEY, type Journey } from './api.ts';

const API = new URL('./api.ts', import.meta.url).href;

/** A journey's file may lie anywhere on the disk: `rounds/journey` is this package's for it, and so is `playwright`. */
registerHooks({
  resolve(specifier, context, next) {
    if (specifier === 'rounds/journey') return { url: API, shortCircuit: true };
    if (specifier !== 'playwright' && specifier !== 'playwright/test') return next(specifier, context);
    return next(specifier, { ...context, parentURL: API });
  },
});

/**
 * The journey of a file. A file that was changed is loaded anew. With a `folder`, relative files start there and nothing outside
 * it is loaded; without one, only absolute files are. Throws `AgentFault` `journey-error` with the reason.
 */
export async function loadJourney(file: string, folder: string | undefined): Promise<Journey> {
  const path = await pathOf(file, folder);
  const { mtimeMs } = await stat(path);
  // The extension again at the end: some loaders tell the language by it.
  const module = await imported(`${pathToFileURL(path).href}?changed=${mtimeMs}${extname(path)}`, file);
  if (!isJourney(module.default)) throw new AgentFault('journey-error', `${file}: expected "export default journey(…)".`);
  return module.default;
}

async function pathOf(file: string, folder: string | undefined): Promise<string> {
  if (folder === undefined && !isAbsolute(file))
    throw new AgentFault('journey-error', `${file}: this agent was given no folder with journeys.`);
  let path: string;
  let root: string | undefined;
  try {
    path = await realpath(resolve(folder ?? '/', file));
    root = folder === undefined ? undefined : await realpath(folder);
  } catch {
    throw new AgentFault('journey-error', `There is no journey ${file} on this agent.`);
  }
  if (root !== undefined && !path.startsWith(root + sep))
    throw new AgentFault('journey-error', `${file} lies outside the folder with journeys.`);
  return path;
}

async function imported(url: string, file: string): Promise<{ default?: unknown }> {
  try {
    return await import(/* @vite-ignore */ url);
  } catch (error) {
    const words =
      error instanceof Error ? `${error.name}: ${plain(stripVTControlCharacters(error.message), 300)}` : 'it throws what is no error';
    throw new AgentFault('journey-error', `${file} cannot be loaded. ${words}`, { cause: error });
  }
}

function isJourney(value: unknown): value is Journey {
  return typeof value === 'object' && value !== null && (value as Partial<Journey>)[JOURNEY] === true;
}
