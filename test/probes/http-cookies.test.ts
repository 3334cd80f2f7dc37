/** Which cookie goes back to whom. */
import { describe, expect, test } from 'vitest';
import { CookieJar } from '../../probes/web/cookies.ts';

const PORTAL = 'https://portal.clinic.example/reports/daily';

/** What goes to an address after the portal has set these. */
function sent(setCookie: string | string[], to: string, from = PORTAL): string | undefined {
  const jar = new CookieJar();
  jar.take(new URL(from), [setCookie].flat());
  return jar.headerFor(new URL(to));
}

describe('a cookie', () => {
  test.each([
    ['a=1', 'https://portal.clinic.example/reports/weekly', 'a=1'],
    ['a=1', 'https://portal.clinic.example/billing', undefined],
    ['a=1; Path=/', 'https://portal.clinic.example/billing', 'a=1'],
    ['a=1; Path=/bill', 'https://portal.clinic.example/billing', undefined],
    ['a=1; Path=/bill', 'https://portal.clinic.example/bill/7', 'a=1'],
    ['a=1; Path=relative', 'https://portal.clinic.example/reports/x', 'a=1'],
    ['a=1; Path=/', 'https://login.clinic.example/', undefined],
    ['a=1; Path=/; Domain=clinic.example', 'https://login.clinic.example/', 'a=1'],
    ['a=1; Path=/; Domain=.Clinic.Example', 'https://clinic.example/', 'a=1'],
    ['a=1; Path=/; Domain=clinic.example', 'https://notclinic.example/', undefined],
    ['a=1; Path=/; Domain=other.example', 'https://other.example/', undefined],
    ['a=1; Path=/; Domain=login.clinic.example', 'https://login.clinic.example/', undefined],
    ['a=1; Path=/; Domain=example', 'https://bank.example/', undefined],
    ['a=1; Path=/; Secure', 'http://portal.clinic.example/', undefined],
    ['a=1; Path=/; Secure', 'https://portal.clinic.example/', 'a=1'],
    ['a=1; Path=/; Max-Age=0', PORTAL, undefined],
    ['a=1; Path=/; Max-Age=-1', PORTAL, undefined],
    ['a=1; Path=/; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT', PORTAL, 'a=1'],
    ['a=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT', PORTAL, undefined],
    ['a=1; Path=/; Expires=whenever', PORTAL, 'a=1'],
    ['=1; Path=/', PORTAL, undefined],
    ['nothing', PORTAL, undefined],
    ['a="x=y"; Path=/', PORTAL, 'a="x=y"'],
    [`a=${'x'.repeat(5000)}; Path=/`, PORTAL, undefined],
  ])('%s for %s', (line, to, expected) => {
    expect(sent(line, to)).toBe(expected);
  });

  test('of a bare address goes to no other address', () => {
    expect(sent('a=1; Path=/; Domain=0.0.1', 'http://10.0.0.1/', 'http://127.0.0.1/')).toBeUndefined();
    expect(sent('a=1; Path=/; Domain=127.0.0.1', 'http://127.0.0.1/', 'http://127.0.0.1/')).toBe('a=1');
  });
});

test('several go together, the longer path first, and the last of a name counts', () => {
  const lines = ['a=1; Path=/', 'b=2; Path=/reports', 'a=3; Path=/'];
  expect(sent(lines, PORTAL)).toBe('b=2; a=3');
});

test('there are at most fifty', () => {
  const lines = Array.from({ length: 80 }, (_, index) => `c${index}=1; Path=/`);
  expect(sent(lines, PORTAL)?.split('; ')).toHaveLength(50);
});

test('only values that may be sessions are secret', () => {
  const jar = new CookieJar();
  jar.take(new URL(PORTAL), ['session=8d1f0c2a9b', 'lang=de']);
  expect(jar.secrets()).toEqual(['8d1f0c2a9b']);
});
