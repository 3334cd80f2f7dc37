import { html, raw } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';
import type { Tenant } from '../tenants.ts';
import type { Session } from './session.ts';

export type Markup = HtmlEscapedString | Promise<HtmlEscapedString>;

export interface Page {
  tenant?: Tenant;
  title: string;
  /** With it, the page shows the menu and "Sign out". */
  session?: Session;
  body: Markup;
}

const MENU = [
  ['day', 'Today'],
  ['patients', 'Patients'],
  ['invoices', 'Invoices'],
  ['reports/monthly', 'Monthly report'],
] as const;

/** Returns a whole page. */
export function layout({ tenant, title, session, body }: Page): Markup {
  const name = tenant?.title ?? 'Sample clinics';
  return html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>${title} · ${name}</title>
    <link rel="stylesheet" href="/style.css" />
    <link rel="icon" href="data:," />
  </head>
  <body>
    <header>
      <a class="name" href="${tenant ? `/${tenant.id}` : '/'}"><span class="mark" aria-hidden="true"></span>${name}</a>
      ${tenant && session ? menu(tenant, session, title) : ''}
    </header>
    <main>${body}</main>
    <footer>A sample that comes with Rounds. Every patient here is invented.</footer>
  </body>
</html>`;
}

function menu(tenant: Tenant, session: Session, title: string): Markup {
  return html`<nav aria-label="Main">
      ${MENU.map(([path, label]) => html`<a href="/${tenant.id}/${path}" ${label === title ? raw('aria-current="page"') : ''}>${label}</a>`)}
    </nav>
    <form class="sign-out" method="post" action="/${tenant.id}/logout">
      ${tokenField(session.csrfToken)}
      <span class="user">${session.userName}</span>
      <button class="quiet">Sign out</button>
    </form>`;
}

/** Returns the hidden field that every form carries. */
export function tokenField(token: string): Markup {
  return html`<input type="hidden" name="csrf" value="${token}" />`;
}

/** Returns the box that says what went wrong; screen readers and monitors find it as an alert. */
export function alertBox(headline: string, text: string): Markup {
  return html`<div class="alert" role="alert"><strong>${headline}.</strong> ${text}</div>`;
}

/** Returns the page of something that was refused or failed. */
export function refusal(tenant: Tenant | undefined, headline: string, text: string): Markup {
  const home = tenant ? `/${tenant.id}` : '/';
  const body = html`${alertBox(headline, text)}<p><a href="${home}">Back to the first page</a></p>`;
  return layout({ ...(tenant && { tenant }), title: headline, body });
}

/** Returns a mark for rows that a monitor made. */
export function syntheticMark(synthetic: boolean): Markup {
  return synthetic ? html`<span class="tag">synthetic</span>` : html``;
}

/** Returns an amount of cents as euros: "1,234.50 €". */
export function euros(cents: number | string): string {
  return `${(Number(cents) / 100).toLocaleString('en-GB', { minimumFractionDigits: 2, maximumFractionDigits: 2 })} €`;
}

/** Returns an ISO date as people say it: "Friday, 3 July 2026". */
export function longDate(iso: string): string {
  return new Date(`${iso}T12:00:00Z`).toLocaleDateString('en-GB', {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    timeZone: 'UTC',
  });
}
