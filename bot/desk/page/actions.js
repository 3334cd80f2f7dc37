/** What happens when somebody presses a button or touches a field that is told to the bot at once, in a message or in a view. */

import { client, post } from './api.js';
import { askFirst } from './confirm.js';
import { valueIn, valuesIn } from './fields.js';
import { whenTyped } from './suggest.js';

/** Keys are told together, once nothing was typed for this long. */
const QUIET_MS = 300;

/**
 * Where an element is: to which address its press goes, what says where it stands, and the fields around it.
 * @typedef {{address: string, place: object, fields: HTMLElement}} Place
 */

/**
 * @param {HTMLElement} root
 * @param {(element: HTMLElement) => Place | undefined} placeOf
 */
export function whenActed(root, placeOf) {
  const tell = (/** @type {any} */ element, /** @type {any} */ value) => {
    const place = placeOf(element);
    if (place) void act(element, value, place);
  };
  root.addEventListener('click', (event) => {
    const button = /** @type {HTMLElement} */ (event.target).closest('button');
    if (button?.dataset.testid !== 'block-button') return;
    button.closest('details')?.removeAttribute('open');
    tell(button, button.dataset.value);
  });
  root.addEventListener('change', (event) => {
    const field = fieldOf(event);
    // A menu with options from the bot speaks for itself; what is typed into it is no choice.
    if (!field || (field.dataset.kind === 'external_select' && field !== event.target)) return;
    if (field.dataset.dispatch === 'change') tell(field, valueIn(field));
  });
  root.addEventListener('keydown', (event) => {
    const field = fieldOf(event);
    if (event.key !== 'Enter' || event.isComposing || !field?.dataset.dispatch?.includes('enter')) return;
    event.preventDefault();
    tell(field, valueIn(field));
  });
  let timer = 0;
  root.addEventListener('input', (event) => {
    const field = fieldOf(event);
    if (!field?.dataset.dispatch?.includes('typing')) return;
    clearTimeout(timer);
    timer = setTimeout(() => tell(field, valueIn(field)), QUIET_MS);
  });
  whenTyped(root, placeOf);
}

/** @param {Event} event @returns {HTMLElement | null} */
function fieldOf(event) {
  return /** @type {HTMLElement} */ (event.target).closest('[data-kind]');
}

/** @param {HTMLElement} element @param {any} value @param {Place} where */
async function act(element, value, { address, place, fields }) {
  if (element.dataset.confirm && !(await askFirst(JSON.parse(element.dataset.confirm)))) return;
  if (element.dataset.url) open(element.dataset.url, '_blank', 'noopener');
  warn(element, '');
  element.setAttribute('aria-busy', 'true');
  const acted = { ...place, client, block: element.dataset.block, action: element.dataset.action, value, values: valuesIn(fields) };
  const answer = await post(address, acted).catch((error) => ({ ok: false, reason: error.message }));
  element.removeAttribute('aria-busy');
  if (!answer.ok) warn(element, answer.reason);
}

/** Says below the element's block why nothing came of it. @param {HTMLElement} element @param {string} reason */
function warn(element, reason) {
  const block = element.closest('.block');
  const next = block?.nextElementSibling;
  if (next?.classList.contains('warning')) next.remove();
  if (reason === '' || !block) return;
  const warning = document.createElement('p');
  warning.className = 'warning';
  warning.dataset.testid = 'warning';
  warning.setAttribute('role', 'alert');
  warning.textContent = reason;
  block.after(warning);
}
