/** A request as somebody wants it, and the last answer of the redirects that it leads to. */
import { TargetTrouble } from '../deadline.ts';
import { AgentFault } from '../probe.ts';
import type { TlsOptions } from '../tls/options.ts';
import { ENCODINGS } from './body.ts';
import type { CookieJar } from './cookies.ts';
import { type Answer, type ExchangeContext, type ExchangeOptions, exchange, type Phases } from './exchange.ts';

/** As browsers are far more patient, five redirects are enough for a login page and too many for a health check. */
const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** Servers wait for a body after these unless they are told that there is none. */
const WITH_BODY = new Set(['POST', 'PUT', 'PATCH']);

/** What is asked for. References are filled in. */
export interface Wish {
  url: URL;
  method: string;
  headers: Readonly<Record<string, string>>;
  body?: string | undefined;
  redirects: 'follow' | 'stay';
  tls: TlsOptions;
}

export interface VisitContext extends ExchangeContext {
  traceparent: string;
  jar: CookieJar;
}

/** The address of a request. Throws `AgentFault` `parameters` when it is none; what it says may be secret and is not quoted. */
export function addressOf(url: string): URL {
  const address = URL.parse(url);
  if (address?.protocol === 'http:' || address?.protocol === 'https:') return address;
  throw new AgentFault('parameters', 'The url is no http or https address once its secret is filled in.');
}

/**
 * The last answer of a chain of redirects; the phases of all of them are added up in `phases`. Throws {@link TargetTrouble} `redirect`
 * for more than five or for one that leads nowhere, and whatever {@link exchange} throws.
 */
export async function visit(wish: Wish, context: VisitContext, phases: Phases): Promise<Answer> {
  let { url, method, body } = wish;
  for (let hops = 0; ; hops++) {
    const answer = await exchange(requestOf(wish, { url, method, body }, context), context, phases);
    const cookies = answer.headers['set-cookie'];
    if (cookies) context.jar.take(url, cookies);
    const { location } = answer.headers;
    if (wish.redirects === 'stay' || location === undefined || !REDIRECTS.has(answer.status)) return answer;
    if (hops === MAX_REDIRECTS) throw new TargetTrouble('redirect', `more than ${MAX_REDIRECTS} redirects`);
    url = redirected(location, url);
    // As browsers do after a form was sent, so that nothing is sent twice.
    if (answer.status < 307 && method !== 'HEAD') [method, body] = ['GET', undefined];
  }
}

function redirected(location: string, from: URL): URL {
  const url = URL.parse(location, from);
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new TargetTrouble('redirect', 'the redirect leads to no http or https address');
}

/**
 * Another origin gets neither the headers, nor the body, nor the certificate that were meant for the first one: they may hold secrets.
 * Its certificate is held against its own name, and is never taken unseen.
 */
function requestOf(wish: Wish, { url, method, body }: Pick<Wish, 'url' | 'method' | 'body'>, context: VisitContext): ExchangeOptions {
  if (url !== wish.url && url.origin !== wish.url.origin) {
    return { url, method, headers: headersOf(url, {}, undefined, method, context), tls: { ca: wish.tls.ca } };
  }
  const address = url === wish.url ? url : withLogin(url, wish.url);
  const headers = headersOf(address, wish.headers, body, method, context);
  return { url, method, headers, body, tls: wish.tls, virtualHost: hostNamed(wish.headers) };
}

/** A redirect names its address without the login that stands in ours. */
function withLogin(url: URL, from: URL): URL {
  const address = new URL(url);
  address.username = from.username;
  address.password = from.password;
  return address;
}

/** All that is sent, as names and values by turns; what the check says itself goes before what is said unless told otherwise. */
function headersOf(
  url: URL,
  own: Readonly<Record<string, string>>,
  body: string | undefined,
  method: string,
  { traceparent, jar }: VisitContext,
): string[] {
  const headers: string[] = [];
  const names = Object.keys(own);
  const said = names.length === 0 ? undefined : new Set(names.map((name) => name.toLowerCase()));
  const unlessSaid = (name: string, value: string) => {
    if (!said?.has(name)) headers.push(name, value);
  };
  unlessSaid('host', url.host);
  unlessSaid('user-agent', 'rounds');
  unlessSaid('accept', '*/*');
  unlessSaid('accept-encoding', ENCODINGS);
  unlessSaid('traceparent', traceparent);
  unlessSaid('connection', 'close');
  if (url.username !== '' || url.password !== '') unlessSaid('authorization', basic(url));
  const cookie = jar.headerFor(url);
  for (const name of names) {
    const value = own[name] ?? '';
    headers.push(name, cookie !== undefined && name.toLowerCase() === 'cookie' ? `${value}; ${cookie}` : value);
  }
  if (cookie !== undefined) unlessSaid('cookie', cookie);
  if (!said?.has('transfer-encoding') && (body !== undefined || WITH_BODY.has(method))) {
    unlessSaid('content-length', String(Buffer.byteLength(body ?? '')));
  }
  return headers;
}

function basic({ username, password }: URL): string {
  return `Basic ${Buffer.from(`${decoded(username)}:${decoded(password)}`).toString('base64')}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function hostNamed(headers: Readonly<Record<string, string>>): string | undefined {
  const name = Object.keys(headers).find((one) => one.toLowerCase() === 'host');
  const host = name === undefined ? undefined : headers[name];
  return host === undefined ? undefined : URL.parse(`http://${host}`)?.hostname;
}
