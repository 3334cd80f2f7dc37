/**
 * Slack, as the desk plays it, behind a door that notes when each post arrived. Its own times would not do: they are whole seconds.
 */
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Door {
  /** For `SLACK_API_URL`. */
  apiUrl: string;
  /** When the post with that outbox row arrived, milliseconds since 1970; `undefined` while it has not. */
  arrivedMs(outboxId: string): number | undefined;
  close(): void;
}

/** Opens the door before the desk that listens on `deskPort`. */
export async function openDoor(deskPort: number): Promise<Door> {
  const arrived = new Map<string, number>();
  const server = createServer(async (from, to) => {
    const body = await bodyOf(from);
    const outboxId = from.url?.endsWith('/chat.postMessage') ? outboxIdIn(body) : undefined;
    if (outboxId !== undefined && !arrived.has(outboxId)) arrived.set(outboxId, Date.now());
    const passed = request(
      {
        host: '127.0.0.1',
        port: deskPort,
        method: from.method,
        path: from.url,
        headers: { ...from.headers, host: `127.0.0.1:${deskPort}` },
      },
      (answer) => {
        to.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(to);
      },
    );
    passed.once('error', () => to.destroy());
    passed.end(body);
  });
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1' }, resolve));
  return {
    apiUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/`,
    arrivedMs: (outboxId) => arrived.get(outboxId),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function bodyOf(from: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of from) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** A post carries the id of its row as metadata. */
function outboxIdIn(body: Buffer): string | undefined {
  const metadata = new URLSearchParams(body.toString('utf8')).get('metadata');
  const id = metadata === null ? undefined : (JSON.parse(metadata) as { event_payload?: { outbox_id?: unknown } }).event_payload?.outbox_id;
  return typeof id === 'string' ? id : undefined;
}
