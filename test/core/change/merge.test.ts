import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseMoment } from '../../../core/change/moment.ts';
import { firstLine, oneLine, parseTimeMs, shortRevision, webAddress } from '../../../core/change/text.ts';
import { momentInWords } from '../../../core/change/words.ts';
import { mergeChange, type NewChange } from '../../../core/change.ts';

const told: fc.Arbitrary<NewChange> = fc
  .record({
    atMs: fc.integer({ min: 1, max: 1_000 }),
    outcome: fc.constantFrom('begun', 'done'),
    scoped: fc.boolean(),
    migration: fc.boolean(),
  })
  .map(({ atMs, outcome, scoped, migration }) => ({
    atMs,
    ...(outcome === 'done' ? { endedAtMs: 2_000 } : {}),
    kind: migration ? 'migration' : 'deployment',
    title: outcome === 'done' ? 'billing 4.12.0' : 'billing',
    outcome: outcome as NewChange['outcome'],
    source: 'argo-cd',
    services: scoped ? ['billing'] : [],
    components: [],
    tenants: [],
  }));

describe('what is told of one change', () => {
  test('makes the same of it in any order, and however often', () => {
    fc.assert(
      fc.property(fc.array(told, { minLength: 1, maxLength: 6 }), fc.infiniteStream(fc.nat()), (all, random) => {
        const shuffled = [...all, ...all].map((one) => ({ one, by: random.next().value })).sort((a, b) => a.by - b.by);
        const merged = (list: NewChange[]) => list.reduce(mergeChange);
        expect(merged(shuffled.map(({ one }) => one))).toEqual(merged(all));
      }),
    );
  });

  test('never goes back from its end, and never from one end to another', () => {
    const base: NewChange = {
      atMs: 5,
      kind: 'deployment',
      title: 'x',
      outcome: 'begun',
      source: 'api',
      services: [],
      components: [],
      tenants: [],
    };
    const done: NewChange = { ...base, outcome: 'done', endedAtMs: 9, by: 'ana' };
    expect(mergeChange(base, done)).toEqual(done);
    expect(mergeChange(done, { ...base, atMs: 3 })).toEqual({ ...done, atMs: 3 });
    expect(mergeChange(done, { ...base, outcome: 'failed', endedAtMs: 12 })).toEqual(done);
    expect(mergeChange(base, { ...base, url: 'https://a.example/' })).toEqual({ ...base, url: 'https://a.example/' });
  });
});

describe('texts', () => {
  test('are cut by characters, not in the middle of one', () => {
    expect(oneLine('🩺'.repeat(300))).toBe(`${'🩺'.repeat(199)}…`);
    expect(oneLine('a\u0000b\u200bc\u2029d')).toBe('a b c d');
    expect(firstLine('\n  Raise the pool\r\nmore')).toBe('Raise the pool');
    expect(shortRevision('main@sha1:731f7eaddfb6af01cb2173e18f0f75b0ba780ef1')).toBe('main@sha1:731f7ead');
  });

  test.each([
    ['https://ci.example/a b', 'https://ci.example/a%20b'],
    ['http://ci.example', 'http://ci.example/'],
    ['ftp://ci.example', undefined],
    ['javascript:alert(1)', undefined],
    ['https://ana:pw@ci.example', undefined],
    [`https://ci.example/${'a'.repeat(500)}`, undefined],
    ['ci.example', undefined],
  ])('the address %s', (text, url) => {
    expect(webAddress(text)).toBe(url);
  });

  test.each([
    ['2026-01-15T11:41:00Z', Date.UTC(2026, 0, 15, 11, 41)],
    ['2026-01-15T11:41:00.123456789Z', Date.UTC(2026, 0, 15, 11, 41, 0, 123)],
    ['2026-01-15T12:41+01:00', Date.UTC(2026, 0, 15, 11, 41)],
    ['2026-01-15 12:41:00 +0100', Date.UTC(2026, 0, 15, 11, 41)],
    ['2026-01-15 11:41:00 UTC', Date.UTC(2026, 0, 15, 11, 41)],
    ['2026-01-15T11:41:00', undefined],
    ['2026-13-15T11:41:00Z', undefined],
    ['1768477260', undefined],
  ])('the time %s', (text, atMs) => {
    expect(parseTimeMs(text)).toBe(atMs);
  });
});

describe('times as they are typed', () => {
  const zone = 'Europe/Berlin';
  const noonMs = Date.UTC(2026, 2, 29, 10, 0);
  test.each([
    // The clocks were put forward at 02:00 of that day.
    ['10:41', Date.UTC(2026, 2, 29, 8, 41)],
    ['01:30', Date.UTC(2026, 2, 29, 0, 30)],
    ['02:30', Date.UTC(2026, 2, 29, 1, 30)],
    ['12:00', noonMs],
    ['12:01', Date.UTC(2026, 2, 28, 11, 1)],
    ['2026-01-31 10:41', Date.UTC(2026, 0, 31, 9, 41)],
    ['2026-01-31T10:41:00Z', Date.UTC(2026, 0, 31, 10, 41)],
    ['24:00', undefined],
    ['1041', undefined],
    ['soon', undefined],
  ])('%s', (text, atMs) => {
    expect(parseMoment(text, noonMs, zone)).toBe(atMs);
  });

  test('and as they are told: a day is named where it is not today', () => {
    const words = (at: number) => momentInWords(at, noonMs, zone);
    expect(words(Date.UTC(2026, 2, 28, 23, 30))).toBe('00:30');
    expect(words(Date.UTC(2026, 2, 28, 22, 30))).toBe('Sat 23:30');
    expect(words(Date.UTC(2026, 2, 1, 9, 0))).toBe('1 Mar 10:00');
  });
});
