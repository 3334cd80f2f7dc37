import { expect, test } from 'vitest';
import { loadConfig } from '../../../core/config/load.ts';
import { keptOf } from '../../../core/config/storage.ts';
import { completed, parts } from './parts.ts';

const HOUR_MS = 3_600_000;

function load(text: string) {
  const loaded = loadConfig({ file: 'rounds.yaml', text: completed(text) }, parts);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.config;
}

test('what is kept for how long is what is written, and the usual for the rest', () => {
  expect(keptOf(load(''))).toEqual({ rawMs: 48 * HOUR_MS, hoursMs: 90 * 24 * HOUR_MS, daysMs: 365 * 24 * HOUR_MS });
  expect(keptOf(load('storage: { raw: 25h, days: 730d }'))).toEqual({
    rawMs: 25 * HOUR_MS,
    hoursMs: 90 * 24 * HOUR_MS,
    daysMs: 730 * 24 * HOUR_MS,
  });
});

test('another time is another revision; nothing written is none', () => {
  expect(load('storage: { raw: 72h }').revision).not.toBe(load('').revision);
  expect(load('').storage).toBeUndefined();
});
