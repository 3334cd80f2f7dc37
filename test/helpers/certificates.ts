/** Certificates for servers of the loopback, made in the test. */
import { isIP } from 'node:net';
import { generate } from 'selfsigned';

export interface Certificate {
  cert: string;
  key: string;
}

const DAY_MS = 86_400_000;

export interface CertificateOptions {
  /** Days from now, fractions and past days too. */
  fromDays?: number;
  toDays?: number;
  /** The names it is for; the first is its common name. */
  names?: string[];
  /** Who signs it; itself unless said. */
  by?: Certificate;
  /** Bits of an RSA key; an elliptic curve unless said. */
  rsaBits?: number;
  signature?: 'sha1' | 'sha256';
}

/** A server's certificate, for portal.example unless said, that began yesterday and lasts a hundred days. */
export function certificate(options: CertificateOptions = {}): Promise<Certificate> {
  const { names = ['portal.example'] } = options;
  const altNames = names.map((name) => (isIP(name) ? ({ type: 7, ip: name } as const) : ({ type: 2, value: name } as const)));
  return make(names[0] ?? '', options, [{ name: 'subjectAltName', altNames }]);
}

/** An authority's certificate. */
export function authority(name: string, options: CertificateOptions = {}): Promise<Certificate> {
  return make(name, options, [
    { name: 'basicConstraints', cA: true, critical: true },
    { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
  ]);
}

type Extensions = NonNullable<Parameters<typeof generate>[1]>['extensions'];

async function make(commonName: string, options: CertificateOptions, extensions: Extensions): Promise<Certificate> {
  const { fromDays = -1, toDays = 100, by, rsaBits, signature = 'sha256' } = options;
  const nowMs = Date.now();
  const made = await generate([{ name: 'commonName', value: commonName }], {
    notBeforeDate: new Date(nowMs + fromDays * DAY_MS),
    notAfterDate: new Date(nowMs + toDays * DAY_MS),
    algorithm: signature,
    extensions: extensions ?? [],
    ...(rsaBits === undefined ? { keyType: 'ec' as const } : { keyType: 'rsa' as const, keySize: rsaBits }),
    ...(by === undefined ? {} : { ca: { key: by.key, cert: by.cert } }),
  });
  return { cert: `${made.cert.trimEnd()}\n`, key: made.private };
}

/** The certificate with an end that is no date: the second UTCTime in its DER. */
export function withBrokenEnd({ cert, key }: Certificate): Certificate {
  const der = Buffer.from(cert.replaceAll(/-----[A-Z ]+-----/g, ''), 'base64');
  const utcTime = Buffer.from([0x17, 13]);
  const end = der.indexOf(utcTime, der.indexOf(utcTime) + 2);
  der.write('XX', end + 4, 'latin1');
  const body = der.toString('base64').replaceAll(/(.{64})/g, '$1\n');
  return { key, cert: `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n` };
}
