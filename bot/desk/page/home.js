/** The Home tab of the app: what the bot published for this person. */

import { whenActed } from './actions.js';
import { get, post } from './api.js';
import { fill, valuesIn } from './fields.js';

/** @param {string} id @returns {any} */
const element = (id) => document.getElementById(id);

/** @param {() => string} user who sits at this page */
export function homeTab(user) {
  const box = element('home');
  const blocks = element('home-blocks');
  const warning = element('home-warning');
  let turn = 0;
  /** @type {{id?: string, hash?: string, user?: string}} */
  let shown = {};

  const refresh = async () => {
    turn += 1;
    const asked = turn;
    const view = await get(`/desk/home?user=${user()}`);
    const isSame = shown.hash === view.hash && shown.user === user() && view.html !== undefined;
    if (asked !== turn || isSame) return;
    const values = shown.id === view.id ? valuesIn(blocks) : {};
    blocks.innerHTML = view.html ?? '<p class="empty">Rounds has not published anything here yet.</p>';
    fill(blocks, values);
    shown = { id: view.id, hash: view.hash, user: user() };
  };
  whenActed(blocks, () => ({ address: '/desk/views/press', place: { user: user(), view: shown.id }, fields: blocks }));
  return {
    refresh,
    /** Shows the tab or hides it. @param {boolean} open */
    show(open) {
      box.hidden = !open;
    },
    /** Tells the bot that this person opened the tab, or the direct conversation. @param {'home' | 'messages'} tab */
    async opened(tab) {
      const answer = await post('/desk/opened', { user: user(), tab }).catch((error) => ({ ok: false, reason: error.message }));
      warning.textContent = answer.reason ?? '';
      warning.hidden = answer.ok;
    },
  };
}
