/** Whether a Redis takes a write: what a user of it needs, and what `INFO` and PING cannot tell in every case. */
import { TargetTrouble } from '../deadline.ts';
import type { Session } from './session.ts';

/** Longer than any attempt may take; what an attempt that broke off left behind is gone then. */
const EXPIRES_MS = 300_000;

/**
 * Writes a key of this attempt's own (`prefix:attempt`), reads it back and removes it. Throws {@link TargetTrouble}, of the kind
 * `lost-write` when what is read is not what was written.
 */
export async function writeAndRead(session: Session, prefix: string, attempt: string): Promise<void> {
  const key = `${prefix}:${attempt}`;
  await session.ask('SET', key, attempt, 'PX', String(EXPIRES_MS));
  const found = await session.ask('GET', key);
  if (found !== attempt) throw new TargetTrouble('lost-write', `${session.name} took a write and read back something else`);
  await session.ask('DEL', key);
}
