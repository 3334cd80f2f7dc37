/** What all journeys through the clinic have in common. */
import type { JourneyContext } from 'rounds/journey';

type Page = JourneyContext['page'];
type Locator = ReturnType<Page['getByRole']>;

/**
 * Waits for what the user expects to see. A page of this clinic that refuses says so in an alert:
 * then the step fails at once with the words of the alert, and not after its time is up.
 */
export async function expectToSee(page: Page, expected: Locator): Promise<void> {
  const alert = page.getByRole('alert');
  await expected.or(alert).first().waitFor();
  // Its last full stop goes: the words are continued where people read them.
  if (await alert.isVisible()) throw new Error((await alert.textContent())?.trim().replace(/\.$/, ''));
}

/** Opens the sign-in page and signs in with the account of the check. */
export async function signIn({ page, step, baseUrl, account }: JourneyContext): Promise<void> {
  await step('open the sign-in page', async () => {
    await page.goto(`${baseUrl}/login`);
    await expectToSee(page, page.getByRole('heading', { name: 'Sign in' }));
  });
  await step('sign in', async () => {
    await page.getByLabel('User name').fill(account.user);
    await page.getByLabel('Password').fill(account.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await expectToSee(page, page.getByRole('heading', { name: 'Today' }));
  });
}

/** Returns words that no other run writes, so that a journey finds its own row again. */
export function ownWords(what: string): string {
  return `${what} ${crypto.randomUUID().slice(0, 8)}`;
}
