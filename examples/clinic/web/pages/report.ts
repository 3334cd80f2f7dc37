import { Hono } from 'hono';
import { html } from 'hono/html';
import { type MonthOfReport, monthlyReport } from '../../data/report.ts';
import type { Clinic, PageEnv } from '../clinic.ts';
import { euros, layout, type Markup } from '../layout.ts';

/** Returns the monthly report. */
export function reportPages(clinic: Clinic): Hono<PageEnv> {
  return new Hono<PageEnv>().get('/reports/monthly', async (c) => {
    c.set('ifItFails', 'The monthly report failed');
    const months = await monthlyReport(clinic.db);
    const body = html`<div class="title">
        <div><h1>Monthly report</h1><p class="aside">The last six months, without what the monitor made</p></div>
      </div>
      ${reportTable(months)}`;
    return c.html(layout({ tenant: clinic.tenant, session: c.get('session'), title: 'Monthly report', body }));
  });
}

function monthTitle(month: string): string {
  return new Date(`${month}-15T12:00:00Z`).toLocaleDateString('en-GB', { month: 'long', year: 'numeric', timeZone: 'UTC' });
}

function reportTable(months: readonly MonthOfReport[]): Markup {
  return html`<div class="wide"><table>
    <caption class="hidden">Months</caption>
    <thead>
      <tr>
        <th scope="col">Month</th><th scope="col" class="number">Appointments</th><th scope="col" class="number">Invoiced</th>
        <th scope="col" class="number">Paid</th><th scope="col" class="number">Open</th><th scope="col" class="number">From insurers</th>
      </tr>
    </thead>
    <tbody>
      ${months.map(
        (row) => html`<tr>
          <th scope="row">${monthTitle(row.month)}</th><td class="number">${row.appointments}</td>
          <td class="number">${euros(row.invoicedCents)}</td><td class="number">${euros(row.paidCents)}</td>
          <td class="number">${euros(row.openCents)}</td><td class="number">${euros(row.settledCents)}</td>
        </tr>`,
      )}
    </tbody>
  </table></div>`;
}
