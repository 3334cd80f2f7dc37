import { journey } from 'rounds/journey';
import { expectToSee, signIn } from './lib/clinic.ts';

/** Opens the monthly report and finds six months in it. */
export default journey('Print the monthly report', async (context) => {
  const { page, step } = context;
  await signIn(context);
  await step('open the monthly report', async () => {
    await page.getByRole('link', { name: 'Monthly report' }).click();
    await expectToSee(page, page.getByRole('heading', { name: 'Monthly report' }));
  });
  await step('find the months in the report', async () => {
    const months = await page.getByRole('table', { name: 'Months' }).getByRole('rowheader').count();
    if (months !== 6) throw new Error(`The report has ${months} months, expected 6.`);
  });
});
