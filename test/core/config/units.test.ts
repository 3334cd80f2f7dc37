import { describe, expect, test } from 'vitest';
import { durationMs, percentRatio, sizeBytes, text, urlOrSecret } from '../../../core/config/units.ts';

describe('units', () => {
  test.each([
    [durationMs(), '30s', 30_000],
    [durationMs(), '1.5m', 90_000],
    [durationMs({ min: '1s' }), '500ms', undefined],
    [durationMs({ min: '1s', max: '1h' }), '1h', 3_600_000],
    [durationMs(), '30', undefined],
    [durationMs(), '0s', undefined],
    [percentRatio(), '80%', 0.8],
    [percentRatio(), '99.9%', 0.999],
    [percentRatio(), '0%', 0],
    [percentRatio(), '101%', undefined],
    [percentRatio(), '0.8', undefined],
    [sizeBytes(), '200MB', 200_000_000],
    [sizeBytes(), '1.5GiB', 1_610_612_736],
    [sizeBytes(), '512B', 512],
    [sizeBytes(), '200mb', undefined],
    [sizeBytes(), '0MB', undefined],
    [text(5), '12345', '12345'],
    [text(5), '123456', undefined],
    [text(), ' ', undefined],
  ])('%# reads %s', (schema, written, expected) => {
    expect(schema.safeParse(written).data).toBe(expected);
  });

  test.each([
    ['https://clinic.example/health', true],
    [`\${secret:URL}`, true],
    [`\${tenant.url}/health`, true],
    [`https://\${secret:HOST}:\${tenant.port}/`, true],
    ['clinic.example', false],
    ['ftp://clinic.example', false],
    ['https://clinic.example/a b', false],
    ['', false],
  ])('takes %s for an address: %s', (written, taken) => {
    expect(urlOrSecret().safeParse(written).success).toBe(taken);
  });
});
