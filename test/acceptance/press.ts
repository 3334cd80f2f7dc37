/** A press at the desk without its page: the same request that the page makes, for stories that need no picture. */
import { expect } from 'vitest';
import { channelOf } from './channel.ts';
import type { System } from './system.ts';

/** Presses a button of that post as that person. Waits until the post has it. */
export async function pressAs(system: System, user: string, ts: string, button: string): Promise<void> {
  const channel = channelOf(system);
  const found = async () => (await channel.posts()).find((post) => post.ts === ts)?.elements.find((one) => one.text === button);
  await expect.poll(found, { timeout: 60_000, interval: 500 }).toBeDefined();
  const { desk } = system.table().urls;
  const element = await found();
  const response = await fetch(`${desk}/desk/press`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: desk ?? '' },
    body: JSON.stringify({ user, channel: await channel.id(), ts, block: element?.block, action: element?.action }),
  });
  expect(await response.json()).toEqual({ ok: true });
}
