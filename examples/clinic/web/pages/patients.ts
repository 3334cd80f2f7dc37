import { Hono } from 'hono';
import { html } from 'hono/html';
import { listPatients, type Patient } from '../../data/records.ts';
import type { Clinic, PageEnv } from '../clinic.ts';
import { euros, layout, type Markup, syntheticMark } from '../layout.ts';

/** Returns the list of patients. */
export function patientPages(clinic: Clinic): Hono<PageEnv> {
  return new Hono<PageEnv>().get('/patients', async (c) => {
    const patients = await listPatients(clinic.db);
    const body = html`<div class="title"><div><h1>Patients</h1><p class="aside">${patients.length} patients, all invented</p></div></div>
      <table>
        <caption class="hidden">Patients</caption>
        <thead><tr><th scope="col">Name</th><th scope="col">Born</th><th scope="col" class="number">Balance</th></tr></thead>
        <tbody>
          ${patients.map(
            (row) =>
              html`<tr><td>${row.name} ${syntheticMark(true)}</td><td class="short">${row.bornOn}</td><td class="number">${euros(row.balanceCents)}</td></tr>`,
          )}
        </tbody>
      </table>`;
    return c.html(layout({ tenant: clinic.tenant, session: c.get('session'), title: 'Patients', body }));
  });
}

/** Returns the field in which a form asks for the patient. */
export function patientField(patients: readonly Patient[]): Markup {
  return html`<label for="patient">Patient</label>
    <select id="patient" name="patient" required>
      ${patients.map(({ id, name }) => html`<option value="${id}">${name}</option>`)}
    </select>`;
}
