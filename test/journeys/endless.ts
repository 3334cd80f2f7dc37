import { journey } from 'rounds/journey';

/** Never ends, whatever happens to its page. */
export default journey('Wait for ever', async ({ page, step, baseUrl }) => {
  await page.goto(baseUrl);
  await step('wait for ever', () => new Promise<void>(() => {}));
});
