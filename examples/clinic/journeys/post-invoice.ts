import { journey } from 'rounds/journey';
import { expectToSee, ownWords, signIn } from './lib/clinic.ts';

/** Takes an invoice through its whole life: draft, confirmed, paid. */
export default journey('Post an invoice', async (context) => {
  const { page, step } = context;
  await signIn(context);
  await step('draw up the invoice', async () => {
    await page.getByRole('link', { name: 'Invoices' }).click();
    await page.getByRole('link', { name: 'Make an invoice' }).click();
    await page.getByLabel('What was done').fill(ownWords('Consultation'));
    await page.getByLabel('Amount in euros').fill('48.50');
    await page.getByRole('button', { name: 'Save as draft' }).click();
    await expectToSee(page, page.getByRole('heading', { name: 'Draft invoice' }));
  });
  await step('confirm the invoice', async () => {
    await page.getByRole('button', { name: 'Confirm' }).click();
    await expectToSee(page, page.getByRole('button', { name: 'Register payment' }));
  });
  await step('register the payment', async () => {
    await page.getByRole('button', { name: 'Register payment' }).click();
    await expectToSee(page, page.getByText('Paid in full'));
  });
});
