import type pg from 'pg';

export interface MonthOfReport {
  /** "2026-07" */
  month: string;
  appointments: number;
  invoicedCents: string;
  paidCents: string;
  openCents: string;
  settledCents: string;
}

/** Returns the last six months, newest first. What the monitor made is not counted. Fails when an insurer's amount is not a number. */
export async function monthlyReport(db: pg.Pool): Promise<MonthOfReport[]> {
  const found = await db.query<MonthOfReport>(`
    WITH months AS (
      SELECT generate_series(date_trunc('month', current_date) - interval '5 months', date_trunc('month', current_date), interval '1 month') AS month
    ), visits AS (
      SELECT date_trunc('month', starts_at) AS month, count(*) AS visits FROM appointments
      WHERE NOT synthetic AND starts_at < current_date + 1 GROUP BY 1
    ), billed AS (
      SELECT date_trunc('month', i.drawn_up_on) AS month, sum(i.amount_cents) AS invoiced, sum(p.amount_cents) AS paid
      FROM invoices i LEFT JOIN payments p ON p.invoice_id = i.id
      WHERE NOT i.synthetic AND i.status <> 'draft' GROUP BY 1
    ), settled AS (
      SELECT date_trunc('month', settled_on) AS month, sum(amount::numeric * 100)::bigint AS settled FROM insurer_settlements GROUP BY 1
    )
    SELECT to_char(months.month, 'YYYY-MM') AS month, coalesce(visits, 0)::int AS appointments,
      coalesce(invoiced, 0)::bigint AS "invoicedCents", coalesce(paid, 0)::bigint AS "paidCents",
      (coalesce(invoiced, 0) - coalesce(paid, 0))::bigint AS "openCents", coalesce(settled, 0) AS "settledCents"
    FROM months LEFT JOIN visits USING (month) LEFT JOIN billed USING (month) LEFT JOIN settled USING (month)
    ORDER BY months.month DESC`);
  return found.rows;
}
