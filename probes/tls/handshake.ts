/** The handshake, with everything that a server can get wrong let through, so that it can be told. */
import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { connect as connectTls, type SecureContext, type TLSSocket } from 'node:tls';
import { codeOf, TargetTrouble } from '../deadline.ts';
import type { Link } from '../net/connect.ts';
import { sentWith } from './chain.ts';

export interface Shown {
  /** The server's own certificate. */
  leaf: X509Certificate;
  /** What else it sent, in its order. */
  sent: X509Certificate[];
  /** OpenSSL's code for a chain that it does not accept; `undefined` for one that it does. Names are not compared. */
  refusal?: string;
  /** `TLSv1.3` */
  protocol: string;
}

export interface HandshakeOptions {
  /** Sent as server name, unless it is an address. */
  serverName: string;
  /** Who is trusted; see {@link lenientContext}. */
  context: SecureContext;
}

/**
 * Shakes hands and returns what the server showed. Certificates and protocol versions that are not acceptable are no error here.
 * Throws {@link TargetTrouble} `tls` when there is no handshake, and whatever breaks the connection.
 */
export async function shakeHands(link: Link, { serverName, context }: HandshakeOptions): Promise<Shown> {
  const socket = connectTls({
    socket: link.socket,
    ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
    secureContext: context,
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
  });
  try {
    const secure = new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', resolve);
      socket.on('error', (error) => reject(handshakeTrouble(error, link.name)));
    });
    await link.during('no TLS handshake', secure);
    return shownBy(socket, link.name);
  } finally {
    socket.destroy();
  }
}

function shownBy(socket: TLSSocket, name: string): Shown {
  const leaf = socket.getPeerX509Certificate();
  if (!leaf) throw new TargetTrouble('tls', `${name} shows no certificate`);
  const sent = sentWith(leaf);
  const protocol = socket.getProtocol() ?? 'none';
  return socket.authorized ? { leaf, sent, protocol } : { leaf, sent, protocol, refusal: refusalOf(socket.authorizationError) };
}

/** Typed as an error, and in truth the code of one. */
function refusalOf(error: unknown): string {
  return typeof error === 'string' ? error : codeOf(error) || 'unknown reason';
}

function handshakeTrouble(error: Error, name: string): unknown {
  const code = codeOf(error);
  if (!code.startsWith('ERR_SSL_') && code !== 'EPROTO') return error;
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH|HTTP_REQUEST|UNKNOWN_PROTOCOL/.test(code)) {
    return new TargetTrouble('tls', `${name} does not speak TLS`);
  }
  const reason = /ALERT_(\w+)$/.exec(code)?.[1] ?? code.slice('ERR_SSL_'.length);
  return new TargetTrouble('tls', `${name} breaks the TLS handshake off (${reason.toLowerCase().replaceAll('_', ' ')})`);
}
