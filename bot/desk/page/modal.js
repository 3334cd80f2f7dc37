/**
 * The modal of this page. The server says what is topmost; what somebody filled in stays through updates, and in the modals below.
 * Escape and ✕ close all, the cancel button the topmost. Enter in a line of text submits, Ctrl+Enter everywhere.
 */

import { whenActed } from './actions.js';
import { client, get, post } from './api.js';
import { controlOf, fieldsIn, fill, valuesIn } from './fields.js';

/** @param {string} id @returns {any} */
const element = (id) => document.getElementById(id);

/** @param {() => string} user who sits at this page */
export function modal(user) {
  const dialog = element('modal');
  const form = element('modal-form');
  const body = element('modal-blocks');
  /** @type {{id: string, hash: string} | undefined} */
  let shown;
  /** What was filled in, by view. @type {Map<string, any>} */
  const kept = new Map();
  let turn = 0;

  const refresh = async () => {
    turn += 1;
    const asked = turn;
    const view = await get(`/desk/modal?user=${user()}&client=${client}`);
    if (asked !== turn) return;
    if (view) show(view);
    else hide();
  };
  const show = (/** @type {any} */ view) => {
    const isSame = shown?.id === view.id;
    if (isSame && shown?.hash === view.hash) return;
    if (shown) kept.set(shown.id, valuesIn(body));
    const focused = isSame ? placeInPage() : undefined;
    draw(view);
    fill(body, kept.get(view.id) ?? {});
    shown = { id: view.id, hash: view.hash };
    if (!dialog.open) dialog.showModal();
    focusOn(focused);
  };
  const hide = () => {
    shown = undefined;
    kept.clear();
    dialog.close();
  };
  const act = (/** @type {string} */ address, /** @type {object} */ more = {}) =>
    post(address, { user: user(), client, view: shown?.id, values: valuesIn(body), ...more }).catch((error) => ({
      ok: false,
      reason: error.message,
    }));
  const submit = async () => {
    const button = element('modal-submit');
    if (button.hidden || button.hasAttribute('aria-busy')) return;
    complain({}, '');
    button.setAttribute('aria-busy', 'true');
    const answer = await act('/desk/views/submit');
    button.removeAttribute('aria-busy');
    if (answer.ok) return refresh();
    complain(answer.errors ?? {}, answer.reason ?? '');
  };
  const close = async (/** @type {boolean} */ all) => {
    await act('/desk/views/close', { all });
    await refresh();
  };

  form.addEventListener('submit', (/** @type {Event} */ event) => {
    event.preventDefault();
    void submit();
  });
  form.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    void submit();
  });
  form.addEventListener('input', (/** @type {Event} */ event) => settle(/** @type {HTMLElement} */ (event.target).closest('[data-input]')));
  dialog.addEventListener('cancel', (/** @type {Event} */ event) => {
    event.preventDefault();
    void close(true);
  });
  element('modal-close').addEventListener('click', () => void close(true));
  element('modal-cancel').addEventListener('click', () => void close(false));
  element('modal-back').addEventListener('click', () => void close(false));
  whenActed(body, () => ({ address: '/desk/views/press', place: { user: user(), view: shown?.id }, fields: body }));
  return { refresh };
}

/** @param {any} view */
function draw(view) {
  element('modal-title').innerHTML = view.title;
  element('modal-blocks').innerHTML = view.html;
  element('modal-blocks').scrollTop = 0;
  element('modal-back').hidden = view.below === 0;
  element('modal-cancel').innerHTML = view.close;
  element('modal-submit').innerHTML = view.submit ?? '';
  element('modal-submit').hidden = view.submit === undefined;
  complain({}, '');
}

/** Which field has the cursor, so that it can have it again. */
function placeInPage() {
  const field = /** @type {HTMLElement | null} */ (document.activeElement?.closest('[data-action]'));
  return field ? { block: field.dataset.block, action: field.dataset.action } : undefined;
}

/** Puts the cursor where it was, else into the field that asks for it, else into the first. @param {{block?: string, action?: string} | undefined} place */
function focusOn(place) {
  const body = element('modal-blocks');
  const fields = fieldsIn(body);
  const before = [...body.querySelectorAll('[data-action]')].find(
    (field) => field.dataset.block === place?.block && field.dataset.action === place?.action,
  );
  const field = before ?? fields.find((one) => 'focus' in one.dataset) ?? fields[0];
  if (field) controlOf(field).focus();
  else (element('modal-submit').hidden ? element('modal-cancel') : element('modal-submit')).focus();
}

/**
 * Says what is wrong: at the fields, by block, and above the buttons.
 * @param {Record<string, string>} errors
 * @param {string} reason
 */
function complain(errors, reason) {
  const warning = element('modal-warning');
  warning.textContent = reason;
  warning.hidden = reason === '';
  const wrong = [...element('modal-blocks').querySelectorAll('[data-input]')].filter((input) => {
    const text = errors[input.dataset.input] ?? '';
    say(input, text);
    return text !== '';
  });
  const first = wrong[0]?.querySelector('[data-kind]');
  if (!first) return;
  controlOf(first).focus();
  // With its label, not the control alone.
  wrong[0].scrollIntoView({ block: 'nearest' });
}

/** Takes back the complaint at a field that is being changed. @param {HTMLElement | null} input */
function settle(input) {
  if (input) say(input, '');
}

/** @param {any} input @param {string} text */
function say(input, text) {
  const error = input.querySelector('.field-error');
  error.textContent = text;
  error.hidden = text === '';
  input.classList.toggle('wrong', text !== '');
  for (const control of input.querySelectorAll('.control, .boxes input')) {
    if (text === '') control.removeAttribute('aria-invalid');
    else control.setAttribute('aria-invalid', 'true');
  }
}
