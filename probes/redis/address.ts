/** The address of a Redis, taken apart. */
import { isIP } from 'node:net';
import { AgentFault } from '../probe.ts';

export interface Address {
  host: string;
  port: number;
  /** `rediss://`: TLS from the first byte. */
  secure: boolean;
  username?: string;
  password?: string;
  database: number;
  /** `redis.example:6379`, to be said to people: never the login. */
  name: string;
}

const EXPECTED =
  'The url is no redis:// or rediss:// address, such as redis://user:password@redis.example:6379/0, once its secret is filled in.';

/** Takes the address apart. Throws `AgentFault`, which never quotes it: it may hold a password. */
export function addressOf(url: string): Address {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const database = /^\/?(\d{0,5})$/.exec(parsed?.pathname ?? '?')?.[1];
  if (!parsed || !/^rediss?:$/.test(parsed.protocol) || parsed.hostname === '' || database === undefined)
    throw new AgentFault('parameters', EXPECTED);
  if (parsed.search !== '' || parsed.hash !== '') {
    throw new AgentFault('parameters', 'The url of a Redis ends after the number of its database: "?" and "#" are not understood.');
  }
  const port = Number(parsed.port || 6379);
  const host = parsed.hostname.replaceAll(/^\[|\]$/g, '');
  return {
    host,
    port,
    secure: parsed.protocol === 'rediss:',
    ...login(parsed),
    database: Number(database),
    name: `${isIP(host) === 6 ? `[${host}]` : host}:${port}`,
  };
}

function login(parsed: URL): Pick<Address, 'username' | 'password'> {
  try {
    const [username, password] = [decodeURIComponent(parsed.username), decodeURIComponent(parsed.password)];
    return { ...(username === '' ? {} : { username }), ...(password === '' ? {} : { password }) };
  } catch {
    throw new AgentFault('parameters', 'User or password in the url hold a "%" that stands for no character: write it as %25.');
  }
}
