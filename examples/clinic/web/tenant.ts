import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Clinic, PageEnv } from './clinic.ts';
import { formWithToken } from './csrf.ts';
import { failureOf } from './failures.ts';
import { refusal } from './layout.ts';
import { appointmentPages } from './pages/appointments.ts';
import { dayPages } from './pages/day.ts';
import { invoicePages } from './pages/invoices.ts';
import { patientPages } from './pages/patients.ts';
import { reportPages } from './pages/report.ts';
import { signInPages, signOutPages } from './pages/sign-in.ts';
import { signedInOnly } from './session.ts';

/** No form here is longer than a few hundred characters. */
const FORM_BYTES = 16_384;

/** Returns the pages of one clinic, to be mounted under its path. */
export function tenantPages(clinic: Clinic): Hono<PageEnv> {
  const app = new Hono<PageEnv>();
  app.onError((error, c) => {
    const { status, text } = failureOf(error);
    const headline = c.get('ifItFails') ?? (status === 503 ? `${clinic.tenant.title} is not available` : 'This did not work');
    const { code } = error as { code?: string };
    clinic.log.warn({ tenant: clinic.tenant.id, path: c.req.path, status, code: code ?? error.name }, 'A page failed.');
    return c.html(refusal(clinic.tenant, headline, text), status);
  });
  app.get('/health', async (c) => {
    await clinic.db.query('SELECT 1');
    return c.json({ status: 'ok', tenant: clinic.tenant.id });
  });
  // What patients are called stays out of the browser's cache.
  app.use(async (c, next) => {
    await next();
    c.header('cache-control', 'no-store');
  });
  app.use(bodyLimit({ maxSize: FORM_BYTES }));
  app.route('/login', signInPages(clinic));
  app.use(signedInOnly(clinic));
  app.post('*', formWithToken(clinic));
  app.get('/', (c) => c.redirect(`/${clinic.tenant.id}/day`, 303));
  for (const pages of [signOutPages, dayPages, patientPages, appointmentPages, invoicePages, reportPages]) app.route('/', pages(clinic));
  return app;
}
