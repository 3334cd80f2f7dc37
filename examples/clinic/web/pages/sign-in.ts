import { Hono } from 'hono';
import { html } from 'hono/html';
import type { Clinic, PageContext, PageEnv } from '../clinic.ts';
import { formWithToken, signInToken } from '../csrf.ts';
import { alertBox, layout, type Markup, tokenField } from '../layout.ts';
import { passwordMatches } from '../password.ts';
import { closeSession, findUser, openSession } from '../session.ts';

/** Returns the sign-in page. Opening it asks the database: a clinic that is away says so before somebody types a password. */
export function signInPages(clinic: Clinic): Hono<PageEnv> {
  const app = new Hono<PageEnv>();
  app.get('/', async (c) => {
    await clinic.db.query('SELECT 1');
    return c.html(signInPage(c, clinic));
  });
  app.post('/', formWithToken(clinic), async (c) => {
    c.set('ifItFails', 'Sign-in failed');
    const { user: name = '', password = '' } = c.get('form');
    const user = await findUser(clinic.db, name);
    if (!(await passwordMatches(password, user?.passwordHash)) || user === undefined) {
      return c.html(signInPage(c, clinic, alertBox('Sign-in failed', 'The user name or the password is wrong.')), 401);
    }
    await openSession(c, clinic, user);
    return c.redirect(`/${clinic.tenant.id}/day`, 303);
  });
  return app;
}

/** Returns the action behind "Sign out". */
export function signOutPages(clinic: Clinic): Hono<PageEnv> {
  return new Hono<PageEnv>().post('/logout', async (c) => {
    await closeSession(c, clinic);
    return c.redirect(`/${clinic.tenant.id}/login`, 303);
  });
}

function signInPage(c: PageContext, clinic: Clinic, alert?: Markup): Markup {
  const body = html`<form class="card narrow" method="post" action="/${clinic.tenant.id}/login">
    <h1>Sign in</h1>
    ${alert ?? ''} ${tokenField(signInToken(c, clinic))}
    <label for="user">User name</label>
    <input id="user" name="user" autocomplete="username" required maxlength="100" />
    <label for="password">Password</label>
    <input id="password" name="password" type="password" autocomplete="current-password" required maxlength="200" />
    <button>Sign in</button>
  </form>`;
  return layout({ tenant: clinic.tenant, title: 'Sign in', body });
}
