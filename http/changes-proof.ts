/** Whether a request comes from somebody who has the token, by whichever proof its sender knows. Every comparison takes the same time. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md: "some allowable tolerance" of a few minutes. */
const TOLERANCE_MS = 5 * 60_000;
/** More than these than any sender has of keys at a time. */
const MOST_SIGNATURES = 5;
/** Of the prefix that Standard Webhooks gives to secrets; the rest is the key in base64. */
const ENCODED_KEY = 'whsec_';

type Headers = (name: string) => string | undefined;

/** The token itself, in a header: `Authorization: Bearer` or GitLab's `X-Gitlab-Token`. */
export function hasToken(header: Headers, token: string): boolean {
  const bearer = /^Bearer +(\S+)$/i.exec(header('authorization') ?? '')?.[1];
  const given = [bearer, header('x-gitlab-token')].filter((one) => one !== undefined);
  return given.some((one) => equal(one, token));
}

/** Whether there is a signature of the body to be looked at. */
export function isSigned(header: Headers): boolean {
  return ['x-hub-signature-256', 'x-signature', 'webhook-signature'].some((name) => header(name) !== undefined);
}

/**
 * The body signed with the token: GitHub's `X-Hub-Signature-256`, `X-Signature` of Flux (both `sha256=` and the HMAC in hexadecimal), or
 * GitLab's `webhook-signature` (Standard Webhooks, with the time in it).
 */
export function hasSignature(header: Headers, body: Uint8Array, token: string, nowMs: number): boolean {
  const plain = ['x-hub-signature-256', 'x-signature'].map((name) => header(name)).filter((one) => one !== undefined);
  if (plain.length > 0) {
    const expected = `sha256=${createHmac('sha256', token).update(body).digest('hex')}`;
    if (plain.some((one) => equal(one.toLowerCase(), expected))) return true;
  }
  return hasStandardSignature(header, body, token, nowMs);
}

function hasStandardSignature(header: Headers, body: Uint8Array, token: string, nowMs: number): boolean {
  const [id, seconds, signatures] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => header(name));
  if (!id || !seconds || !signatures || !/^\d{1,12}$/.test(seconds)) return false;
  const key = token.startsWith(ENCODED_KEY) ? Buffer.from(token.slice(ENCODED_KEY.length), 'base64') : Buffer.from(token);
  const digest = createHmac('sha256', key).update(`${id}.${seconds}.`).update(body).digest('base64');
  const given = signatures.split(' ', MOST_SIGNATURES);
  const matches = given.some((one) => equal(one, `v1,${digest}`));
  return matches && Math.abs(nowMs - Number(seconds) * 1000) <= TOLERANCE_MS;
}

/** By their digests, which are of one length whatever was given. */
function equal(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
