/** A real mail server on the loopback, that keeps what it takes and can be made to fail; and a receiver of webhooks. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { SMTPServer } from 'smtp-server';
import type { Certificate } from './certificates.ts';

export interface ReceivedMail {
  from: string;
  to: string[];
  /** As it stands in the mail, unfolded, by its name in small letters. */
  headers: Map<string, string>;
  text: string;
  secure: boolean;
  user?: string;
}

export interface TestMail {
  port: number;
  received: ReceivedMail[];
  /** Refuses the next mails, after their text, with that answer. */
  refuse(times: number, code?: number): void;
  /** Takes the next mail and never answers. */
  swallow(): void;
  close(): Promise<void>;
}

export interface MailOptions {
  certificate?: Certificate;
  /** Offers no STARTTLS. */
  plain?: boolean;
  /** `user:password` that it takes; anybody unless said. */
  account?: string;
  port?: number;
}

/** Starts it; `close` breaks off whatever is open. */
export async function startMail({ certificate, plain = false, account, port = 0 }: MailOptions = {}): Promise<TestMail> {
  const received: ReceivedMail[] = [];
  let refusals = { left: 0, code: 451 };
  let swallows = false;
  const server = new SMTPServer({
    ...(certificate ? { key: certificate.key, cert: certificate.cert } : {}),
    disabledCommands: plain ? ['STARTTLS'] : [],
    authOptional: account === undefined,
    allowInsecureAuth: plain,
    onAuth: (auth, _session, done) =>
      `${auth.username}:${auth.password}` === account ? done(null, { user: auth.username ?? '' }) : done(new Error('wrong password')),
    onData: (stream, session, done) => {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => {
        if (refusals.left-- > 0) return done(Object.assign(new Error('try later'), { responseCode: refusals.code }));
        const { mailFrom, rcptTo } = session.envelope;
        const to = rcptTo.map((one) => one.address);
        const user = typeof session.user === 'string' ? { user: session.user } : {};
        received.push({
          ...parse(Buffer.concat(parts).toString()),
          from: mailFrom ? mailFrom.address : '',
          to,
          secure: session.secure,
          ...user,
        });
        if (swallows) swallows = false;
        else done();
      });
    },
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', () => resolve()));
  return {
    port: (server.server.address() as AddressInfo).port,
    received,
    refuse: (times, code = 451) => {
      refusals = { left: times, code };
    },
    swallow: () => {
      swallows = true;
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** Headers and the decoded text of a plain mail. */
function parse(raw: string): Pick<ReceivedMail, 'headers' | 'text'> {
  const end = raw.indexOf('\r\n\r\n');
  const head = raw.slice(0, end).replaceAll(/\r\n[ \t]+/g, ' ');
  const headers = new Map(
    head.split('\r\n').map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), decoded(line.slice(line.indexOf(':') + 2))]),
  );
  const body = raw.slice(end + 4);
  const encoding = headers.get('content-transfer-encoding') ?? '';
  if (encoding === 'base64') return { headers, text: Buffer.from(body, 'base64').toString() };
  return { headers, text: encoding === 'quoted-printable' ? unquoted(body.replaceAll('=\r\n', '')) : body };
}

/** Words as RFC 2047 has them. */
function decoded(value: string): string {
  return value
    .replaceAll(/\?=\s+=\?/g, '?==?')
    .replaceAll(/=\?UTF-8\?([BQ])\?(.*?)\?=/gi, (_all, kind: string, text: string) =>
      kind.toUpperCase() === 'B' ? Buffer.from(text, 'base64').toString('latin1') : latin(text.replaceAll('_', ' ')),
    )
    .replace(/^[\s\S]*$/, (text) => (/[\u0080-\u00ff]/.test(text) ? Buffer.from(text, 'latin1').toString() : text));
}

function latin(text: string): string {
  return text.replaceAll(/=([0-9A-F]{2})/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function unquoted(text: string): string {
  return Buffer.from(latin(text), 'latin1').toString();
}

export interface ReceivedHook {
  headers: IncomingHttpHeaders;
  body: Record<string, unknown>;
}

export interface TestHook {
  url: string;
  received: ReceivedHook[];
  /** Answers the next requests so; 0: takes it and breaks off. */
  answer(...statuses: number[]): void;
  close(): Promise<void>;
}

/** A receiver of webhooks. */
export async function startHook(): Promise<TestHook> {
  const received: ReceivedHook[] = [];
  const planned: number[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const status = planned.shift() ?? 200;
      if (status < 400) received.push({ headers: request.headers, body: JSON.parse(Buffer.concat(parts).toString()) });
      if (status === 0) return void (request.socket as Socket).destroy();
      response.writeHead(status, status >= 300 && status < 400 ? { location: 'http://127.0.0.1:1/' } : {}).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    answer: (...statuses) => void planned.push(...statuses),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
