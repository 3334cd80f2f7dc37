/** Reads and fills the fields that the server drew: each carries data-kind, data-block and data-action. */

/** @typedef {string | string[] | {text: object, value: string} | null} Value */

/** All fields in a message, a modal or the Home tab. @param {ParentNode} root @returns {HTMLElement[]} */
export function fieldsIn(root) {
  return [...root.querySelectorAll('[data-kind]')].map((field) => /** @type {HTMLElement} */ (field));
}

/** What a field holds. @param {any} field @returns {Value} */
export function valueIn(field) {
  if (field.dataset.kind === 'external_select') return field.dataset.option ? JSON.parse(field.dataset.option) : null;
  if (!field.classList.contains('boxes')) return field.value === '' ? null : field.value;
  const chosen = [...field.querySelectorAll('input:checked')].map((box) => box.value);
  return field.dataset.kind === 'radio_buttons' ? (chosen[0] ?? null) : chosen;
}

/** What all fields hold, by block and by action. @param {ParentNode} root */
export function valuesIn(root) {
  /** @type {Record<string, Record<string, Value>>} */
  const values = {};
  for (const field of fieldsIn(root)) {
    const { block = '', action = '' } = field.dataset;
    values[block] = { ...values[block], [action]: valueIn(field) };
  }
  return values;
}

/** Fills in again what somebody had filled in before the fields were drawn anew. @param {ParentNode} root @param {Record<string, Record<string, Value>>} values */
export function fill(root, values) {
  for (const field of fieldsIn(root)) {
    const value = values[field.dataset.block ?? '']?.[field.dataset.action ?? ''];
    if (value !== undefined) fillField(field, value);
  }
}

/** @param {any} field @param {Value} value */
function fillField(field, value) {
  if (field.dataset.kind === 'external_select') return choose(field, /** @type {any} */ (value));
  if (!field.classList.contains('boxes')) {
    field.value = value ?? '';
    return;
  }
  const chosen = Array.isArray(value) ? value : [value];
  for (const box of field.querySelectorAll('input')) box.checked = chosen.includes(box.value);
}

/** Chooses an option of a menu whose options come from the bot. @param {any} field @param {{text: {text: string}, value: string} | null} option */
export function choose(field, option) {
  if (option) field.dataset.option = JSON.stringify(option);
  else delete field.dataset.option;
  field.querySelector('input').value = option?.text.text ?? '';
}

/** Where the cursor goes. @param {HTMLElement} field @returns {HTMLElement} */
export function controlOf(field) {
  return field.classList.contains('control') ? field : /** @type {HTMLElement} */ (field.querySelector('input, .control') ?? field);
}
