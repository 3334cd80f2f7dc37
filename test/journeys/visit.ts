import { journey } from 'rounds/journey';

/** Opens the page and finds it wrong, so that a picture is taken. */
export default journey('Visit', async ({ page, step, baseUrl, with: values }) => {
  await step('open the page', async () => {
    await page.goto(`${baseUrl}/${values.path ?? ''}`);
  });
  await step('find it wrong', () => {
    throw new Error('the total is 0.00, expected 80.00');
  });
});
