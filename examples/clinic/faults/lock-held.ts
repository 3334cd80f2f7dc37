import pg from 'pg';
import { DATABASE, tenantConnection } from '../database/connect.ts';
import { TENANTS, type Tenant } from '../tenants.ts';
import { ask, type SharedFault, type World } from './fault.ts';

/** What the report calls itself in pg_stat_activity. */
export const REPORT_NAME = 'hillcrest month-end report';

const hillcrest = TENANTS.find(({ id }) => id === 'hillcrest') as Tenant;

/** Backends of the report that hold the lock: also one whose clinic was killed meanwhile. */
const HOLDERS = `
  SELECT a.pid FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid
  WHERE a.datname = '${DATABASE}' AND a.application_name = $1 AND l.granted
    AND l.relation = 'shared.billing_numbers'::regclass AND l.mode = 'ExclusiveLock'`;

/**
 * A report of Hillcrest locks the table of invoice numbers, so that none is given out while it counts, and counts for half an hour.
 * `pg_cancel_backend` on it ends the fault for good: its transaction is over, and the lock with it.
 */
export const lockHeld: SharedFault = {
  name: 'lock-held',
  scope: 'everyone',
  title: 'Lock held',
  explains: 'A month-end report of Hillcrest Dental locks the invoice numbers that all clinics share: no invoice can be confirmed.',
  isOn: ({ admin }) => ask(admin, `SELECT EXISTS (${HOLDERS}) AS yes`, [REPORT_NAME]),
  turnOn: async (world) => {
    if (!(await lockHeld.isOn(world))) await startReport(world);
  },
  turnOff: async ({ admin }) => {
    // Waits up to 2 s for each, so that the switch is off when this returns.
    await admin.query(`SELECT pg_terminate_backend(pid, 2000) FROM (${HOLDERS}) AS holders`, [REPORT_NAME]);
  },
};

/** Returns when the lock is held; the report goes on by itself. */
async function startReport({ settings, log }: World): Promise<void> {
  const client = new pg.Client({ ...tenantConnection(settings, hillcrest), application_name: REPORT_NAME, lock_timeout: 5_000 });
  client.on('error', (error) => log.info({ reason: error.message }, 'The month-end report lost its connection.'));
  try {
    await client.connect();
    await client.query('BEGIN');
    await client.query('LOCK TABLE shared.billing_numbers IN EXCLUSIVE MODE');
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
  client
    .query(`SELECT * FROM month_end_report(date_trunc('month', current_date)::date)`)
    .then(
      () => 'finished',
      (error: Error) => error.message,
    )
    .then((end) => log.info({ end }, 'The month-end report is over.'))
    .then(() => client.end())
    .catch(() => undefined);
}
