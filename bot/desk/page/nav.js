/** The list of places: the app's Home tab, channels, direct messages. */

/** @param {string} id @returns {any} */
const element = (id) => document.getElementById(id);

/** The hash of the Home tab. No channel has such a name. */
export const HOME = '#/home';

/**
 * @param {{channels: {id: string, name: string, kind: string}[], current: string | undefined, atHome: boolean, unread: Set<string>}} state
 */
export function showPlaces({ channels, current, atHome, unread }) {
  const links = (/** @type {string} */ kind) =>
    channels
      .filter((channel) => channel.kind === kind)
      .map((channel) => channelLink(channel, !atHome && channel.id === current, unread.has(channel.id)));
  const home = link(HOME, 'Home', atHome);
  home.dataset.testid = 'home';
  element('channels').replaceChildren(
    ...group('Rounds', [home]),
    ...group('Channels', links('channel')),
    ...group('Direct messages', links('direct')),
  );
}

/** @param {string} title @param {HTMLElement[]} links */
function group(title, links) {
  if (links.length === 0) return [];
  const heading = document.createElement('h2');
  heading.textContent = title;
  return [heading, ...links];
}

/** @param {{name: string, kind: string}} channel @param {boolean} isCurrent @param {boolean} isUnread */
function channelLink(channel, isCurrent, isUnread) {
  const one = link(`#${encodeURIComponent(channel.name)}`, channel.name, isCurrent);
  one.dataset.testid = 'channel';
  one.dataset.channel = channel.name;
  one.className = channel.kind;
  if (isUnread) one.classList.add('unread');
  return one;
}

/** @param {string} address @param {string} text @param {boolean} isCurrent */
function link(address, text, isCurrent) {
  const one = document.createElement('a');
  one.href = address;
  one.textContent = text;
  if (isCurrent) one.setAttribute('aria-current', 'page');
  one.addEventListener('click', () => showMenu(false));
  return one;
}

/** Shows or hides the list where it does not fit beside the channel. @param {boolean} open */
export function showMenu(open) {
  element('menu').setAttribute('aria-expanded', String(open));
  element('channels').classList.toggle('open', open);
}

/**
 * What the address's hash names: the Home tab, or a channel by name or id, and in it a message, and the thread that this is in.
 * @returns {{home: boolean, channel: string, ts: string | undefined, thread: string | undefined}}
 */
export function placeInHash() {
  const [channel = '', ts, thread] = location.hash.slice(1).split('/').map(decodeURIComponent);
  return { home: location.hash === HOME, channel, ts, thread };
}
