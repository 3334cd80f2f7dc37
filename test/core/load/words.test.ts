import { expect, test } from 'vitest';
import { type Amounts, loadInWords } from '../../../core/load/words.ts';

test.each<[Amounts, string]>([
  [{ measure: 'statement-time', value: 41.2, total: 44, usual: 2 }, '41 s of statements a second of 44, usually 2'],
  [{ measure: 'statement-time', value: 0.97, total: 0.97, usual: 0 }, '0.97 s of statements a second of 0.97, usually none'],
  [{ measure: 'blocks-read', value: 1_500, total: 1_600, usual: 50 }, '12 MB a second read from disk of 13 MB, usually 410 kB'],
  [{ measure: 'temp-bytes', value: 3e6, total: 3e6, usual: 0 }, '3 MB of temporary files a second of 3 MB, usually none'],
  [{ measure: 'locks-held', value: 1, total: 1, usual: 0, blocks: 1 }, '1 lock held of 1, usually none; 1 session of others waits for it'],
  [{ measure: 'connections', value: 48, total: 60, usual: 5.66 }, '48 connections of 60, usually 5.7'],
  [{ measure: 'rows-grown', value: 2_300, total: 2_400, usual: 90 }, '2,300 rows more a second of 2,400, usually 90'],
  [{ measure: 'bytes-grown', value: 4e6, total: 5e6 }, 'grown by 4 MB a second of 5 MB'],
  [{ measure: 'jobs-queued', value: 12_400, total: 12_900, usual: 32 }, '12,400 jobs queued of 12,900, usually 32'],
])('%o', (amounts, text) => {
  expect(loadInWords(amounts)).toBe(text);
});
