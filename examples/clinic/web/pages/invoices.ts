import { Hono } from 'hono';
import { html } from 'hono/html';
import * as z from 'zod';
import { confirmInvoice, draftInvoice, findInvoice, newestInvoices, registerPayment } from '../../data/invoices.ts';
import { listPatients } from '../../data/records.ts';
import type { Clinic, PageContext, PageEnv } from '../clinic.ts';
import { alertBox, layout, type Markup, refusal } from '../layout.ts';
import { invoiceForm, invoiceList, invoiceView } from './invoice-views.ts';

const formSchema = z.object({
  patient: z.coerce.number('Choose a patient.').int().positive().max(2_000_000_000),
  description: z.string('Enter what was done.').trim().min(1, 'Enter what was done.').max(200, 'Keep it under 200 characters.'),
  amount: z.string('Enter an amount.').regex(/^\d{1,6}([.,]\d{1,2})?$/, 'Enter an amount in euros such as 48.50.'),
});

const idOf = (c: PageContext) => Number(c.req.param('id'));

/** Returns the life of an invoice: list, draft, confirm, register the payment. */
export function invoicePages(clinic: Clinic): Hono<PageEnv> {
  const app = new Hono<PageEnv>();
  const path = `/${clinic.tenant.id}/invoices`;
  app.get('/invoices', async (c) => show(c, clinic, 'Invoices', invoiceList(path, await newestInvoices(clinic.db))));
  app.get('/invoices/new', async (c) => c.html(await draftPage(c, clinic)));
  app.post('/invoices', async (c) => {
    c.set('ifItFails', 'The invoice was not drawn up');
    const read = formSchema.safeParse(c.get('form'));
    if (!read.success) return c.html(await draftPage(c, clinic, read.error.issues[0]?.message), 422);
    const { patient, description, amount } = read.data;
    const amountCents = Math.round(Number(amount.replace(',', '.')) * 100);
    const known = (await listPatients(clinic.db)).some(({ id }) => id === patient);
    if (!known || amountCents === 0) return c.html(await draftPage(c, clinic, known ? 'The amount is zero.' : 'Choose a patient.'), 422);
    const id = await draftInvoice(clinic.db, { patientId: patient, description, amountCents, synthetic: c.get('session').synthetic });
    return c.redirect(`${path}/${id}`, 303);
  });
  app.get('/invoices/:id{[0-9]{1,9}}', async (c) => {
    const invoice = await findInvoice(clinic.db, idOf(c));
    if (invoice === undefined) return c.html(refusal(clinic.tenant, 'There is no such invoice', 'It may have been cleaned away.'), 404);
    const title = invoice.number === null ? 'Draft invoice' : `Invoice ${invoice.number}`;
    return show(c, clinic, title, invoiceView({ path, title, invoice, token: c.get('session').csrfToken }));
  });
  app.post('/invoices/:id{[0-9]{1,9}}/confirm', async (c) => {
    c.set('ifItFails', 'The invoice was not confirmed');
    await confirmInvoice(clinic.db, idOf(c));
    return c.redirect(`${path}/${idOf(c)}`, 303);
  });
  app.post('/invoices/:id{[0-9]{1,9}}/payment', async (c) => {
    c.set('ifItFails', 'The payment was not registered');
    await registerPayment(clinic.db, idOf(c));
    return c.redirect(`${path}/${idOf(c)}`, 303);
  });
  return app;
}

function show(c: PageContext, clinic: Clinic, title: string, body: Markup) {
  return c.html(layout({ tenant: clinic.tenant, session: c.get('session'), title, body }));
}

async function draftPage(c: PageContext, clinic: Clinic, problem?: string): Promise<Markup> {
  const session = c.get('session');
  const alert = problem === undefined ? html`` : alertBox('The invoice was not drawn up', problem);
  const patients = await listPatients(clinic.db);
  const body = invoiceForm({ path: `/${clinic.tenant.id}/invoices`, token: session.csrfToken, patients, alert });
  return layout({ tenant: clinic.tenant, session, title: 'Make an invoice', body });
}
