/** From what a journey threw to a failure kind and one sentence. Playwright's call logs and colours stay behind. */
import { stripVTControlCharacters } from 'node:util';
import { limitInWords, plain, withoutPort } from '../words.ts';
import { locatorInWords } from './locator.ts';
import { JourneyMistake, StepTooLong } from './steps.ts';

export interface Told {
  /** `fault` for what is the journey's own mistake. */
  verdict: 'down' | 'fault';
  kind: 'timeout' | 'assertion' | 'page-error' | 'journey-error' | Unopened;
  message: string;
}

/** Why a page could not be opened, by the names that other probes have for it. */
type Unopened =
  | 'connection-refused'
  | 'connection-reset'
  | 'unreachable'
  | 'dns'
  | 'tls'
  | 'protocol'
  | 'redirect'
  | 'timeout'
  | 'navigation';

/** Tells a failure. `said` replaces Playwright's own limit when that was only what was left of the step's. */
export function tell(error: unknown, said?: { setMs: number; meantMs: number }): Told {
  if (error instanceof StepTooLong) return down('timeout', `not finished within ${limitInWords(error.limitMs)}`);
  if (error instanceof JourneyMistake) return mistake(error.message, error);
  if (!(error instanceof Error)) return mistake('it threw what is no error', error);
  const message = stripVTControlCharacters(error.message);
  if (isPlaywrights(error)) return ofPlaywright(message, said);
  if (['TypeError', 'ReferenceError', 'SyntaxError', 'RangeError'].includes(error.name)) return mistake(`${error.name}: ${message}`, error);
  if (message.startsWith('expect(')) return ofExpect(message);
  return down('assertion', firstLine(message) || 'the journey found something wrong');
}

function down(kind: Told['kind'], message: string): Told {
  return { verdict: 'down', kind, message: plain(message, 300) };
}

function mistake(message: string, error: unknown): Told {
  const place = error instanceof Error ? placeOf(error) : '';
  return { verdict: 'fault', kind: 'journey-error', message: plain(`the journey itself is wrong: ${firstLine(message)}${place}`, 300) };
}

