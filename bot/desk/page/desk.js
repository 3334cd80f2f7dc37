/**
 * The page of the desk. It shows what the server rendered, is told of changes by /desk/live, and never polls Slack.
 *
 * Selectors that tests may rely on (data-testid unless said otherwise):
 *   channels                    the list; each entry `channel` with data-channel="billing-incidents" and aria-current
 *   channel-title               the name of the open channel
 *   messages                    the open channel's messages; each `message` with data-ts; inside it
 *     block-button              a button, found by its text: messages.getByRole('button', {name: 'Acknowledge'})
 *     open-thread               "Reply in thread", "1 reply", "3 replies"
 *     edited, only-you, dismiss marks of an edited and of an ephemeral message
 *     warning                   why a press failed (role=alert)
 *   confirm                     the dialog of a button that asks first; confirm-yes, confirm-deny
 *   thread                      the side pane; its messages in `replies`, each a `message`; thread-composer, thread-input, close-thread
 *   composer, composer-input    where text and slash commands are typed, sent with Enter; composer-warning (role=alert)
 *   command-hints               the list of commands while a "/" is typed; each `command-hint`
 *   user                        the select that says who you are, by user id: selectOption('U0BEN')
 *   live                        empty while connected, else a sentence
 *   clinic-toggle, clinic       the panel; each `fault` with data-fault; in it `fault-switch` (role=switch) with data-tenant="riverside" or "*"
 *                               for all clinics; aria-checked. clinic-warning (role=alert)
 * The address's hash is the open channel: /#billing-incidents.
 */

import { get } from './api.js';
import { clinicPanel } from './clinic.js';
import { composer } from './composer.js';
import { showMessages, whenPressed } from './messages.js';

/** @param {string} id @returns {any} */
const element = (id) => document.getElementById(id);

/** @type {{user: string, channel: {id: string, name: string, kind: string} | undefined, channels: any[], thread: string | undefined, unread: Set<string>, turn: number}} */
const state = { user: '', channel: undefined, channels: [], thread: undefined, unread: new Set(), turn: 0 };

/** @type {EventSource | undefined} */
let source;

const setup = await get('/desk/setup');
element('team').textContent = setup.team;
fillUsers();
const where = () => ({ user: state.user, channel: state.channel?.id ?? '' });
const clinic = setup.clinic ? clinicPanel() : undefined;
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
  source = new EventSource(`/desk/live?user=${state.user}`);
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
  if (event.type === 'channels') return loadChannels();
  if (event.channel === state.channel?.id) return refresh();
  if (event.channel) state.unread.add(event.channel);
  showChannels();
}

async function loadChannels() {
  state.channels = await get(`/desk/channels?user=${state.user}`);
  await openFromHash();
}

async function openFromHash() {
  const name = decodeURIComponent(location.hash.slice(1));
  const next = state.channels.find((channel) => channel.name === name) ?? state.channels[0];
  if (next?.id !== state.channel?.id) state.thread = undefined;
  state.channel = next;
  if (next) state.unread.delete(next.id);
  showMenu(false);
  showChannels();
  const title = next?.kind === 'direct' ? next.name : `# ${next?.name ?? ''}`;
  element('channel-title').textContent = title;
  document.title = `${title} · Rounds desk`;
  mainComposer.label(`Message ${title.replace('# ', '#')}`);
  await refresh();
}

function showChannels() {
  element('channels').replaceChildren(...['channel', 'direct'].flatMap(channelGroup));
}

/** @param {string} kind */
function channelGroup(kind) {
  const mine = state.channels.filter((channel) => channel.kind === kind);
  if (mine.length === 0) return [];
  const title = document.createElement('h2');
  title.textContent = kind === 'direct' ? 'Direct messages' : 'Channels';
  return [title, ...mine.map(channelLink)];
}

/** @param {{id: string, name: string, kind: string}} channel */
function channelLink(channel) {
  const link = document.createElement('a');
  link.href = `#${encodeURIComponent(channel.name)}`;
  link.dataset.testid = 'channel';
  link.dataset.channel = channel.name;
  link.className = channel.kind;
  link.textContent = channel.name;
  if (channel.id === state.channel?.id) link.setAttribute('aria-current', 'page');
  if (state.unread.has(channel.id)) link.classList.add('unread');
  link.addEventListener('click', () => showMenu(false));
  return link;
}

/** @param {boolean} open */
function showMenu(open) {
  element('menu').setAttribute('aria-expanded', String(open));
  element('channels').classList.toggle('open', open);
}

async function refresh() {
  const channel = state.channel?.id;
  if (!channel) return;
  state.turn += 1;
  const turn = state.turn;
  const address = `/desk/channels/${channel}/messages?user=${state.user}`;
  const [messages, replies] = await Promise.all([get(address), state.thread ? get(`${address}&thread=${state.thread}`) : []]);
  // A later refresh knows better; this answer may be older than what is shown.
  if (turn !== state.turn) return;
  element('thread').hidden = state.thread === undefined;
  clinic?.cover(state.thread !== undefined);
  showMessages(element('messages'), messages, channel);
  showMessages(element('replies'), replies, `${channel} ${state.thread}`);
}

/** @param {string | undefined} ts */
async function openThread(ts) {
  state.thread = ts;
  await refresh();
  if (ts) threadComposer.focus();
}
