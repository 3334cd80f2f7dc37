import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { pages } from '../../scripts/docs.ts';

test.each(Object.entries(await pages()))('%s says what the plug-ins say of themselves: npm run docs', async (path, page) => {
  expect(await readFile(new URL(`../../${path}`, import.meta.url), 'utf8')).toBe(page);
});
