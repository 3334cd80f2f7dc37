/**
 * The page of the desk. It shows what the server rendered, is told of changes by /desk/live, and never polls Slack.
 *
 * Selectors that tests may rely on (data-testid unless said otherwise):
 *   channels                    the list; each entry `channel` with data-channel="billing-incidents" and aria-current; `home` opens the Home tab
 *   channel-title               the name of the open channel
 *   messages                    the open channel's messages; each `message` with data-ts; inside it
 *     block-button              a button, found by its text: messages.getByRole('button', {name: 'Acknowledge'})
 *     open-thread               "Reply in thread", "1 reply", "3 replies"
 *     edited, only-you, dismiss marks of an edited and of an ephemeral message
 *     warning                   why a press failed (role=alert)
 *     file                      the download of a file that is no picture
 *   home-tab                    what the bot published for the person; its buttons as in messages; home-warning (role=alert)
 *   modal                       the dialog on top; modal-title, modal-submit, modal-cancel, modal-close, modal-back, modal-warning (role=alert);
 *                               fields are found by their labels, field-error is what is wrong with one
 *   confirm                     the dialog of a button that asks first; confirm-yes, confirm-deny
 *   thread                      the side pane; its messages in `replies`, each a `message`; thread-composer, thread-input, close-thread
 *   composer, composer-input    where text and slash commands are typed, sent with Enter; composer-warning (role=alert)
 *   command-hints               the list of commands while a "/" is typed; each `command-hint`
 *   user                        the select that says who you are, by user id: selectOption('U0BEN')
 *   live                        empty while connected, else a sentence
 *   clinic-toggle, clinic       the panel; each `fault` with data-fault; in it `fault-switch` (role=switch) with data-tenant="riverside" or "*"
 *                               for all clinics; aria-checked. clinic-warning (role=alert)
 * The address's hash is the open channel: /#billing-incidents, and a message in it: /#billing-incidents/1700000000.000100; or /#/home.
 */

import { client, get } from './api.js';
import { clinicPanel } from './clinic.js';
import { composer } from './composer.js';
import { homeTab } from './home.js';
import { showMessages, whenPressed } from './messages.js';
import { modal } from './modal.js';
import { placeInHash, showMenu, showPlaces } from './nav.js';

/** @param {string} id @returns {any} */
const element = (id) => document.getElementById(id);

/** @type {{user: string, atHome: boolean, channel: {id: string, name: string, kind: string} | undefined, channels: any[], thread: string | undefined, pointed: string | undefined, unread: Set<string>, turn: number}} */
const state = {
  user: '',
  atHome: false,
  channel: undefined,
  channels: [],
  thread: undefined,
  pointed: undefined,
  unread: new Set(),
  turn: 0,
};

/** @type {EventSource | undefined} */
let source;
/** What was last told to the bot as opened: by whom, and which tab. */
let toldOpened = '';

const setup = await get('/desk/setup');
element('team').textContent = setup.team;
fillUsers();
const where = () => ({ user: state.user, channel: state.channel?.id ?? '' });
const clinic = setup.clinic ? clinicPanel() : undefined;
const home = homeTab(() => state.user);
const dialog = modal(() => state.user);
const mainComposer = composer(element('composer'), { testId: 'composer-input', commands: setup.commands, where });
const threadComposer = composer(element('thread-composer'), {
  testId: 'thread-input',
  commands: [],
  where: () => ({ ...where(), thread: state.thread }),
});
threadComposer.label('Reply in the thread');
for (const list of [element('messages'), element('replies')]) {
  whenPressed(list, {
    where,
    threadOf: () => (list.id === 'replies' ? state.thread : undefined),
    openThread: (/** @type {string} */ ts) => void openThread(ts),
  });
}
element('close-thread').addEventListener('click', () => void openThread(undefined));
element('menu').addEventListener('click', () => showMenu(element('menu').getAttribute('aria-expanded') !== 'true'));
addEventListener('hashchange', () => void openFromHash());
addEventListener('click', followPermalink);
connect();

function fillUsers() {
  const select = element('user');
  select.replaceChildren(...setup.people.map((/** @type {any} */ person) => new Option(person.name, person.id)));
  const kept = sessionStorage.getItem('user');
  state.user = setup.people.some((/** @type {any} */ person) => person.id === kept) ? kept : setup.people[0].id;
  select.value = state.user;
  select.addEventListener('change', () => {
    state.user = select.value;
    sessionStorage.setItem('user', state.user);
    connect();
  });
}

