import { readFile } from 'node:fs/promises';
import { Hono } from 'hono';
import { html } from 'hono/html';
import { secureHeaders } from 'hono/secure-headers';
import type { Clinic } from './clinic.ts';
import { layout, refusal } from './layout.ts';
import { tenantPages } from './tenant.ts';

/** Returns the public web application: a list of the clinics, their pages, and `/health`. */
export async function publicApp(clinics: readonly Clinic[]): Promise<Hono> {
  const style = await readFile(new URL('./style.css', import.meta.url), 'utf8');
  const app = new Hono();
  app.use(
    secureHeaders({
      contentSecurityPolicy: {
        defaultSrc: ["'none'"],
        styleSrc: ["'self'"],
        imgSrc: ['data:'],
        formAction: ["'self'"],
        baseUri: ["'none'"],
      },
      // Served on loopback without TLS.
      strictTransportSecurity: false,
    }),
  );
  app.get('/style.css', (c) => c.body(style, 200, { 'content-type': 'text/css; charset=utf-8', 'cache-control': 'max-age=300' }));
  app.get('/health', async (c) => {
    const states = await Promise.all(clinics.map(health));
    const down = states.filter((state) => state.status !== 'ok');
    return c.json({ status: down.length === 0 ? 'ok' : 'down', clinics: states }, down.length === 0 ? 200 : 503);
  });
  app.get('/', (c) => c.html(layout({ title: 'Choose a clinic', body: welcome(clinics) })));
  for (const clinic of clinics) app.route(`/${clinic.tenant.id}`, tenantPages(clinic));
  app.notFound((c) => c.html(refusal(undefined, 'There is no such page', `The sample has no page ${c.req.path}.`), 404));
  return app;
}

async function health(clinic: Clinic): Promise<{ tenant: string; status: 'ok' | 'down' }> {
  const answer = await clinic.db.query('SELECT 1').catch(() => undefined);
  return { tenant: clinic.tenant.id, status: answer === undefined ? 'down' : 'ok' };
}

function welcome(clinics: readonly Clinic[]) {
  return html`<h1>Choose a clinic</h1>
    <ul class="clinics">
      ${clinics.map(({ tenant }) => html`<li><a href="/${tenant.id}/login">${tenant.title}</a></li>`)}
    </ul>`;
}
