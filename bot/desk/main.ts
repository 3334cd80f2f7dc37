/** `rounds desk`: a local Slack in the browser, for trying Rounds without a workspace. It forgets everything at exit. */

import type { Start } from '../../core/process.ts';
import { startEmulator } from './emulator.ts';
import { Events } from './events.ts';
import { Line } from './line.ts';
import { LiveHub } from './live.ts';
import { Responses } from './responses.ts';
import { deskApp, listen } from './server.ts';
import { readSettings } from './settings.ts';
import { SocketMode } from './socket.ts';
import { Views } from './views/store.ts';
import { Triggers } from './views/triggers.ts';
import { makeCaller } from './webapi.ts';
import { Workspace } from './workspace.ts';

/** Starts the desk. Throws with one sentence when a setting is wrong or the port is taken. */
export const start: Start = async ({ env, log }) => {
  const settings = readSettings(env);
  const publicUrl = `http://127.0.0.1:${settings.port}`;
  const emulator = await startEmulator(settings, publicUrl);
  const live = new LiveHub();
  const workspace = new Workspace({ emulator, live, people: settings.people });
  const [views, triggers, sockets] = [new Views(live), new Triggers(), new SocketMode(publicUrl)];
  const isPerson = (userId: string): boolean => workspace.person(userId) !== undefined;
  const call = makeCaller({ emulator, workspace, people: settings.people, viewsApi: { views, triggers, isPerson } });
  const responses = new Responses({ call, workspace, publicUrl });
  const line = new Line({ url: settings.botUrl, signingSecret: settings.signingSecret }, sockets);
  const events = new Events(line);
  const interact = { line, triggers, views, workspace, responses };
  const app = deskApp({ settings, emulator, workspace, live, call, interact, responses, views, events, sockets });
  const server = await listen(app, settings.port).catch(async (error: unknown) => {
    sockets.close();
    await emulator.close();
    throw error;
  });
  log.info({ url: publicUrl, people: settings.people.map((person) => person.name) }, 'the desk is open');
  return {
    ready: async () => undefined,
    async stop() {
      live.close();
      events.close();
      sockets.close();
      await server.close();
      await emulator.close();
    },
  };
};
