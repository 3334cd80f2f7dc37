/** Configurations as people write them, for tests that apply them. */

import { installedParts } from '../../cli/config.ts';
import { loadConfig } from '../../core/config/load.ts';
import type { ConfigToApply } from '../../jobs/config.ts';

/** The configuration in this text, as a file of that name in /etc/rounds would have it. Throws what is wrong with it. */
export async function written(text: string, folder = '/etc/rounds'): Promise<ConfigToApply> {
  const file = `${folder}/rounds.yaml`;
  const loaded = loadConfig({ file, text, folder }, await installedParts());
  if (!loaded.ok) throw new Error(loaded.problems.map(({ path, message }) => `${path}: ${message}`).join('\n'));
  return { config: loaded.config, written: { source: JSON.stringify(loaded.value), file, folder } };
}
