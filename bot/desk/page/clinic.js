/** The panel that breaks the sample clinic. It asks the clinic every 3 s while it is in sight. */

import { get, post } from './api.js';

const REFRESH_MS = 3000;
/** From this width on, there is room for the panel beside the channel. */
const WIDE = matchMedia('(min-width: 1080px)');

/** @param {string} id @returns {any} */
const element = (id) => document.getElementById(id);

/** Shows the panel's button, and opens it where there is room. */
export function clinicPanel() {
  const panel = element('clinic');
  const toggle = element('clinic-toggle');
  let wanted = sessionStorage.getItem('clinic') ? sessionStorage.getItem('clinic') === 'open' : WIDE.matches;
  let covered = false;
  const apply = () => {
    panel.hidden = !wanted || covered;
    toggle.setAttribute('aria-expanded', String(!panel.hidden));
    if (!panel.hidden) void refresh();
  };
  const want = (/** @type {boolean} */ open) => {
    wanted = open;
    sessionStorage.setItem('clinic', open ? 'open' : 'closed');
    apply();
  };
  toggle.hidden = false;
  toggle.addEventListener('click', () => {
    if (covered) element('close-thread').click();
    want(covered || panel.hidden);
  });
  element('close-clinic').addEventListener('click', () => want(false));
  setInterval(() => {
    if (!panel.hidden && !document.hidden) void refresh();
  }, REFRESH_MS);
  apply();
  return {
    /** A thread takes the panel's place while it is open. @param {boolean} by */
    cover(by) {
      if (covered === by) return;
      covered = by;
      apply();
    },
  };
}

async function refresh() {
  await attempt(() => get('/desk/clinic'));
}

/** @param {() => Promise<any>} ask */
async function attempt(ask) {
  const warning = element('clinic-warning');
  try {
    show(await ask());
    warning.hidden = true;
  } catch {
    warning.textContent = 'The clinic does not answer.';
    warning.hidden = false;
  }
}

/** @param {{faults: any[], clinics: {tenant: string, url: string}[]}} view */
function show(view) {
  const links = view.clinics.map(({ tenant, url }) => {
    const link = document.createElement('a');
    link.href = url;
    link.target = '_blank';
    link.textContent = titleOf(tenant);
    return link;
  });
  element('clinic-links').replaceChildren(...links);
  const state = JSON.stringify(view.faults);
  const list = element('faults');
  if (list.dataset.state === state) return;
  const focused = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset;
  list.dataset.state = state;
  list.replaceChildren(...view.faults.map(fault));
  if (focused?.fault) list.querySelector(`[data-fault="${focused.fault}"][data-tenant="${focused.tenant}"]`)?.focus();
}

/** @param {{fault: string, title: string, explains: string, switches: {tenant: string | null, on: boolean}[]}} group */
function fault(group) {
  const box = document.createElement('section');
  box.className = 'fault';
  box.dataset.testid = 'fault';
  box.dataset.fault = group.fault;
  const title = document.createElement('h3');
  title.textContent = group.title;
  const explains = document.createElement('p');
  explains.textContent = group.explains;
  const perClinic = group.switches.filter((one) => one.tenant !== null);
  const head = document.createElement('header');
  head.append(title);
  if (perClinic.length !== 1) head.append(faultSwitch(group, { tenant: null, on: group.switches.every((one) => one.on) }));
  const row = document.createElement('div');
  row.className = 'switches';
  row.append(...perClinic.map((one) => faultSwitch(group, one)));
  box.classList.toggle(
    'on',
    group.switches.some((one) => one.on),
  );
  box.append(head, explains, row);
  return box;
}

/** @param {{fault: string, title: string}} group @param {{tenant: string | null, on: boolean}} one */
function faultSwitch(group, one) {
  const button = document.createElement('button');
  const name = one.tenant === null ? 'All clinics' : titleOf(one.tenant);
  button.type = 'button';
  button.className = 'switch';
  button.dataset.testid = 'fault-switch';
  button.dataset.fault = group.fault;
  button.dataset.tenant = one.tenant ?? '*';
  button.setAttribute('role', 'switch');
  button.setAttribute('aria-checked', String(one.on));
  button.setAttribute('aria-label', `${group.title}: ${name}`);
  button.textContent = name;
  const tenant = one.tenant === null ? {} : { tenant: one.tenant };
  button.addEventListener('click', () => void attempt(() => post('/desk/clinic', { fault: group.fault, ...tenant, on: !one.on })));
  return button;
}

/** "saint-anne" as a person would write it. @param {string} tenant */
function titleOf(tenant) {
  return tenant.replace(/(^|-)(\w)/g, (_all, dash, letter) => `${dash ? ' ' : ''}${letter.toUpperCase()}`);
}
