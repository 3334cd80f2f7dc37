import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/** The setting that Node ships: 16 MiB and some 50 ms for each sign-in. A clinic with real users would take more. */
const COST = { N: 2 ** 14, r: 8, p: 1 };
const KEY_BYTES = 32;

function derive(password: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFKC'), salt, KEY_BYTES, COST, (error, key) => (error ? reject(error) : resolve(key)));
  });
}

/** Returns the salted scrypt hash of a password, as `salt.key` in base64url. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(password, salt);
  return `${salt.toString('base64url')}.${key.toString('base64url')}`;
}

const NOBODY = `${Buffer.alloc(16).toString('base64url')}.${Buffer.alloc(KEY_BYTES).toString('base64url')}`;

/** Returns whether the password belongs to the hash. Without a hash (no such user) it takes as long and returns false. */
export async function passwordMatches(password: string, hash: string | undefined): Promise<boolean> {
  const [salt = '', key = ''] = (hash ?? NOBODY).split('.');
  const derived = await derive(password, Buffer.from(salt, 'base64url'));
  const expected = Buffer.from(key, 'base64url');
  return expected.length === derived.length && timingSafeEqual(expected, derived) && hash !== undefined;
}
