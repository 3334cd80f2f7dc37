/** The desk as a person uses it, in a real browser. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Locator, Page } from 'playwright';
import type { System } from './system.ts';

export interface Desk {
  page: Page;
  /** Says who sits at the desk: `U0ANA`. */
  as(user: string): Promise<void>;
  /** Types a slash command and returns what only this person is told, as text. */
  command(text: string): Promise<string>;
  /** Presses a button of the newest post that has it, and says yes where it asks. */
  press(button: string): Promise<void>;
  /** Flips a switch of the panel "The clinic": `Sign-in refused: Riverside Clinic`. */
  flip(name: RegExp): Promise<void>;
  /** Texts that only this person is shown at present, oldest first. */
  toldToMe(): Promise<string[]>;
  /** Keeps a picture for a look by eye, when ROUNDS_PICTURES names a folder. */
  picture(name: string): Promise<void>;
}

/** Opens the desk's channel of incidents. */
export async function openDesk(browser: Browser, system: System): Promise<Desk> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 860 } });
  await page.goto(`${system.table().urls.desk}/#clinic-incidents`);
  const messages = page.getByTestId('messages');
  await page.getByTestId('channel-title').getByText('clinic-incidents').waitFor();
  const mine: Locator = messages.getByTestId('message').filter({ has: page.getByTestId('only-you') });
  return {
    page,
    as: async (user) => {
      await page.getByTestId('user').selectOption(user);
      await page.getByTestId('live').and(page.locator(':empty')).waitFor({ state: 'attached' });
    },
    command: async (text) => {
      const before = await mine.count();
      await page.getByTestId('composer-input').fill(text);
      await page.getByTestId('composer-input').press('Enter');
      await mine.nth(before).waitFor({ timeout: 15_000 });
      return (await mine.last().textContent()) ?? '';
    },
    press: async (button) => {
      await messages.getByRole('button', { name: button, exact: true }).last().click();
      const yes = page.getByTestId('confirm-yes');
      if (await yes.isVisible()) await yes.click();
    },
    flip: async (name) => {
      const toggle = page.getByTestId('clinic-toggle');
      if (!(await page.getByTestId('clinic').isVisible())) await toggle.click();
      await page.getByRole('switch', { name }).click();
      await page.getByRole('switch', { name, checked: true }).waitFor();
    },
    toldToMe: async () => mine.allTextContents(),
    picture: async (name) => {
      const folder = process.env.ROUNDS_PICTURES;
      if (!folder) return;
      mkdirSync(folder, { recursive: true });
      await page.screenshot({ path: join(folder, `${name}.png`) });
    },
  };
}
