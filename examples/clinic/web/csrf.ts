import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { getCookie, setCookie } from 'hono/cookie';
import { createMiddleware } from 'hono/factory';
import type { Clinic, PageContext, PageEnv } from './clinic.ts';
import { refusal } from './layout.ts';

const COOKIE = 'clinic_form';
const FIELD = 'csrf';

/** Returns the token for the sign-in form: bound to a cookie of this browser, since there is no session to bind it to. */
export function signInToken(c: PageContext, clinic: Clinic): string {
  const nonce = getCookie(c, COOKIE) ?? randomBytes(32).toString('base64url');
  setCookie(c, COOKIE, nonce, { httpOnly: true, sameSite: 'Strict', path: `/${clinic.tenant.id}/login` });
  return sign(clinic, nonce);
}

const sign = (clinic: Clinic, nonce: string) =>
  createHmac('sha256', clinic.formKey).update(`${clinic.tenant.id} ${nonce}`).digest('base64url');

function same(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function expectedToken(c: PageContext, clinic: Clinic): string | undefined {
  const session = c.get('session');
  if (session !== undefined) return session.csrfToken;
  const nonce = getCookie(c, COOKIE);
  return nonce === undefined ? undefined : sign(clinic, nonce);
}

/** Reads the form and lets it pass if its token is this session's (or, before the sign-in, this browser's); else answers 403. */
export const formWithToken = (clinic: Clinic) =>
  createMiddleware<PageEnv>(async (c, next) => {
    const body = await c.req.parseBody();
    const form: Record<string, string> = {};
    for (const [name, value] of Object.entries(body)) if (typeof value === 'string') form[name] = value;
    const expected = expectedToken(c, clinic);
    if (expected === undefined || !same(form[FIELD] ?? '', expected)) {
      const text = 'It was not sent from a page of this clinic, or the page is too old. Open the page again and repeat what you did.';
      return c.html(refusal(clinic.tenant, 'This form was refused', text), 403);
    }
    c.set('form', form);
    await next();
  });
