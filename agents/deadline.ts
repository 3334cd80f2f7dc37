/** The time that one attempt has. It is started when the probe can begin, so waiting for a free browser does not count. */

export interface Deadline {
  signal: AbortSignal;
  /** Starts the clock; later calls do nothing. */
  start(): void;
  /** Rejects `graceMs` after the time was up or the agent stopped, for a probe that does not settle by itself. */
  overdue: Promise<never>;
  close(): void;
}

/** Thrown into `overdue`. */
export class Overdue extends Error {}

/** Aborts with a `TimeoutError` after `timeoutMs`, or with the reason of `stop`. */
export function deadline(timeoutMs: number, graceMs: number, stop: AbortSignal): Deadline {
  const over = new AbortController();
  const overdue = Promise.withResolvers<never>();
  overdue.promise.catch(() => {});
  let timer: NodeJS.Timeout | undefined;
  let grace: NodeJS.Timeout | undefined;
  const abort = (reason: unknown) => {
    if (over.signal.aborted) return;
    grace = setTimeout(() => overdue.reject(new Overdue('the probe did not settle')), graceMs);
    over.abort(reason);
  };
  // A listener of its own: signals that are composed by AbortSignal.any cost a run as much as its answer.
  const onStop = () => abort(stop.reason);
  if (stop.aborted) onStop();
  else stop.addEventListener('abort', onStop, { once: true });
  return {
    signal: over.signal,
    overdue: overdue.promise,
    start() {
      timer ??= setTimeout(() => abort(new DOMException('the time is up', 'TimeoutError')), timeoutMs);
    },
    close() {
      clearTimeout(timer);
      clearTimeout(grace);
      stop.removeEventListener('abort', onStop);
    },
  };
}
