/** Lists of messages, kept in step with what the server rendered. */

import { whenActed } from './actions.js';
import { post } from './api.js';

/** Nearer than this to the end, a list follows what is new. */
const FOLLOW_WITHIN_PX = 120;

/**
 * Shows the messages, touching only those that changed, so that neither focus nor a dialog is lost.
 * @param {HTMLElement} list
 * @param {{ts: string, html: string}[]} messages
 * @param {string} place which channel or thread; in another place the list begins at its end
 */
export function showMessages(list, messages, place) {
  const follow = list.dataset.place !== place || list.dataset.follow !== 'no';
  list.dataset.place = place;
  const shown = new Map([...list.children].map((item) => [/** @type {HTMLElement} */ (item).dataset.ts, /** @type {any} */ (item)]));
  const items = messages.map((message) => itemFor(shown.get(message.ts), message));
  for (const item of shown.values()) if (!items.includes(item)) item.remove();
  items.forEach((item, index) => {
    if (list.children[index] !== item) list.insertBefore(item, list.children[index] ?? null);
  });
  markDays(items);
  if (follow) toEnd(list);
}

/** @param {HTMLElement} list */
function toEnd(list) {
  list.dataset.follow = 'yes';
  list.scrollTop = list.scrollHeight;
}

/** @param {any} known @param {{ts: string, html: string}} message */
function itemFor(known, message) {
  if (known?.source === message.html) return known;
  const item = known ?? document.createElement('li');
  item.dataset.ts = message.ts;
  item.source = message.html;
  item.innerHTML = message.html;
  for (const time of item.querySelectorAll('time')) localTime(time);
  for (const image of item.querySelectorAll('img')) image.addEventListener('load', () => keepEnd(item.parentElement));
  return item;
}

/** A picture that arrives late must not push the newest message out of sight. @param {HTMLElement | null} list */
function keepEnd(list) {
  if (list?.dataset.follow === 'yes') toEnd(list);
}

/**
 * Keeps a list at its end until the person scrolls up. Only upwards counts: a picture that arrives, or a pane that opens,
 * makes the list longer and fires `scroll` as well.
 * @param {HTMLElement} list
 */
function followEnd(list) {
  let lastTop = 0;
  list.addEventListener('scroll', () => {
    const isNearEnd = list.scrollHeight - list.scrollTop - list.clientHeight < FOLLOW_WITHIN_PX;
    if (isNearEnd) list.dataset.follow = 'yes';
    else if (list.scrollTop < lastTop) list.dataset.follow = 'no';
    lastTop = list.scrollTop;
  });
  new ResizeObserver(() => keepEnd(list)).observe(list);
}

/** @param {any[]} items */
function markDays(items) {
  let before = '';
  for (const item of items) {
    const day = new Date(Number(item.dataset.ts.split('.')[0]) * 1000).toLocaleDateString([], {
      weekday: 'long',
      day: 'numeric',
      month: 'long',
    });
    if (day === before) delete item.dataset.day;
    else item.dataset.day = day;
    before = day;
  }
}

/** @type {Record<string, Intl.DateTimeFormatOptions>} */
const FORMATS = {
  time: { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  time_secs: { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' },
  date_num: { year: 'numeric', month: '2-digit', day: '2-digit' },
  date: { year: 'numeric', month: 'long', day: 'numeric' },
  date_short: { year: 'numeric', month: 'short', day: 'numeric' },
  date_long: { weekday: 'long', year: 'numeric', month: 'long', day: 'numeric' },
};

/** Puts a time into the reader's own zone, in Slack's format tokens. @param {HTMLTimeElement} time */
function localTime(time) {
  const at = new Date(time.dateTime);
  const format = time.dataset.format ?? '{time}';
  time.textContent = format.replace(/\{(\w+?)(?:_pretty)?\}/g, (all, name) => (FORMATS[name] ? at.toLocaleString([], FORMATS[name]) : all));
  time.title = at.toLocaleString();
}

/**
 * @param {HTMLElement} list
 * @param {{where: () => {user: string, channel: string}, threadOf: () => string | undefined, openThread: (ts: string) => void}} parts
 */
export function whenPressed(list, parts) {
  followEnd(list);
  list.addEventListener('click', (event) => {
    const button = /** @type {HTMLElement} */ (event.target).closest('button');
    const ts = button?.closest('article')?.dataset.ts;
    if (!button || !ts) return;
    if (button.dataset.testid === 'open-thread') parts.openThread(ts);
    if (button.dataset.testid === 'dismiss') void post('/desk/dismiss', { user: parts.where().user, ts });
  });
  whenActed(list, (element) => {
    const message = element.closest('article');
    const place = { ...parts.where(), ts: message?.dataset.ts, thread: parts.threadOf() };
    return message ? { address: '/desk/press', place, fields: message } : undefined;
  });
}
