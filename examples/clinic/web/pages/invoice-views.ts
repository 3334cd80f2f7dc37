import { html } from 'hono/html';
import type { Invoice } from '../../data/invoices.ts';
import type { Patient } from '../../data/records.ts';
import { euros, longDate, type Markup, syntheticMark, tokenField } from '../layout.ts';
import { patientField } from './patients.ts';

const STATUS_TITLES = { draft: 'Draft', confirmed: 'Confirmed', paid: 'Paid' } as const;

function statusMark(status: Invoice['status']): Markup {
  return html`<span class="status ${status}">${STATUS_TITLES[status]}</span>`;
}

/** Returns the list of the newest invoices. */
export function invoiceList(path: string, invoices: readonly Invoice[]): Markup {
  return html`<div class="title">
      <div><h1>Invoices</h1><p class="aside">The newest ${invoices.length}</p></div>
      <a class="button" href="${path}/new">Make an invoice</a>
    </div>
    <table>
      <caption class="hidden">Invoices</caption>
      <thead>
        <tr><th scope="col" class="short">Number</th><th scope="col">Patient</th><th scope="col">Status</th><th scope="col" class="number">Amount</th></tr>
      </thead>
      <tbody>
        ${invoices.map(
          (row) => html`<tr>
            <td class="short"><a href="${path}/${row.id}">${row.number ?? 'draft'}</a></td>
            <td>${row.patient} ${syntheticMark(row.synthetic)}</td>
            <td>${statusMark(row.status)}</td>
            <td class="number">${euros(row.amountCents)}</td>
          </tr>`,
        )}
      </tbody>
    </table>`;
}

/** Returns the form that draws up an invoice. */
export function invoiceForm(input: { path: string; token: string; patients: readonly Patient[]; alert: Markup }): Markup {
  return html`<form class="card" method="post" action="${input.path}">
    <h1>Make an invoice</h1>
    ${input.alert} ${tokenField(input.token)} ${patientField(input.patients)}
    <label for="description">What was done</label>
    <input id="description" name="description" required maxlength="200" />
    <label for="amount">Amount in euros</label>
    <input id="amount" name="amount" inputmode="decimal" required maxlength="9" />
    <button>Save as draft</button>
  </form>`;
}

/** Returns one invoice with the button that takes it to its next status. */
export function invoiceView(input: { path: string; title: string; invoice: Invoice; token: string }): Markup {
  const { path, title, invoice, token } = input;
  return html`<article class="card">
    <h1>${title}</h1>
    <dl>
      <dt>Status</dt><dd>${statusMark(invoice.status)} ${syntheticMark(invoice.synthetic)}</dd>
      <dt>Patient</dt><dd>${invoice.patient}</dd>
      <dt>What was done</dt><dd>${invoice.description}</dd>
      <dt>Drawn up</dt><dd>${longDate(invoice.drawnUpOn)}</dd>
      <dt>Amount</dt><dd class="amount">${euros(invoice.amountCents)}</dd>
    </dl>
    ${nextStep(`${path}/${invoice.id}`, invoice.status, token)}
  </article>`;
}

function nextStep(path: string, status: Invoice['status'], token: string): Markup {
  if (status === 'paid') return html`<p class="aside">Paid in full.</p>`;
  const [action, label] = status === 'draft' ? ['confirm', 'Confirm'] : ['payment', 'Register payment'];
  return html`<form method="post" action="${path}/${action}">${tokenField(token)}<button>${label}</button></form>`;
}
