import { describe, expect, test } from 'vitest';
import { locatorInWords } from '../../probes/journey/locator.ts';
import { tell } from '../../probes/journey/words.ts';

test.each([
  ["getByRole('button', { name: 'Confirm' })", 'button "Confirm"'],
  ["getByRole('textbox', { name: /amount/i })", 'field "amount"'],
  ["getByLabel('Password')", 'field "Password"'],
  ["getByText('It\\'s paid')", 'text "It\'s paid"'],
  ["getByRole('row', { name: 'Jane' }).getByRole('cell').first()", 'the cell in row "Jane"'],
  ["getByRole('heading', { name: 'Today' }).or(getByRole('alert')).first()", 'heading "Today"'],
  ["locator('#total')", 'element "#total"'],
  ["getByRole('table')", 'the table'],
  ['what Playwright may say tomorrow', 'an element'],
])('%s is %s', (locator, words) => {
  expect(locatorInWords(locator)).toBe(words);
});

/** As Playwright 1.65 says it, colours included. */
const timeout = (message: string) => Object.assign(new Error(message), { name: 'TimeoutError' });
const LOG = 'Call log:\n\u001b[2m  - waiting for';

describe('what Playwright throws, in one sentence', () => {
  test.each([
    [
      timeout(`locator.click: Timeout 5000ms exceeded.\n${LOG} getByRole('button', { name: 'Confirm' })\u001b[22m\n`),
      'timeout',
      'button "Confirm" did not appear within 5 s',
    ],
    [
      timeout(
        `locator.click: Timeout 300ms exceeded.\n${LOG} getByText('Save')\u001b[22m\n    - locator resolved to <b>Save</b>\n      - element is not enabled\n`,
      ),
      'timeout',
      'text "Save" stayed disabled for 300 ms',
    ],
    [
      timeout(`locator.waitFor: Timeout 300ms exceeded.\n${LOG} getByText('Busy') to be hidden\u001b[22m\n`),
      'timeout',
      'text "Busy" did not disappear within 300 ms',
    ],
    [timeout('page.goto: Timeout 15000ms exceeded.\nCall log:\n'), 'timeout', 'no answer within 15 s'],
    [
      timeout('page.waitForURL: Timeout 2000ms exceeded.\n=== logs ===\nwaiting for navigation to "**/done"'),
      'timeout',
      'the next page did not come within 2 s',
    ],
    [timeout('page.waitForEvent: Timeout 300ms exceeded while waiting for event "download"'), 'timeout', 'no download came within 300 ms'],
    [new Error('page.goto: net::ERR_NAME_NOT_RESOLVED at http://a.invalid/\nCall log:\n'), 'dns', 'a.invalid is not known to DNS'],
    [
      new Error('page.goto: net::ERR_CERT_DATE_INVALID at https://a.example/x'),
      'tls',
      'a.example has a certificate that has expired or is not valid yet',
    ],
    [
      new Error('page.goto: net::ERR_CERT_WEAK_KEY at https://a.example:8443/x'),
      'tls',
      'a.example:8443 has a certificate that is not valid (cert weak key)',
    ],
    [
      new Error('page.goto: net::ERR_EMPTY_RESPONSE at http://a.example/'),
      'connection-reset',
      'a.example closed the connection without an answer',
    ],
    [new Error('page.goto: net::ERR_TOO_MANY_REDIRECTS at http://a.example/'), 'redirect', 'a.example redirects in a circle'],
    [new Error('page.goto: net::ERR_ABORTED at http://a.example/'), 'navigation', 'a.example could not be opened (aborted)'],
    [
      new Error('page.evaluate: TypeError: x is not a function\n    at eval'),
      'page-error',
      "the page's script failed: TypeError: x is not a function",
    ],
    [
      new Error("locator.click: Error: strict mode violation: getByText('a') resolved to 2 elements:\n 1)"),
      'assertion',
      'text "a" is there 2 times, expected once',
    ],
    [
      new Error(
        "expect(locator).toBeVisible() failed\n\nLocator: getByRole('heading', { name: 'Paid' })\nExpected: visible\nTimeout: 5000ms\nError: element(s) not found\n",
      ),
      'assertion',
      'heading "Paid" is not there, after 5 s',
    ],
    [
      new Error(
        'expect(locator).toHaveText(expected) failed\n\nLocator:  locator(\'b\')\nExpected: "80.00"\nReceived: "0.00"\nTimeout:  200ms\n',
      ),
      'assertion',
      'element "b" is "0.00", expected "80.00", after 200 ms',
    ],
    [
      new Error('expect(received).toBe(expected) // Object.is equality\n\nExpected: 2\nReceived: 1'),
      'assertion',
      'the value is 1, expected 2',
    ],
  ])('%s', (error, kind, message) => {
    expect(tell(error)).toEqual({ verdict: 'down', kind, message });
  });

  test('a limit that was only what was left is told as what was meant', () => {
    const error = timeout('page.goto: Timeout 4850ms exceeded.');
    expect(tell(error, { setMs: 4850, meantMs: 5000 }).message).toBe('no answer within 5 s');
  });
});
