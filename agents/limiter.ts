/** First come, first served: at most so many at once. */
export interface Limiter {
  /** Waits for a place and returns the function that gives it back. Rejects with the signal's reason when that aborts first. */
  enter(signal?: AbortSignal): Promise<() => void>;
  /** Places taken now. */
  taken(): number;
}

/** A limiter with `places` places. */
export function limiter(places: number): Limiter {
  let taken = 0;
  const queue: (() => void)[] = [];
  const leave = () => {
    taken--;
    queue.shift()?.();
  };
  const take = () => {
    taken++;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      leave();
    };
  };
  return {
    taken: () => taken,
    enter(signal) {
      if (signal?.aborted) return Promise.reject(signal.reason);
      if (taken < places) return Promise.resolve(take());
      return new Promise((resolve, reject) => {
        const onTurn = () => {
          signal?.removeEventListener('abort', onAbort);
          resolve(take());
        };
        const onAbort = () => {
          queue.splice(queue.indexOf(onTurn), 1);
          reject(signal?.reason);
        };
        queue.push(onTurn);
        signal?.addEventListener('abort', onAbort, { once: true });
      });
    },
  };
}
