import { Hono } from 'hono';
import { html } from 'hono/html';
import * as z from 'zod';
import { book, today } from '../../data/appointments.ts';
import { listPatients, type Patient } from '../../data/records.ts';
import type { Clinic, PageContext, PageEnv } from '../clinic.ts';
import { alertBox, layout, type Markup, tokenField } from '../layout.ts';
import { isDate } from './day.ts';
import { patientField } from './patients.ts';

const formSchema = z.object({
  patient: z.coerce.number('Choose a patient.').int().positive().max(2_000_000_000),
  date: z.string('Enter a date.').refine(isDate, 'Enter a date such as 2026-07-03.'),
  time: z.string('Enter a time.').regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'Enter a time such as 09:30.'),
  reason: z.string('Enter a reason.').trim().min(1, 'Enter a reason.').max(200, 'Keep the reason under 200 characters.'),
});

/** Returns the form that books an appointment, and what it does. */
export function appointmentPages(clinic: Clinic): Hono<PageEnv> {
  const app = new Hono<PageEnv>();
  app.get('/appointments/new', async (c) => c.html(await bookingPage(c, clinic)));
  app.post('/appointments', async (c) => {
    c.set('ifItFails', 'The appointment was not booked');
    const read = formSchema.safeParse(c.get('form'));
    const patients = await listPatients(clinic.db);
    if (!read.success) return c.html(await bookingPage(c, clinic, read.error.issues[0]?.message), 422);
    const { patient, date, time, reason } = read.data;
    if (!patients.some(({ id }) => id === patient)) return c.html(await bookingPage(c, clinic, 'Choose a patient.'), 422);
    await book(clinic.db, { patientId: patient, date, time, reason, synthetic: c.get('session').synthetic });
    return c.redirect(`/${clinic.tenant.id}/day?date=${date}`, 303);
  });
  return app;
}

async function bookingPage(c: PageContext, clinic: Clinic, problem?: string): Promise<Markup> {
  const [patients, now] = await Promise.all([listPatients(clinic.db), today(clinic.db)]);
  const asked = c.req.query('date');
  const session = c.get('session');
  const body = bookingForm({
    action: `/${clinic.tenant.id}/appointments`,
    token: session.csrfToken,
    patients,
    date: asked !== undefined && isDate(asked) ? asked : now,
    problem,
  });
  return layout({ tenant: clinic.tenant, session, title: 'Book an appointment', body });
}

interface BookingForm {
  action: string;
  token: string;
  patients: readonly Patient[];
  date: string;
  problem: string | undefined;
}

function bookingForm({ action, token, patients, date, problem }: BookingForm): Markup {
  return html`<form class="card" method="post" action="${action}">
    <h1>Book an appointment</h1>
    ${problem === undefined ? '' : alertBox('The appointment was not booked', problem)} ${tokenField(token)} ${patientField(patients)}
    <div class="pair">
      <div><label for="date">Date</label><input id="date" name="date" type="date" value="${date}" required /></div>
      <div><label for="time">Time</label><input id="time" name="time" type="time" value="09:00" required /></div>
    </div>
    <label for="reason">Reason</label>
    <input id="reason" name="reason" required maxlength="200" />
    <button>Book</button>
  </form>`;
}
