/** A gate before a server, for what networks do: it can be shut, and what goes through can fall silent without a word. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export interface Gate {
  /** The server's address, through the gate. */
  url: string;
  /** Ends every connection and takes no new ones. */
  shut(): Promise<void>;
  /** Takes connections again, at the same address. */
  open(): Promise<void>;
  /** Nothing goes through what is connected now any more, and neither side is told. New connections work. */
  silence(): void;
  close(): Promise<void>;
}

/** Opens a gate on a port of its own before the server at `target`. */
export async function startGate(target: string): Promise<Gate> {
  const url = new URL(target);
  const port = Number(url.port);
  const through = new Set<{ near: Socket; far: Socket }>();
  let server: Server | undefined;
  const open = async (own: number) => {
    const opened = createServer((near) => {
      const far = connect(port, url.hostname);
      const pair = { near, far };
      through.add(pair);
      near.pipe(far).pipe(near);
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        one.on('error', () => undefined);
        one.on('close', () => {
          through.delete(pair);
          other.destroy();
        });
      }
    });
    await new Promise<void>((resolve) => opened.listen(own, '127.0.0.1', resolve));
    server = opened;
  };
  const shut = async () => {
    for (const { near } of through) near.destroy();
    await new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
    server = undefined;
  };
  await open(0);
  const own = (server as unknown as Server).address() as AddressInfo;
  url.port = String(own.port);
  return {
    url: url.href,
    shut,
    open: () => open(own.port),
    silence: () => {
      for (const { near, far } of through) {
        near.unpipe(far).resume();
        far.unpipe(near).resume();
      }
    },
    close: shut,
  };
}
