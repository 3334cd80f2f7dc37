import type pg from 'pg';
import { transaction } from '../database/connect.ts';
import { cleanSynthetic } from './records.ts';

export interface Invoice {
  id: number;
  /** Given when it is confirmed. */
  number: string | null;
  patient: string;
  description: string;
  amountCents: string;
  status: 'draft' | 'confirmed' | 'paid';
  drawnUpOn: string;
  synthetic: boolean;
}

const SELECT_INVOICE = `
  SELECT i.id, i.number, p.name AS patient, i.description, i.amount_cents AS "amountCents", i.status,
    i.drawn_up_on::text AS "drawnUpOn", i.synthetic
  FROM invoices i JOIN patients p ON p.id = i.patient_id`;

/** Returns the newest 30 invoices. */
export async function newestInvoices(db: pg.Pool): Promise<Invoice[]> {
  const found = await db.query<Invoice>(`${SELECT_INVOICE} ORDER BY i.drawn_up_on DESC, i.id DESC LIMIT 30`);
  return found.rows;
}

/** Returns one invoice, or `undefined`. */
export async function findInvoice(db: pg.Pool, id: number): Promise<Invoice | undefined> {
  const found = await db.query<Invoice>(`${SELECT_INVOICE} WHERE i.id = $1`, [id]);
  return found.rows[0];
}

export interface NewInvoice {
  patientId: number;
  description: string;
  amountCents: number;
  synthetic: boolean;
}

/** Draws up an invoice as a draft and returns its id. */
export async function draftInvoice(db: pg.Pool, invoice: NewInvoice): Promise<number> {
  const { patientId, description, amountCents, synthetic } = invoice;
  const made = await db.query<{ id: number }>(
    'INSERT INTO invoices (patient_id, description, amount_cents, synthetic) VALUES ($1, $2, $3, $4) RETURNING id',
    [patientId, description, amountCents, synthetic],
  );
  if (synthetic) await cleanSynthetic(db, 'invoices');
  return made.rows[0]!.id;
}

/** Confirms a draft and gives it the next number of all clinics. One that is confirmed already stays as it is. */
export async function confirmInvoice(db: pg.Pool, id: number): Promise<void> {
  await transaction(db, async (client) => {
    const confirmed = await client.query(`UPDATE invoices SET status = 'confirmed' WHERE id = $1 AND status = 'draft'`, [id]);
    if (confirmed.rowCount === 0) return;
    // Last, so that the row which all clinics share is held for as short a time as can be.
    await client.query(
      `WITH taken AS (
         UPDATE shared.billing_numbers SET next_number = next_number + 1 WHERE series = 'invoice' RETURNING next_number - 1 AS number
       ) UPDATE invoices SET number = taken.number FROM taken WHERE id = $1`,
      [id],
    );
  });
}

/** Registers the payment of a confirmed invoice, in full. One that is paid already stays as it is. */
export async function registerPayment(db: pg.Pool, id: number): Promise<void> {
  await transaction(db, async (client) => {
    const paid = await client.query<{ amount: string }>(
      `UPDATE invoices SET status = 'paid' WHERE id = $1 AND status = 'confirmed' RETURNING amount_cents AS amount`,
      [id],
    );
    const amount = paid.rows[0]?.amount;
    if (amount !== undefined) await client.query('INSERT INTO payments (invoice_id, amount_cents) VALUES ($1, $2)', [id, amount]);
  });
}
