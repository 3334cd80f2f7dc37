/** A short connection to a PostgreSQL on which an action acts. */
import { Socket } from 'node:net';
import pg from 'pg';

/** What the server is given to close an ended session by itself before the socket is cut. */
const GOODBYE_MS = 300;

/** Thrown when the server could not be asked; its message is one sentence without anything secret. */
export class NotReached extends Error {}

/** Runs `use` with a connected client and closes it. The signal cuts the connection. Throws {@link NotReached}. */
export async function withSession<T>(url: string, signal: AbortSignal, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !/^postgres(ql)?:$/.test(parsed.protocol))
    throw new NotReached('The url is no postgres:// address once its secret is filled in.');
  const socket = new Socket();
  const client = new pg.Client({ connectionString: url, application_name: 'rounds', stream: () => socket });
  client.on('error', () => {});
  const cut = Promise.withResolvers<never>();
  const onAbort = () => {
    cut.reject(new Error('time is up'));
    socket.destroy();
  };
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  const work = client.connect().then(() => use(client));
  try {
    return await Promise.race([work, cut.promise]);
  } catch (error) {
    throw new NotReached(signal.aborted ? `No answer of ${parsed.host} in time.` : notReachedInWords(error, parsed.host), { cause: error });
  } finally {
    signal.removeEventListener('abort', onAbort);
    work.catch(() => {});
    cut.promise.catch(() => {});
    const ended = client.end().catch(() => {});
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, GOODBYE_MS).unref())]);
    socket.destroy();
  }
}

/** The server's own words may quote data, so only its code is told. */
function notReachedInWords(error: unknown, host: string): string {
  const code = (error as { code?: string }).code;
  if (code === 'ECONNREFUSED') return `${host} refused the connection.`;
  if (code === '28P01' || code === '28000') return `${host} refuses the login.`;
  if (code === '42501') return `${host} denies the right to do this: the role needs pg_signal_backend and pg_monitor.`;
  return `${host} could not be asked${code ? ` (${code})` : ''}.`;
}
