/** `rounds desk`: a local Slack in the browser, for trying Rounds without a workspace. It forgets everything at exit. */

import type { Start } from '../../core/process.ts';
import { startEmulator } from './emulator.ts';
import { LiveHub } from './live.ts';
import { Responses } from './responses.ts';
import { deskApp, listen } from './server.ts';
import { readSettings } from './settings.ts';
import { makeCaller } from './webapi.ts';
import { Workspace } from './workspace.ts';

/** Starts the desk. Throws with one sentence when a setting is wrong or the port is taken. */
export const start: Start = async ({ env, log }) => {
  const settings = readSettings(env);
  const publicUrl = `http://127.0.0.1:${settings.port}`;
  const emulator = await startEmulator(settings, publicUrl);
  const live = new LiveHub();
  const workspace = new Workspace({ emulator, live, people: settings.people });
  const call = makeCaller({ emulator, workspace, people: settings.people });
  const responses = new Responses({ call, workspace, publicUrl });
  const bot = { url: settings.botUrl, signingSecret: settings.signingSecret };
  const interact = { bot, emulator, workspace, responses };
  const app = deskApp({ settings, emulator, workspace, live, call, interact, responses });
  const server = await listen(app, settings.port).catch(async (error: unknown) => {
    await emulator.close();
    throw error;
  });
  log.info({ url: publicUrl, people: settings.people.map((person) => person.name) }, 'the desk is open');
  return {
    ready: async () => undefined,
    async stop() {
      live.close();
      await server.close();
      await emulator.close();
    },
  };
};
