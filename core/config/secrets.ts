/** Finds secrets that stand in the file. They belong into the agent's own environment; here stands only their name. */
import type { Path } from './problems.ts';
import { withoutReferences } from './references.ts';

export const SECRET_IN_FILE = `write \${secret:NAME}; secrets never stand in the file`;

/** `adminPassword`, `api_key`, `client-secret`: the last word of the key decides. */
const SECRET_KEY = /(?:^|[a-z_-])(?:password|passwd|passphrase|token|secret|bearer|apikey|api[_-]?key|privatekey|private[_-]?key)$/i;

/** Headers that carry a scheme before the secret: `Authorization: Bearer ${secret:X}`. */
const SECRET_HEADER = /^(?:authorization|proxy-authorization|cookie|x-api-key|x-auth-token)$/i;

/** `https://user:password@host`. References were replaced before by a character that no address holds. */
const USER_INFO = /[a-z][a-z0-9+.-]*:\/\/[^/?#\s@]*:([^/?#\s]+)@/i;

/** `?password=…`, `&token=…`, and the same in a connection string or in the body of a form. */
const ASSIGNMENT = /(?:^|[?&;\s])(?:password|passwd|pwd|token|access_token|api_?key|client_secret|secret)=([^&;\s]+)/i;

const FILLER = '\u0001';

/** Whether the value under this key is a secret that is written out. Never true for a value that is only references. */
export function isWrittenSecret(key: string, value: unknown): boolean {
  if (typeof value === 'number') return SECRET_KEY.test(key);
  if (typeof value !== 'string' || value === '') return false;
  const rest = withoutReferences(value, FILLER);
  if (SECRET_KEY.test(key)) return rest.replaceAll(FILLER, '') !== '';
  if (SECRET_HEADER.test(key)) return !rest.includes(FILLER);
  return [USER_INFO, ASSIGNMENT].some((form) => {
    const found = form.exec(rest)?.[1];
    return found !== undefined && found.replaceAll(FILLER, '') !== '';
  });
}

/** Calls back for each text, number or truth value below `value`, with its path and the key it stands under. */
export function eachScalar(value: unknown, path: Path, visit: (path: Path, key: string, value: unknown) => void): void {
  if (typeof value === 'object' && value !== null) {
    for (const [key, entry] of Object.entries(value)) eachScalar(entry, [...path, Array.isArray(value) ? Number(key) : key], visit);
    return;
  }
  const key = path.findLast((segment) => typeof segment === 'string');
  visit(path, typeof key === 'string' ? key : '', value);
}

/** Whether a value may be quoted in a message about it. */
export function mayBeShown(key: string, value: unknown): boolean {
  if (SECRET_KEY.test(key) || SECRET_HEADER.test(key)) return typeof value === 'object' || typeof value === 'boolean';
  return !isWrittenSecret(key, value);
}
