/** The state and the Web API of the local Slack: `emulate`, seeded with our people, channels and app. */

import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { createEmulator } from 'emulate';
import { ChannelIds } from './channel-ids.ts';
import { APP, EMULATOR_CHANNELS, TEAM, TokenPool } from './identity.ts';
import type { DeskSettings, Person } from './settings.ts';
import type { Json } from './shapes.ts';
import { asArray, asObject, asObjectOrJson, asText } from './shapes.ts';

/** 20 tokens of 5,000 requests an hour are 27 requests a second, far above what Slack itself would take. */
const TOKENS_OF_BOT = 20;
const TOKENS_OF_PERSON = 4;
const TIMEOUT_MS = 10_000;

/** The emulator as the desk uses it. */
export interface Emulator {
  /** Calls a Web API method as a person of the desk, or as the app with `APP.botUserId`. Never throws on `ok: false`. */
  call(userId: string, method: string, body: Json): Promise<Json>;
  /** Passes a request on as it is, for uploads and downloads. */
  pass(path: string, init: RequestInit): Promise<Response>;
  /** The user id that a token from outside stands for, or undefined: the emulator itself takes any token as its administrator's. */
  userOfToken(token: string): string | undefined;
  /** A token for the user, whose turn it is. */
  tokenFor(userId: string): string;
  close(): Promise<void>;
}

/**
 * Starts the emulator on a free port of the loopback, lets everybody join every channel, and opens the app's direct conversation with each.
 * `publicUrl` is the desk's own address: the emulator hands it out for uploads and downloads.
 */
export async function startEmulator(settings: DeskSettings, publicUrl: string): Promise<Emulator> {
  const pools = makePools(settings.people);
  const port = await freePort();
  const emulated = await createEmulator({
    service: 'slack',
    port,
    hostname: '127.0.0.1',
    baseUrl: publicUrl,
    seed: { slack: seedOf(settings, pools) },
  }).catch((error: unknown) => {
    throw new Error(`The local Slack could not start: ${error instanceof Error ? error.message : String(error)}`);
  });
  const emulator = connect(`http://127.0.0.1:${port}`, emulated, pools, settings.botToken);
  await joinEverybody(emulator, settings.people);
  await greetEverybody(emulator, settings.people);
  return emulator;
}

function makePools(people: readonly Person[]): Map<string, TokenPool> {
  const pool = (count: number): TokenPool => new TokenPool(Array.from({ length: count }, () => `desk-${randomBytes(18).toString('hex')}`));
  return new Map([[APP.botUserId, pool(TOKENS_OF_BOT)], ...people.map((person) => [person.id, pool(TOKENS_OF_PERSON)] as const)]);
}

/**
 * The emulator gives its users random ids; only the bot user of an app may choose one. So each person is seeded as the bot user of an
 * app of their own, and `truth.ts` takes the `is_bot` off again.
 */
function seedOf(settings: DeskSettings, pools: ReadonlyMap<string, TokenPool>): Json {
  const members = [{ id: APP.botUserId, name: APP.name }, ...settings.people];
  return {
    team: { name: TEAM.name, domain: TEAM.domain },
    channels: settings.channels.map((name) => ({ name })),
    oauth_apps: members.map((member) => ({
      app_id: member.id === APP.botUserId ? APP.id : `A${member.id}`,
      client_id: `client-${member.id}`,
      client_secret: randomBytes(18).toString('hex'),
      name: member.name,
      redirect_uris: [],
      bot_id: member.id === APP.botUserId ? APP.botId : `B${member.id}`,
      bot_user_id: member.id,
      bot_name: member.id === APP.botUserId ? APP.botName : member.name.toLowerCase(),
    })),
    tokens: members.flatMap((member) => (pools.get(member.id)?.all() ?? []).map((token) => seedToken(token, member.id))),
  };
}

function seedToken(token: string, userId: string): Json {
  const isApp = userId === APP.botUserId;
  return {
    token,
    type: isApp ? 'bot' : 'user',
    user_id: userId,
    app_id: APP.id,
    ...(isApp ? { bot_id: APP.botId, bot_user_id: APP.botUserId } : {}),
  };
}

/** A free port. The emulator would take one itself, but with a `baseUrl` of ours it does not tell which. */
async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => (address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port is free'))));
    });
  });
}

function connect(address: string, server: { close(): Promise<void> }, pools: ReadonlyMap<string, TokenPool>, botToken: string): Emulator {
  const tokenFor = (userId: string): string => pools.get(userId)?.take() ?? '';
  const ids = new ChannelIds();
  return {
    async call(userId, method, body) {
      const response = await fetch(`${address}/api/${method}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${tokenFor(userId)}` },
        body: ids.toEmulator(JSON.stringify(body)),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      const text = await response.text();
      learnChannels(ids, method, body, text);
      return answerOf(response.status, ids.toDesk(text));
    },
    pass: (path, init) => fetch(`${address}${path}`, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) }),
    userOfToken(token) {
      if (token === botToken) return APP.botUserId;
      return [...pools].find(([, pool]) => pool.all().includes(token))?.[0];
    },
    tokenFor,
    close: () => server.close(),
  };
}

/** The answer as Slack would give it: the emulator answers 404 and 403 with bodies of its own. */
function answerOf(status: number, text: string): Json {
  if (status === 404) return { ok: false, error: 'unknown_method' };
  if (status === 403) return { ok: false, error: 'ratelimited' };
  return asObjectOrJson(text) ?? { ok: false, error: 'internal_error' };
}

/** Channels become known by the list, and when one is made or opened. */
function learnChannels(ids: ChannelIds, method: string, body: Json, text: string): void {
  if (!/^conversations\.(list|create|open)$/.test(method)) return;
  const answer = asObjectOrJson(text);
  for (const item of [...(asArray(answer?.channels) ?? []), answer?.channel]) {
    const channel = asObject(item);
    const name = asText(channel?.name) || asText(body.users);
    const isOurs = !EMULATOR_CHANNELS.has(asText(channel?.id)) && channel?.is_im !== true;
    if (channel && isOurs && name) ids.learn(asText(channel.id), name);
  }
}

/** Lets the app and everybody join the channels, so that ephemeral answers reach them. */
async function joinEverybody(emulator: Emulator, people: readonly Person[]): Promise<void> {
  const list = await emulator.call(APP.botUserId, 'conversations.list', { limit: 1000 });
  const ids = (asArray(list.channels) ?? []).map((channel) => asText(asObject(channel)?.id));
  for (const id of ids) await joinChannel(emulator, people, id);
}

/** At Slack, an app's direct conversation with a person is there before anything was said in it. */
async function greetEverybody(emulator: Emulator, people: readonly Person[]): Promise<void> {
  for (const person of people) await emulator.call(APP.botUserId, 'conversations.open', { users: person.id });
}

/** Lets the app and everybody join one channel. */
export async function joinChannel(emulator: Emulator, people: readonly Person[], channel: string): Promise<void> {
  for (const userId of [APP.botUserId, ...people.map((person) => person.id)]) {
    await emulator.call(userId, 'conversations.join', { channel });
  }
}
