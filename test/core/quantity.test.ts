import { expect, test } from 'vitest';
import { counted, measurementInWords, percentInWords, shortNumber, sizeInWords } from '../../core/quantity.ts';
import { loadProbes } from '../../probes/registry.ts';

test('words for sizes, ratios and counts', () => {
  const sizes = [0, 1, 312, 1000, 40_400, 1_500_000, 12_300_000, 3_000_000_000].map(sizeInWords);
  expect(sizes).toEqual(['0 bytes', '1 byte', '312 bytes', '1 kB', '40 kB', '1.5 MB', '12 MB', '3 GB']);
  expect([percentInWords(0.804), shortNumber(1.26), shortNumber(12.6), shortNumber(-3.01)]).toEqual(['80 %', '1.3', '13', '-3']);
  expect([counted('1', 'key is', 'keys are'), counted('0', 'key is', 'keys are')]).toEqual(['1 key is', '0 keys are']);
});

test.each([
  ['connect_ms', 12.34, 'connect', '12 ms'],
  ['first_byte_ms', 0.42, 'first byte', '0.4 ms'],
  ['login_ms', 4210, 'login', '4.2 s'],
  ['replication_lag_s', 75, 'replication lag', '1 min'],
  ['uptime_s', 183_600, 'uptime', '2 d 3 h'],
  ['evictions_per_s', 3, 'evictions', '3 a second'],
  ['cert_left_days', 41.26, 'cert left', '41 days'],
  ['cert_left_days', -0.5, 'cert left', '-0.5 days'],
  ['connections_ratio', 0.804, 'connections', '80 %'],
  ['memory_fragmentation_ratio', 1.52, 'memory fragmentation', '1.5'],
  ['memory_used_bytes', 1_540_000, 'memory used', '1.5 MB'],
  ['blocked_sessions_count', 3, 'blocked sessions', '3'],
  ['score', 3, 'score', '3'],
])('%s %d is %s %s', (name, value, what, amount) => {
  expect(measurementInWords(name, value)).toEqual({ what, amount });
});

test('no measurement of any probe is shown without its unit', async () => {
  for (const [type, probe] of await loadProbes()) {
    for (const name of Object.keys(probe.measurements)) {
      expect(measurementInWords(name, 7).what, `${type}: ${name}`).not.toBe(name.replaceAll('_', ' '));
    }
  }
});
