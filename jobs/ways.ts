/** The second ways out: a mail server and a webhook. Addresses and credentials come from the worker's environment and stay in here. */
import { isIP } from 'node:net';
import { createTransport } from 'nodemailer';
import type { Fallback } from '../core/config/model.ts';
import type { Way } from '../core/elsewhere.ts';

/** A server that has not taken it within this is away: over all steps of a mail, too. */
const TIMEOUT_MS = 10_000;

/** What is told, to whom. */
export interface Letter {
  /** Always the same for the same news. */
  id: string;
  /** Of earlier news of the same incident. */
  earlierId?: string;
  subject: string;
  lines: readonly string[];
  facts: Readonly<Record<string, unknown>>;
  to: readonly string[];
  from?: string;
}

/** Thrown by a way that did not succeed. `unclear`: the other side may have it all the same. */
export class NotTold extends Error {
  readonly unclear: boolean;

  constructor(message: string, unclear: boolean) {
    super(message);
    this.unclear = unclear;
  }
}

/** Tells it; returns when the other side has taken it. Throws `NotTold`. */
export type Tell = (letter: Letter) => Promise<void>;

export type Ways = Partial<Record<Way, Tell>>;

export interface WaysOptions {
  smtpUrl?: string | undefined;
  webhookUrl?: string | undefined;
  webhookToken?: string | undefined;
  /** Certificates of authorities to be trusted besides those of the system, for tests. */
  ca?: string;
  /** Whether mail may go without TLS; to a loopback address unless said. */
  plainMail?: boolean;
  /** Of each request. */
  timeoutMs?: number;
}

const SMTP_EXAMPLE = 'expected the address of a mail server such as smtp://user:password@mail.example:587 or smtps://mail.example';
const WEBHOOK_EXAMPLE = 'expected an https address such as https://hooks.example/rounds';

/** The ways that these addresses give. Throws an error that names the variable when one is no address; it never quotes its value. */
export function openWays(options: WaysOptions): Ways {
  return {
    ...(options.smtpUrl ? { email: mailWay(options.smtpUrl, options) } : {}),
    ...(options.webhookUrl ? { webhook: webhookWay(options.webhookUrl, options) } : {}),
  };
}

/** What the configuration asks for and the environment does not give, as a sentence with what to do; `undefined` when all is there. */
export function missingWay(fallback: Fallback | undefined, ways: Ways): string | undefined {
  if (fallback && fallback.email.length > 0 && !ways.email)
    return `rounds.yaml has fallback.email, but ROUNDS_SMTP_URL is not set: ${SMTP_EXAMPLE}.`;
  if (fallback?.webhook && !ways.webhook)
    return `rounds.yaml has fallback.webhook, but ROUNDS_FALLBACK_WEBHOOK is not set: ${WEBHOOK_EXAMPLE}.`;
  return undefined;
}

function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '');
  return bare === 'localhost' || bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'));
}

function mailWay(address: string, { ca, plainMail, timeoutMs = TIMEOUT_MS }: WaysOptions): Tell {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url?.hostname || !['smtp:', 'smtps:'].includes(url.protocol))
    throw new Error(`ROUNDS_SMTP_URL is no such address: ${SMTP_EXAMPLE}.`);
  const secure = url.protocol === 'smtps:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const plain = plainMail ?? isLoopback(host);
  const user = decodeURIComponent(url.username);
  const transport = createTransport({
    host,
    port: Number(url.port) || (secure ? 465 : 587),
    secure,
    // A mail server on this machine has no certificate that anybody could check; any other shows one before it is told a password.
    requireTLS: !plain,
    tls: { ...(ca ? { ca } : {}), rejectUnauthorized: !plain },
    ...(user ? { auth: { user, pass: decodeURIComponent(url.password) } } : {}),
    ...{ connectionTimeout: timeoutMs, greetingTimeout: timeoutMs, socketTimeout: timeoutMs, dnsTimeout: timeoutMs },
    ...{ disableFileAccess: true, disableUrlAccess: true },
  });
  return async (letter) => {
    const from = letter.from ?? (user.includes('@') ? user : `rounds@${domainOf(letter.to[0] ?? 'localhost')}`);
    const sending = transport.sendMail({
      from: { name: 'Rounds', address: from },
      to: [...letter.to],
      subject: letter.subject,
      text: `${letter.lines.join('\n')}\n`,
      messageId: messageId(letter.id, from),
      ...(letter.earlierId ? { references: messageId(letter.earlierId, from), inReplyTo: messageId(letter.earlierId, from) } : {}),
      headers: { 'Auto-Submitted': 'auto-generated' },
    });
    await within(sending, timeoutMs).catch((error: unknown) => {
      throw mailTrouble(error);
    });
  };
}

function messageId(id: string, from: string): string {
  return `<rounds.${id}@${domainOf(from)}>`;
}

function domainOf(address: string): string {
  return address.split('@').at(-1) ?? 'localhost';
}

async function within<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs).unref();
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** Errors of nodemailer from before the text goes out. A time-out and a broken connection are named alike whenever they come. */
const BEFORE_THE_TEXT = new Set(['EDNS', 'EAUTH', 'ENOAUTH', 'ETLS', 'EENVELOPE', 'EREQUIRETLS']);

/** Those of Node: nobody there, or a certificate that is not good. */
const NEVER_BEGUN =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|CERT_)/;

/** What cannot be told is unclear: the careful reading. */
function mailTrouble(error: unknown): NotTold {
  const one = error as { message?: string; code?: string; originalCode?: string; responseCode?: number } | undefined;
  const before = BEFORE_THE_TEXT.has(one?.code ?? '') || NEVER_BEGUN.test(one?.originalCode ?? '');
  return new NotTold(`The mail server did not take it: ${one?.message ?? String(error)}`, one?.responseCode === undefined && !before);
}

function webhookWay(address: string, { webhookToken, timeoutMs = TIMEOUT_MS }: WaysOptions): Tell {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const sound = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname));
  if (!url || !sound) throw new Error(`ROUNDS_FALLBACK_WEBHOOK is no such address: ${WEBHOOK_EXAMPLE}.`);
  return async (letter) => {
    const body = { version: 1, id: letter.id, subject: letter.subject, ...letter.facts, text: letter.lines.join('\n') };
    const headers = {
      'content-type': 'application/json',
      'idempotency-key': letter.id,
      ...(webhookToken ? { authorization: `Bearer ${webhookToken}` } : {}),
    };
    const request = {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
      redirect: 'manual' as const,
      signal: AbortSignal.timeout(timeoutMs),
    };
    const answer = await fetch(url, request).catch((error: unknown) => {
      throw webhookTrouble(error);
    });
    await answer.body?.cancel();
    // Below 500 it was not taken; what comes from a server in trouble, or a proxy before it, may come after it was.
    if (!answer.ok) throw new NotTold(`The webhook answered with HTTP ${answer.status}.`, answer.status >= 500);
  };
}

const NEVER_LEFT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT']);

function webhookTrouble(error: unknown): NotTold {
  const { name, cause } = error as { name?: string; cause?: { code?: string } };
  const code = cause?.code ?? name ?? 'unknown';
  return new NotTold(`The webhook cannot be reached (${code}).`, !NEVER_LEFT.has(code));
}
