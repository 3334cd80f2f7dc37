/** Work that is repeated, by the clock and when something wakes it; never twice at once. */
import type { Log } from '../core/process.ts';
import * as metrics from './metrics.ts';

export interface Loop {
  /** Runs the work now, or once more right after the run in hand. */
  wake(): void;
  /** Waits for the run in hand and ends. */
  stop(): Promise<void>;
}

/**
 * Repeats `work` every `everyMs` and whenever it is woken. A run that throws is logged and tried again with the next turn:
 * all that these loops do is level-triggered.
 */
export function startLoop(options: { name: string; everyMs: number; log: Log; work: () => Promise<unknown> }): Loop {
  let running: Promise<void> | undefined;
  let again = false;
  let stopped = false;

  async function run(): Promise<void> {
    do {
      again = false;
      try {
        await options.work();
        metrics.lastTurn.setToCurrentTime({ loop: options.name });
      } catch (error) {
        metrics.failedTurns.inc({ loop: options.name });
        options.log.warn({ loop: options.name, error: (error as Error).message }, 'a turn failed; the next one tries again');
      }
    } while (again && !stopped);
    running = undefined;
  }

  function wake(): void {
    if (stopped) return;
    again = true;
    running ??= run();
  }

  // One that never ends a turn is to be seen as well.
  metrics.lastTurn.set({ loop: options.name }, 0);
  metrics.failedTurns.inc({ loop: options.name }, 0);
  const timer = setInterval(wake, options.everyMs);
  wake();
  return {
    wake,
    async stop() {
      stopped = true;
      clearInterval(timer);
      await running;
    },
  };
}
