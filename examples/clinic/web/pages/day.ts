import { Hono } from 'hono';
import { html } from 'hono/html';
import { type Appointment, appointmentsOn, today } from '../../data/appointments.ts';
import type { Clinic, PageEnv } from '../clinic.ts';
import { layout, longDate, syntheticMark } from '../layout.ts';

/** Returns the day view: the appointments of today, or of `?date=`. */
export function dayPages(clinic: Clinic): Hono<PageEnv> {
  return new Hono<PageEnv>().get('/day', async (c) => {
    const now = await today(clinic.db);
    const asked = c.req.query('date');
    const date = asked !== undefined && isDate(asked) ? asked : now;
    const appointments = await appointmentsOn(clinic.db, date);
    const body = html`<div class="title">
        <div>
          <h1>${date === now ? 'Today' : longDate(date)}</h1>
          <p class="aside">${date === now ? `${longDate(date)} · ` : ''}${countOf(appointments)}</p>
        </div>
        <a class="button" href="/${clinic.tenant.id}/appointments/new?date=${date}">Book an appointment</a>
      </div>
      <nav class="days" aria-label="Days">
        <a href="?date=${shifted(date, -1)}">← Day before</a><a href="?date=${shifted(date, 1)}">Day after →</a>
      </nav>
      ${dayTable(appointments)}`;
    return c.html(layout({ tenant: clinic.tenant, session: c.get('session'), title: date === now ? 'Today' : longDate(date), body }));
  });
}

/** Returns whether the text is a date of the calendar, as ISO. */
export function isDate(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text)) && new Date(text).toISOString().startsWith(text);
}

function shifted(date: string, days: number): string {
  const day = new Date(`${date}T12:00:00Z`);
  day.setUTCDate(day.getUTCDate() + days);
  return day.toISOString().slice(0, 10);
}

function countOf(appointments: readonly Appointment[]): string {
  return appointments.length === 1 ? '1 appointment' : `${appointments.length} appointments`;
}

function dayTable(appointments: readonly Appointment[]) {
  if (appointments.length === 0) return html`<p class="empty">No appointments on this day.</p>`;
  return html`<table>
    <caption class="hidden">Appointments</caption>
    <thead><tr><th scope="col">Time</th><th scope="col">Patient</th><th scope="col">Reason</th></tr></thead>
    <tbody>
      ${appointments.map(
        (row) =>
          html`<tr><td class="short">${row.time}</td><td>${row.patient}</td><td>${row.reason} ${syntheticMark(row.synthetic)}</td></tr>`,
      )}
    </tbody>
  </table>`;
}
