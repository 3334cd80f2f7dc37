/** Finds the verbs: every file of `actions/`, `commands/` and `modals/` is one, and is named after its verb. */
import { readdir } from 'node:fs/promises';
import type { ButtonVerb, CommandVerb, FormVerb } from './contract.ts';

/** The verbs of the buttons, by name. */
export function loadButtonVerbs(): Promise<ReadonlyMap<string, ButtonVerb>> {
  return load<ButtonVerb>('actions', (verb) => typeof verb.press === 'function');
}

/** The verbs of `/rounds`, by name. */
export function loadCommandVerbs(): Promise<ReadonlyMap<string, CommandVerb>> {
  return load<CommandVerb>('commands', (verb) => typeof verb.run === 'function');
}

/** The verbs of the forms, by name. */
export function loadFormVerbs(): Promise<ReadonlyMap<string, FormVerb>> {
  return load<FormVerb>('modals', (verb) => typeof verb.submit === 'function');
}

/** Throws when a file holds no verb, or one that is not the file's name. */
async function load<T extends { verb: string }>(folder: string, isVerb: (verb: T) => boolean): Promise<ReadonlyMap<string, T>> {
  const url = new URL(`./${folder}/`, import.meta.url);
  const files = (await readdir(url)).filter((file) => file.endsWith('.ts')).sort();
  const verbs = await Promise.all(
    files.map(async (file) => {
      const module: { default?: T } = await import(/* @vite-ignore */ new URL(file, url).href);
      const verb = module.default;
      const name = file.slice(0, -'.ts'.length);
      if (!verb || !isVerb(verb)) throw new Error(`bot/${folder}/${file}: expected a verb as its default export.`);
      if (verb.verb !== name) throw new Error(`bot/${folder}/${file}: expected verb "${name}", as the file is named, got "${verb.verb}".`);
      return verb;
    }),
  );
  return new Map(verbs.map((verb) => [verb.verb, verb]));
}