/** Opens the stream of changes for the current user. Its first event makes the page fetch everything, after a lost connection too. */
function connect() {
  source?.close();
  source = new EventSource(`/desk/live?user=${state.user}&client=${client}`);
  source.onopen = () => setLive('');
  source.onerror = () => setLive('The desk is not running. Waiting for it.');
  source.onmessage = (message) => void follow(JSON.parse(message.data));
}

/** @param {string} sentence */
function setLive(sentence) {
  element('live').textContent = sentence;
}

/** @param {{type: string, channel?: string}} event */
async function follow(event) {
  if (event.type === 'modal') return dialog.refresh();
  if (event.type === 'home') return home.refresh();
  if (event.type === 'channels') return loadAll();
  if (event.channel === state.channel?.id && !state.atHome) return refresh();
  if (event.channel) state.unread.add(event.channel);
  showList();
}

async function loadAll() {
  state.channels = await get(`/desk/channels?user=${state.user}`);
  await Promise.all([openFromHash(), dialog.refresh()]);
}

async function openFromHash() {
  const place = placeInHash();
  state.atHome = place.home;
  const named = state.channels.find((channel) => channel.name === place.channel || channel.id === place.channel);
  const next = place.home ? state.channel : (named ?? state.channels[0]);
  if (next?.id !== state.channel?.id || place.home) state.thread = undefined;
  if (place.thread) state.thread = place.thread;
  state.channel = next;
  state.pointed = place.ts;
  if (next && !place.home) state.unread.delete(next.id);
  showMenu(false);
  showList();
  showTitle();
  tellOpened();
  await (state.atHome ? home.refresh() : refresh());
  showPlace();
}

function showList() {
  showPlaces({ channels: state.channels, current: state.channel?.id, atHome: state.atHome, unread: state.unread });
}

function showTitle() {
  const name = state.channel?.name ?? '';
  const title = state.atHome ? 'Home' : state.channel?.kind === 'direct' ? name : `# ${name}`;
  element('channel-title').textContent = title;
  document.title = `${title} · Rounds desk`;
  mainComposer.label(`Message ${title.replace('# ', '#')}`);
}

function showPlace() {
  home.show(state.atHome);
  element('messages').hidden = state.atHome;
  element('composer').hidden = state.atHome;
  if (!state.atHome) return;
  element('thread').hidden = true;
  clinic?.cover(false);
}

/** Slack tells an app when somebody opens its Home tab, or its direct conversation. */
function tellOpened() {
  const tab = state.atHome ? 'home' : state.channel?.kind === 'direct' ? 'messages' : '';
  const opened = `${state.user} ${tab}`;
  if (opened === toldOpened) return;
  toldOpened = opened;
  if (tab) void home.opened(tab);
}

async function refresh() {
  const channel = state.channel?.id;
  if (!channel) return;
  state.turn += 1;
  const turn = state.turn;
  const address = `/desk/channels/${channel}/messages?user=${state.user}`;
  const [messages, replies] = await Promise.all([get(address), state.thread ? get(`${address}&thread=${state.thread}`) : []]);
  // A later refresh knows better; this answer may be older than what is shown.
  if (turn !== state.turn || state.atHome) return;
  element('thread').hidden = state.thread === undefined;
  clinic?.cover(state.thread !== undefined);
  showMessages(element('messages'), messages, channel);
  showMessages(element('replies'), replies, `${channel} ${state.thread}`);
  pointOut();
}

/** Brings the message of a permalink into sight, once. */
function pointOut() {
  const ts = state.pointed;
  state.pointed = undefined;
  const message =
    ts && document.querySelector(`${state.thread ? '#replies' : '#messages'} [data-testid="message"][data-ts="${CSS.escape(ts)}"]`);
  if (!message) return;
  message.closest('ol')?.setAttribute('data-follow', 'no');
  message.scrollIntoView({ block: 'center' });
  message.classList.add('pointed');
}

/** A permalink to a message of this workspace leads there, in this page. @param {MouseEvent} event */
function followPermalink(event) {
  const link = /** @type {HTMLElement} */ (event.target).closest?.('a');
  const [, channel, seconds, rest] = /^\/archives\/(\w+)\/p(\d+)(\d{6})$/.exec(link?.pathname ?? '') ?? [];
  if (!link || link.origin !== location.origin || !channel) return;
  event.preventDefault();
  const thread = new URLSearchParams(link.search).get('thread_ts');
  location.hash = [channel, `${seconds}.${rest}`, ...(thread ? [thread] : [])].join('/');
}

/** @param {string | undefined} ts */
async function openThread(ts) {
  state.thread = ts;
  await refresh();
  if (ts) threadComposer.focus();
}
