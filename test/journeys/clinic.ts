import { expect, journey } from 'rounds/journey';

/** Logs in, posts an invoice and waits for its number: what the tests' pages serve. */
export default journey('Post an invoice', async ({ page, step, account, baseUrl }) => {
  await step('open the login', async () => {
    await page.goto(`${baseUrl}/login`);
  });
  await step('log in', async () => {
    await page.getByLabel('User').fill(account.user);
    await page.getByLabel('Password').fill(account.password);
    await page.getByRole('button', { name: 'Log in' }).click();
    await expect(page.getByRole('heading', { name: 'Invoices' })).toBeVisible({ timeout: 1_000 });
  });
  await step(
    'confirm the invoice',
    async () => {
      await page.getByRole('button', { name: 'Confirm' }).click();
      await page.getByText('Invoice 17 posted').waitFor();
    },
    { limit: '1s' },
  );
});
