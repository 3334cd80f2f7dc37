/** SIGHUP says two things: "read your configuration again", by whoever sends it, and "your terminal is gone", by the system. */
import { closeSync, openSync } from 'node:fs';
import { isatty } from 'node:tty';

/**
 * Tells which of the two a SIGHUP means. To be called at the start, since a terminal that is gone leaves no trace of having been there.
 * The function that is returned is true when this process was started at a terminal and has it no more.
 */
export function terminalWatch(): () => boolean {
  // With all three led elsewhere, as nohup does, the process was meant to outlive its terminal.
  const started = [0, 1, 2].some((stream) => isatty(stream)) && hasTerminal();
  return () => started && !hasTerminal();
}

/** Whether a terminal controls this process. Services and what a supervisor starts in a session of its own have none. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r+'));
    return true;
  } catch {
    return false;
  }
}
