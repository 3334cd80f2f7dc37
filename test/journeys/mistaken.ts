import { journey } from 'rounds/journey';

/** Asks for what is not there, as an author's slip would. */
export default journey('Slip', async ({ step }) => {
  await step('slip', () => {
    const nothing = JSON.parse('null') as { invoice: string };
    return nothing.invoice.length;
  });
});