/** The first line of the stack that is neither Node's nor a library's nor ours. */
function placeOf(error: Error): string {
  const lines = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  const own = lines.find((line) => !/node:|node_modules|\/probes\/journey\//.test(line));
  const found = /([^/\\?]+\.[cm]?[jt]s)(?:[?#][^:]*)?:(\d+):\d+\)?$/.exec(own ?? '');
  return found ? ` (${found[1]}:${found[2]})` : '';
}

function firstLine(message: string): string {
  return (message.split('\n').find((line) => line.trim() !== '') ?? '').trim();
}

/** `locator.click: …`, `page.goto: …`; its time-outs carry their own name. */
function isPlaywrights(error: Error): boolean {
  return (
    error.name === 'TimeoutError' ||
    /^(?:locator|page|frame|frameLocator|elementHandle|browserContext|apiRequestContext|keyboard|mouse)\.\w+: /.test(error.message)
  );
}

function ofPlaywright(message: string, said?: { setMs: number; meantMs: number }): Told {
  const timeout = /Timeout (\d+)ms exceeded/.exec(message);
  if (timeout) {
    const ms = Number(timeout[1]);
    return down('timeout', timeoutInWords(message, limitInWords(said && said.setMs === ms ? said.meantMs : ms)));
  }
  const net = /(net::ERR_[A-Z_]+|NS_ERROR_[A-Z_]+)(?: at (\S+))?/.exec(message);
  if (net) return unopened(net[1] ?? '', net[2] ?? '');
  const strict = /strict mode violation: (.+) resolved to (\d+) elements/.exec(message);
  if (strict) return down('assertion', `${locatorInWords(strict[1] ?? '')} is there ${strict[2]} times, expected once`);
  const [, method = '', rest = ''] = /^(\w+\.\w+): ([\s\S]*)$/.exec(message) ?? [];
  if (/evaluate/i.test(method)) return down('page-error', `the page's script failed: ${firstLine(rest)}`);
  return down('page-error', firstLine(rest.replace(/^Error: /, '')) || 'the page failed');
}

function timeoutInWords(message: string, limit: string): string {
  const method = /^(\w+\.\w+)/.exec(message)?.[1] ?? '';
  if (/\.(goto|reload|goBack|goForward)$/.test(method)) return `no answer within ${limit}`;
  if (/\.(waitForURL|waitForNavigation|waitForLoadState)$/.test(method)) return `the next page did not come within ${limit}`;
  if (/\.(waitForResponse|waitForRequest)$/.test(method)) return `no answer of the server within ${limit}`;
  if (method === 'page.waitForEvent') return `no ${/event "(\w+)"/.exec(message)?.[1] ?? 'event'} came within ${limit}`;
  const awaited = /waiting for (.+?)(?: to be (visible|hidden|attached|detached))?(?:\n|$)/.exec(message);
  if (!awaited || !/getBy|locator/i.test(awaited[1] ?? '')) return `not finished within ${limit}`;
  const element = locatorInWords(awaited[1] ?? '');
  if (awaited[2] === 'hidden' || awaited[2] === 'detached') return `${element} did not disappear within ${limit}`;
  return message.includes('resolved to') ? `${element} ${obstacle(message)} ${limit}` : `${element} did not appear within ${limit}`;
}

/** Why an element that is there cannot be used: the last reason that Playwright gave. */
function obstacle(message: string): string {
  const reasons = [...message.matchAll(/element is not (enabled|visible|stable|editable)|intercepts pointer events/g)];
  const last = reasons.at(-1);
  if (last?.[1] === 'enabled') return 'stayed disabled for';
  if (last?.[1] === 'visible') return 'stayed invisible for';
  if (last?.[1] === 'editable') return 'stayed read-only for';
  if (last?.[1] === 'stable') return 'kept moving for';
  return last ? 'was covered by something else for' : 'could not be used within';
}

/** Chromium's errors; the first that fits. CODE stands for its own name. */
const NET_ERRORS: readonly [code: RegExp, kind: Unopened, words: string][] = [
  [/^CONNECTION_REFUSED$/, 'connection-refused', 'refused the connection'],
  [/^CONNECTION_(RESET|CLOSED|ABORTED)$/, 'connection-reset', 'closed the connection'],
  [/^EMPTY_RESPONSE$/, 'connection-reset', 'closed the connection without an answer'],
  [/^NAME_(NOT_RESOLVED|RESOLUTION_FAILED)$/, 'dns', 'is not known to DNS'],
  [/^(ADDRESS_UNREACHABLE|INTERNET_DISCONNECTED)$/, 'unreachable', 'cannot be reached'],
  [/^CONNECTION_TIMED_OUT$/, 'timeout', 'gave no connection'],
  [/^TIMED_OUT$/, 'timeout', 'gave no answer'],
  [/^TOO_MANY_REDIRECTS$/, 'redirect', 'redirects in a circle'],
  [/^CERT_DATE_INVALID$/, 'tls', 'has a certificate that has expired or is not valid yet'],
  [/^CERT_COMMON_NAME_INVALID$/, 'tls', 'has a certificate for another name'],
  [/^CERT_AUTHORITY_INVALID$/, 'tls', 'has a certificate that is signed by nobody that is trusted'],
  [/^CERT_/, 'tls', 'has a certificate that is not valid (CODE)'],
  [/^SSL_/, 'tls', 'broke the TLS handshake off (CODE)'],
  [/^INVALID_HTTP_RESPONSE$/, 'protocol', 'did not answer in HTTP'],
];
const OTHERWISE = [/^/, 'navigation', 'could not be opened (CODE)'] as const;

function unopened(error: string, address: string): Told {
  const host = URL.canParse(address) ? new URL(address).host : 'the server';
  const code = error.replace(/^(net::ERR|NS_ERROR)_/, '');
  const [, kind, words] = NET_ERRORS.find(([form]) => form.test(code)) ?? OTHERWISE;
  const who = kind === 'dns' ? withoutPort(host) : host;
  return down(kind, `${who} ${words.replace('CODE', code.toLowerCase().replaceAll('_', ' '))}`);
}

const MATCHERS: Readonly<Record<string, string>> = {
  toBeVisible: 'is not visible',
  toBeHidden: 'is still visible',
  toBeEnabled: 'is disabled',
  toBeDisabled: 'is enabled',
  toBeChecked: 'is not checked',
  toBeAttached: 'is not there',
};

/** Playwright's `expect`: the locator, what was expected and what was there. */
function ofExpect(message: string): Told {
  const field = (name: string) => new RegExp(`^${name}:\\s*(.+)$`, 'm').exec(message)?.[1]?.trim();
  const [, subject = '', matcher = ''] = /^expect\(([^)]*)\)\.(?:not\.)?(\w+)/.exec(message) ?? [];
  const locator = field('Locator');
  const what = locator ? locatorInWords(locator) : subject === 'page' ? 'the page' : 'the value';
  const timeout = field('Timeout')?.match(/^(\d+)ms$/)?.[1];
  const within = timeout === undefined ? '' : `, after ${limitInWords(Number(timeout))}`;
  if (message.includes('element(s) not found')) return down('assertion', `${what} is not there${within}`);
  if (MATCHERS[matcher] && !message.includes(').not.')) return down('assertion', `${what} ${MATCHERS[matcher]}${within}`);
  const [expected, received] = [field('Expected[^:]*'), field('Received[^:]*')];
  if (expected === undefined || received === undefined) return down('assertion', firstLine(message));
  return down('assertion', `${what} is ${received}, expected ${expected}${within}`);
}
