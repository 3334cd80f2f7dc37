import pg from 'pg';

export interface Blocked {
  /** The session that holds the lock, idle in its transaction. */
  pid: number;
  /** Settles with `true` for each session that got through, `false` for one that was ended. */
  waiting: Promise<boolean>[];
  end(): Promise<void>;
}

/** One session that holds a row's lock and so many that wait for it; resolves when all of them wait. */
export async function blockedSessions(url: string, waiters: number, query?: string): Promise<Blocked> {
  const holder = await connected(url, 'month-end report');
  await holder.query(`CREATE TABLE IF NOT EXISTS invoices (id int PRIMARY KEY, patient text);
    INSERT INTO invoices VALUES (1, 'Jane Doe') ON CONFLICT DO NOTHING`);
  await holder.query('BEGIN');
  await holder.query(`UPDATE invoices SET patient = 'Jane Doe' WHERE id = 1`);
  if (query) holder.query(query).catch(() => {});
  const sessions = await Promise.all(Array.from({ length: waiters }, () => connected(url, 'billing')));
  const waiting = sessions.map((one) =>
    one.query('UPDATE invoices SET patient = patient WHERE id = 1').then(
      () => true,
      () => false,
    ),
  );
  const watcher = await connected(url, 'watcher');
  const all = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  while ((await watcher.query(all)).rows[0].n < waiters) await new Promise((resolve) => setTimeout(resolve, 20));
  const pid = (holder as unknown as { processID: number }).processID;
  const end = async () => {
    await watcher.query('SELECT pg_terminate_backend($1)', [pid]);
    await Promise.all(waiting);
    await Promise.all([...sessions, watcher, holder].map((one) => one.end().catch(() => {})));
  };
  return { pid, waiting, end };
}

async function connected(url: string, name: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: name });
  client.on('error', () => {});
  await client.connect();
  return client;
}
