import { journey } from 'rounds/journey';

/** As many as a journey may have. */
const STEPS = 100;

/** Steps that do nothing. With `fails`, the last one fails on a page that is worth a picture. */
export default journey('Empty steps', async ({ page, step, baseUrl, with: values }) => {
  await page.goto(`${baseUrl}/login`);
  for (let number = 1; number < STEPS; number++) await step(`step ${number}`, () => undefined);
  await step(`step ${STEPS}`, () => {
    if (values.fails === 'yes') throw new Error('it fails as told');
  });
});
