/** What a page says when the database did not do what it was asked, and under which status. */

export interface Failure {
  status: 500 | 503 | 504;
  text: string;
}

const UNREACHABLE: Failure = { status: 503, text: 'The database of this clinic cannot be reached.' };

/** SQL states, longest match first. See appendix A of the PostgreSQL manual. */
const BY_SQL_STATE: readonly (readonly [string, Failure])[] = [
  ['55P03', { status: 503, text: 'Somebody else holds what it needs: waited 12 s for a lock in the database.' }],
  ['57014', { status: 504, text: 'The database did not finish within 15 s.' }],
  ['42501', { status: 500, text: 'The database does not permit the clinic to write this.' }],
  ['22', { status: 500, text: 'A value in the database cannot be read.' }],
  ['08', UNREACHABLE],
  ['28', UNREACHABLE],
  ['53', UNREACHABLE],
  ['57', UNREACHABLE],
];

/** Returns what to show for an error of a page. Never the error's own text: it may hold what patients entered. */
export function failureOf(error: unknown): Failure {
  const { code, message } = error as { code?: unknown; message?: unknown };
  const known = typeof code === 'string' ? BY_SQL_STATE.find(([state]) => code.startsWith(state)) : undefined;
  if (known) return known[1];
  // Without an SQL state the driver never reached the server, or lost it.
  const lost = (typeof code === 'string' && /^E[A-Z]+$/.test(code)) || /connect|terminated/i.test(String(message));
  return lost ? UNREACHABLE : { status: 500, text: 'The page could not be made.' };
}
