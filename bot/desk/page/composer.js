/** Where text and slash commands are typed. */

import { client, post } from './api.js';

/**
 * @param {HTMLFormElement} form
 * @param {{testId: string, commands: {usage: string, summary: string}[], where: () => object}} parts
 */
export function composer(form, parts) {
  form.innerHTML = `<ul class="hints" role="listbox" aria-label="Commands" data-testid="command-hints" hidden></ul>
<p class="warning" role="alert" data-testid="composer-warning" hidden></p>
<div class="box"><textarea rows="1" data-testid="${parts.testId}" autocomplete="off"></textarea>
<button type="submit" class="send" aria-label="Send" data-testid="send"><svg viewBox="0 0 24 24" width="18" height="18" aria-hidden="true"><path fill="currentColor" d="M3.4 20.4 21 12 3.4 3.6 3 10l12 2-12 2z"/></svg></button></div>`;
  const input = /** @type {HTMLTextAreaElement} */ (form.querySelector('textarea'));
  const warning = /** @type {HTMLElement} */ (form.querySelector('.warning'));
  const hints = commandHints(/** @type {HTMLElement} */ (form.querySelector('.hints')), parts.commands, input);
  input.addEventListener('input', () => {
    fitHeight(input);
    hints.show();
  });
  input.addEventListener('keydown', (event) => {
    if (hints.key(event) || event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit();
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void send(input, warning, parts.where);
    hints.hide();
  });
  return {
    label: (/** @type {string} */ label) => {
      input.placeholder = label;
      input.setAttribute('aria-label', label);
    },
    focus: () => input.focus(),
  };
}

/** @param {HTMLTextAreaElement} input @param {HTMLElement} warning @param {() => object} where */
async function send(input, warning, where) {
  const text = input.value.trim();
  if (text === '') return;
  input.value = '';
  fitHeight(input);
  warning.hidden = true;
  const answer = await post('/desk/type', { ...where(), client, text }).catch((error) => ({ ok: false, reason: error.message }));
  if (answer.ok) return;
  warning.textContent = `${text.split(' ')[0]}: ${answer.reason}`;
  warning.hidden = false;
  if (input.value === '') input.value = text;
}

/** @param {HTMLTextAreaElement} input */
function fitHeight(input) {
  input.style.height = 'auto';
  input.style.height = `${Math.min(input.scrollHeight, 160)}px`;
}

/**
 * The commands that begin with what is typed. Tab or a click takes one.
 * @param {HTMLElement} list
 * @param {{usage: string, summary: string}[]} commands
 * @param {HTMLTextAreaElement} input
 */
function commandHints(list, commands, input) {
  let chosen = 0;
  const matching = () => {
    const typed = input.value.trimEnd();
    return typed.startsWith('/') ? commands.filter((command) => begins(command.usage, typed)) : [];
  };
  const hide = () => {
    list.hidden = true;
  };
  const take = (/** @type {{usage: string}} */ command) => {
    input.value = `${command.usage
      .split(' ')
      .filter((word) => !/^[[A-Z]/.test(word))
      .join(' ')} `;
    input.focus();
    hide();
  };
  const show = () => {
    const found = matching();
    chosen = Math.min(chosen, Math.max(0, found.length - 1));
    list.replaceChildren(...found.map((command, index) => hint(command, index === chosen, () => take(command))));
    list.hidden = found.length === 0;
  };
  const key = (/** @type {KeyboardEvent} */ event) => {
    const found = list.hidden ? [] : matching();
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key] ?? 0;
    if (found.length === 0 || !(move !== 0 || event.key === 'Tab' || event.key === 'Escape')) return false;
    event.preventDefault();
    chosen = (chosen + move + found.length) % found.length;
    if (event.key === 'Tab') take(found[chosen] ?? { usage: '' });
    else if (event.key === 'Escape') hide();
    else show();
    return true;
  };
  return { show, hide, key };
}

/** Whether what is typed may still become this command. @param {string} usage @param {string} typed */
function begins(usage, typed) {
  const fixed = usage
    .split(' ')
    .filter((word) => !/^[[A-Z]/.test(word))
    .join(' ');
  return fixed.startsWith(typed) || typed.startsWith(`${fixed} `);
}

/** @param {{usage: string, summary: string}} command @param {boolean} chosen @param {() => void} take */
function hint(command, chosen, take) {
  const item = document.createElement('li');
  item.dataset.testid = 'command-hint';
  item.setAttribute('role', 'option');
  item.setAttribute('aria-selected', String(chosen));
  const usage = document.createElement('strong');
  usage.textContent = command.usage;
  const summary = document.createElement('span');
  summary.textContent = command.summary;
  item.append(usage, summary);
  item.addEventListener('mousedown', (event) => {
    event.preventDefault();
    take();
  });
  return item;
}
