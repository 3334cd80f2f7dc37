/** Menus whose options the bot gives while somebody types. Arrow keys and Enter, or a click, choose one. */

import { client, post } from './api.js';
import { choose, valuesIn } from './fields.js';

const QUIET_MS = 250;

/**
 * @param {HTMLElement} root
 * @param {(element: HTMLElement) => {place: object, fields: HTMLElement} | undefined} placeOf
 */
export function whenTyped(root, placeOf) {
  let timer = 0;
  root.addEventListener('input', (event) => {
    const field = menuOf(event);
    if (!field) return;
    delete field.dataset.option;
    clearTimeout(timer);
    timer = setTimeout(() => void ask(field, placeOf), QUIET_MS);
  });
  root.addEventListener('focusin', (event) => {
    const field = menuOf(event);
    if (field && Number(field.dataset.least) === 0 && !field.dataset.option) void ask(field, placeOf);
  });
  root.addEventListener('focusout', (event) => {
    const field = menuOf(event);
    if (field) leave(field);
  });
  root.addEventListener('keydown', (event) => {
    const field = menuOf(event);
    if (field) onKey(field, event);
  });
  root.addEventListener('mousedown', (event) => {
    const item = /** @type {HTMLElement} */ (event.target).closest('.suggestions [role=option]');
    if (!item) return;
    event.preventDefault();
    take(/** @type {HTMLElement} */ (item.closest('.suggest')), /** @type {any} */ (item));
  });
}

/** @param {Event} event @returns {HTMLElement | null} */
function menuOf(event) {
  return /** @type {HTMLElement} */ (event.target).closest('.suggest');
}

/** @param {HTMLElement} field @param {(element: HTMLElement) => {place: object, fields: HTMLElement} | undefined} placeOf */
async function ask(field, placeOf) {
  const input = /** @type {HTMLInputElement} */ (field.querySelector('input'));
  const where = placeOf(field);
  const typed = input.value.trim();
  if (!where || typed.length < Number(field.dataset.least)) return show(field, []);
  const { block, action } = field.dataset;
  const asked = { ...where.place, client, block, action, typed, values: valuesIn(where.fields) };
  const answer = await post('/desk/suggest', asked).catch((error) => ({ ok: false, reason: error.message }));
  // An answer to what was typed before would hide the one to come.
  if (input.value.trim() !== typed || document.activeElement !== input) return;
  if (!answer.ok) return show(field, [], answer.reason);
  show(field, answer.options, answer.options.length === 0 ? 'No result' : '');
}

/** @param {HTMLElement} field @param {{option: object, label: string}[]} options @param {string} [note] said in place of options */
function show(field, options, note = '') {
  const list = /** @type {HTMLElement} */ (field.querySelector('.suggestions'));
  const items = options.map(({ option, label }, index) => {
    const item = /** @type {any} */ (document.createElement('li'));
    item.id = `${list.id}-${index}`;
    item.option = option;
    item.innerHTML = label;
    item.setAttribute('role', 'option');
    return item;
  });
  const rest = document.createElement('li');
  rest.className = 'note';
  rest.textContent = note;
  list.replaceChildren(...items, ...(note ? [rest] : []));
  list.hidden = items.length === 0 && note === '';
  field.querySelector('input')?.setAttribute('aria-expanded', String(!list.hidden));
  mark(field, 0);
}

/** @param {HTMLElement} field @param {number} index */
function mark(field, index) {
  const items = [...field.querySelectorAll('[role=option]')];
  for (const [at, item] of items.entries()) item.setAttribute('aria-selected', String(at === index));
  items[index]?.scrollIntoView({ block: 'nearest' });
  field.querySelector('input')?.setAttribute('aria-activedescendant', items[index]?.id ?? '');
}

/** @param {HTMLElement} field @param {KeyboardEvent} event */
function onKey(field, event) {
  const list = /** @type {HTMLElement} */ (field.querySelector('.suggestions'));
  const items = [...list.querySelectorAll('[role=option]')];
  if (list.hidden) return;
  const current = items.findIndex((item) => item.getAttribute('aria-selected') === 'true');
  const move = { ArrowDown: 1, ArrowUp: -1 }[event.key] ?? 0;
  if (move !== 0) mark(field, (current + move + items.length) % items.length);
  else if (event.key === 'Enter' && items[current]) take(field, /** @type {any} */ (items[current]));
  else if (event.key === 'Escape') show(field, []);
  else return;
  event.preventDefault();
}

/** @param {HTMLElement} field @param {any} item */
function take(field, item) {
  choose(field, item.option);
  show(field, []);
  field.dispatchEvent(new Event('change', { bubbles: true }));
}

/** What was typed and not chosen is nothing. @param {HTMLElement} field */
function leave(field) {
  show(field, []);
  if (!field.dataset.option) choose(field, null);
}
