import { createHash, randomBytes } from 'node:crypto';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { createMiddleware } from 'hono/factory';
import type pg from 'pg';
import type { Clinic, PageContext, PageEnv } from './clinic.ts';

const COOKIE = 'clinic_session';
const SESSION_SECONDS = 30 * 60;
/** The monitor signs in all day and seldom signs out when something is broken. */
const KEPT_SESSIONS = 50;

export interface Session {
  userId: number;
  userName: string;
  synthetic: boolean;
  csrfToken: string;
}

export interface User {
  id: number;
  name: string;
  passwordHash: string;
  synthetic: boolean;
}

const hashOf = (token: string) => createHash('sha256').update(token).digest();

/** Returns the user of that name, or `undefined`. */
export async function findUser(db: pg.Pool, name: string): Promise<User | undefined> {
  const found = await db.query<User>('SELECT id, name, password_hash AS "passwordHash", synthetic FROM users WHERE name = $1', [name]);
  return found.rows[0];
}

/** Opens a session of 30 minutes in the database and hands its token to the browser. Older sessions beyond 50 of the same user end. */
export async function openSession(c: PageContext, clinic: Clinic, user: User): Promise<void> {
  const token = randomBytes(32).toString('base64url');
  await clinic.db.query(
    `INSERT INTO sessions (token_hash, user_id, csrf_token, expires_at) VALUES ($1, $2, $3, now() + make_interval(secs => $4))`,
    [hashOf(token), user.id, randomBytes(32).toString('base64url'), SESSION_SECONDS],
  );
  await clinic.db.query(
    `DELETE FROM sessions WHERE expires_at < now() OR user_id = $1 AND created_at <
       (SELECT created_at FROM sessions WHERE user_id = $1 ORDER BY created_at DESC OFFSET $2 LIMIT 1)`,
    [user.id, KEPT_SESSIONS - 1],
  );
  setCookie(c, COOKIE, token, { httpOnly: true, sameSite: 'Lax', path: `/${clinic.tenant.id}`, maxAge: SESSION_SECONDS });
}

/** Ends the session of this browser, in the database too. */
export async function closeSession(c: PageContext, clinic: Clinic): Promise<void> {
  const token = deleteCookie(c, COOKIE, { path: `/${clinic.tenant.id}` });
  if (token) await clinic.db.query('DELETE FROM sessions WHERE token_hash = $1', [hashOf(token)]);
}

/** Lets only those pass who are signed in; sends everybody else to the sign-in page. */
export const signedInOnly = (clinic: Clinic) =>
  createMiddleware<PageEnv>(async (c, next) => {
    const token = getCookie(c, COOKIE);
    const session = token === undefined ? undefined : await findSession(clinic.db, token);
    if (session === undefined) return c.redirect(`/${clinic.tenant.id}/login`, 303);
    c.set('session', session);
    await next();
  });

async function findSession(db: pg.Pool, token: string): Promise<Session | undefined> {
  const found = await db.query<Session>(
    `SELECT u.id AS "userId", u.name AS "userName", u.synthetic, s.csrf_token AS "csrfToken"
     FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.token_hash = $1 AND s.expires_at > now()`,
    [hashOf(token)],
  );
  return found.rows[0];
}
