/** Reads what a server says, as far as a probe wants to know. */
import type { Socket } from 'node:net';

export interface Ear {
  /** What came so far, as UTF-8. */
  text(): string;
  /** When the first byte came; `undefined` before. */
  firstByteMs(): number | undefined;
  /** Why the reading ended: what came was `enough`, the server `closed` its side, or the limit is `full`. */
  ended: Promise<'enough' | 'closed' | 'full'>;
}

export interface EarOptions {
  /** Asked after each piece that comes, with all that came. What it throws rejects `ended`. */
  enough(text: string): boolean;
  limitBytes: number;
  monotonic(): number;
}

/** Reads from now on until the answer is enough. Afterwards the socket is paused and has none of our listeners. */
export function hear(socket: Socket, { enough, limitBytes, monotonic }: EarOptions): Ear {
  let heard = Buffer.alloc(0);
  let firstByteMs: number | undefined;
  const text = () => heard.toString('utf8');
  const { promise: ended, resolve, reject } = Promise.withResolvers<'enough' | 'closed' | 'full'>();
  const onData = (piece: Buffer) => {
    firstByteMs ??= monotonic();
    heard = Buffer.concat([heard, piece.subarray(0, limitBytes - heard.length)]);
    try {
      if (enough(text())) resolve('enough');
      else if (heard.length >= limitBytes) resolve('full');
      else return;
    } catch (error) {
      reject(error);
    }
    deafen();
  };
  const onEnd = () => resolve('closed');
  const deafen = () => {
    socket.pause();
    socket.off('data', onData);
    socket.off('end', onEnd);
  };
  socket.on('data', onData);
  socket.on('end', onEnd);
  // Who listened before has paused it, and a listener alone does not make it flow again.
  socket.resume();
  return { text, firstByteMs: () => firstByteMs, ended };
}
