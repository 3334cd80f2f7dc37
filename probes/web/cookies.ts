/**
 * The cookies of one run, in memory: each goes back to the host that set it (or, with `Domain`, to the hosts below it), as RFC 6265
 * says. A run lasts seconds, so expiry matters only where it deletes.
 */

interface Cookie {
  name: string;
  value: string;
  domain: string;
  hostOnly: boolean;
  path: string;
  secure: boolean;
}

/** What a browser keeps at least for one site, and far more than a check needs. */
const MAX_COOKIES = 50;
const MAX_COOKIE_CHARACTERS = 4096;
const MIN_SESSION_CHARACTERS = 8;

export class CookieJar {
  readonly #cookies = new Map<string, Cookie>();

  /** Takes what an answer from this address sets, and drops what it deletes. */
  take(url: URL, setCookie: readonly string[]): void {
    for (const line of setCookie) {
      const found = line.length > MAX_COOKIE_CHARACTERS ? undefined : cookieOf(line, url);
      if (!found) continue;
      const key = `${found.cookie.name};${found.cookie.domain};${found.cookie.path}`;
      this.#cookies.delete(key);
      if (!found.deleted && this.#cookies.size < MAX_COOKIES) this.#cookies.set(key, found.cookie);
    }
  }

  /** The `Cookie` header for a request to this address; `undefined` when none of the cookies is for it. */
  headerFor(url: URL): string | undefined {
    const fitting = [...this.#cookies.values()].filter((cookie) => isFor(cookie, url));
    if (fitting.length === 0) return undefined;
    fitting.sort((a, b) => b.path.length - a.path.length);
    return fitting.map(({ name, value }) => `${name}=${value}`).join('; ');
  }

  /** The values that may be sessions, which are secret; shorter ones are settings such as a language. */
  secrets(): string[] {
    return [...this.#cookies.values()].map(({ value }) => value).filter((value) => value.length >= MIN_SESSION_CHARACTERS);
  }
}

function cookieOf(line: string, url: URL): { cookie: Cookie; deleted: boolean } | undefined {
  const [pair = '', ...rest] = line.split(';');
  const cut = pair.indexOf('=');
  if (cut < 1) return undefined;
  const attributes = new Map(rest.map((attribute) => attributeOf(attribute)));
  const domain = attributes.get('domain')?.replace(/^\./, '').toLowerCase();
  // A cookie for somebody else, or for a whole top level, is refused.
  if (domain && (!domain.includes('.') || !isBelow(url.hostname, domain)) && domain !== url.hostname) return undefined;
  const path = attributes.get('path');
  const cookie = {
    name: pair.slice(0, cut).trim(),
    value: pair.slice(cut + 1).trim(),
    domain: domain || url.hostname,
    hostOnly: !domain,
    path: path?.startsWith('/') ? path : folderOf(url.pathname),
    secure: attributes.has('secure'),
  };
  return { cookie, deleted: isOver(attributes) };
}

function attributeOf(attribute: string): [name: string, value: string] {
  const cut = attribute.indexOf('=');
  const name = cut < 0 ? attribute : attribute.slice(0, cut);
  return [name.trim().toLowerCase(), cut < 0 ? '' : attribute.slice(cut + 1).trim()];
}

function isOver(attributes: ReadonlyMap<string, string>): boolean {
  const maxAge = attributes.get('max-age');
  if (maxAge !== undefined && /^-?\d+$/.test(maxAge)) return Number(maxAge) <= 0;
  // An expiry that cannot be read is no expiry.
  return Date.parse(attributes.get('expires') ?? '') <= Date.now();
}

function isFor(cookie: Cookie, url: URL): boolean {
  if (cookie.secure && url.protocol !== 'https:') return false;
  if (url.hostname !== cookie.domain && (cookie.hostOnly || !isBelow(url.hostname, cookie.domain))) return false;
  return url.pathname === cookie.path || url.pathname.startsWith(cookie.path.endsWith('/') ? cookie.path : `${cookie.path}/`);
}

/** Never for bare addresses: `0.0.1` is no parent of `127.0.0.1`. */
function isBelow(host: string, domain: string): boolean {
  return host.endsWith(`.${domain}`) && !/^[\d.]+$/.test(host);
}

function folderOf(path: string): string {
  const end = path.lastIndexOf('/');
  return end < 1 ? '/' : path.slice(0, end);
}
