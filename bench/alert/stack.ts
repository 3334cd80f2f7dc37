/** All of Rounds: worker, bot, an agent in each of three locations, and the desk in Slack's place. */
import { randomBytes } from 'node:crypto';
import { freePort } from '../../cli/ports.ts';
import type { Backend } from '../backend.ts';
import { type BenchContext, type Closers, countOf } from '../benchmark.ts';
import { startSystem } from '../system.ts';
import { alertConfigText, channelOf, LOCATIONS } from './config.ts';
import { type Door, openDoor } from './slack.ts';
import { startTarget, type Target } from './target.ts';

/** A check of 5 s would be rare; what follows the failure does not depend on it, only how long the measuring takes. */
const EVERY_SECONDS = 10;
/** Silence is a failure after this: twice in a row at the first location, then at the others. */
const TIMEOUT_MS = 1_000;

export interface AlertStack {
  target: Target;
  door: Door;
  database: Awaited<ReturnType<typeof startSystem>>['database'];
  postgresVersion: string;
  /** Seconds between the runs of a check. */
  everySeconds: number;
}

/** Starts everything anew. Resolves when all processes are ready. */
export async function startAlertStack(context: BenchContext, backend: Backend, closers: Closers): Promise<AlertStack> {
  const services = countOf(context, 'incidents', 30);
  const target = await startTarget();
  closers.push(() => target.close());
  const config = alertConfigText({ services, everySeconds: EVERY_SECONDS, timeoutMs: TIMEOUT_MS, targetUrl: target.url });
  const system = await startSystem(context, { backend, config, locations: LOCATIONS }, closers);
  const [deskPort, botPort] = [await freePort(0), await freePort(0)];
  const door = await openDoor(deskPort);
  closers.push(() => door.close());
  const slack = { SLACK_BOT_TOKEN: `xoxb-${secret()}`, SLACK_SIGNING_SECRET: secret(), SLACK_API_URL: door.apiUrl };
  const seed = { channels: Array.from({ length: services }, (_, index) => channelOf(index)), users: [{ id: 'U0ANA', name: 'Ana' }] };
  await system.rounds(['desk'], {
    ...slack,
    ROUNDS_DESK_PORT: String(deskPort),
    ROUNDS_BOT_URL: `http://127.0.0.1:${botPort}/slack/events`,
    ROUNDS_DESK_SEED: JSON.stringify(seed),
  });
  await system.rounds(['worker']);
  await system.rounds(['bot'], { ...slack, ROUNDS_BOT_PORT: String(botPort) });
  await Promise.all(LOCATIONS.map((location) => system.rounds(['agent', '--location', location])));
  const { database, postgresVersion } = system;
  return { target, door, database, postgresVersion, everySeconds: EVERY_SECONDS };
}

function secret(): string {
  return randomBytes(16).toString('hex');
}
