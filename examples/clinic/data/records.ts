import type pg from 'pg';

export interface Patient {
  id: number;
  name: string;
  bornOn: string;
  balanceCents: string;
}

/** Returns all the patients of the clinic, by name. There are some two dozen. */
export async function listPatients(db: pg.Pool): Promise<Patient[]> {
  const found = await db.query<Patient>(
    `SELECT id, name, born_on::text AS "bornOn", balance_cents AS "balanceCents" FROM patients ORDER BY name, id LIMIT 200`,
  );
  return found.rows;
}

/** The monitor leaves this many rows of each kind; older ones are deleted, so that it can run for years. */
const KEPT_SYNTHETIC_ROWS = 50;

/** Deletes all but the newest 50 rows that a monitor made. The table's name is the code's own, never a user's. */
export async function cleanSynthetic(client: pg.ClientBase | pg.Pool, table: 'appointments' | 'invoices'): Promise<void> {
  await client.query(
    `DELETE FROM ${table} WHERE synthetic AND id <= (SELECT id FROM ${table} WHERE synthetic ORDER BY id DESC OFFSET $1 LIMIT 1)`,
    [KEPT_SYNTHETIC_ROWS],
  );
}
