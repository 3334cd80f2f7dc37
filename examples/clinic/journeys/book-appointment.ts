import { journey } from 'rounds/journey';
import { expectToSee, ownWords, signIn } from './lib/clinic.ts';

/** Books an appointment for today and finds it in the day's list. */
export default journey('Book an appointment', async (context) => {
  const { page, step } = context;
  const reason = ownWords('Check-up');
  await signIn(context);
  await step('open the booking form', async () => {
    await page.getByRole('link', { name: 'Book an appointment' }).click();
    await expectToSee(page, page.getByRole('heading', { name: 'Book an appointment' }));
  });
  await step('book the appointment', async () => {
    await page.getByLabel('Patient').selectOption({ index: 0 });
    await page.getByLabel('Time').fill('12:30');
    await page.getByLabel('Reason').fill(reason);
    await page.getByRole('button', { name: 'Book' }).click();
    await expectToSee(page, page.getByRole('row').filter({ hasText: reason }));
  });
});
