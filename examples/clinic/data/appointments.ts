import type pg from 'pg';
import { cleanSynthetic } from './records.ts';

export interface Appointment {
  id: number;
  /** "09:45" */
  time: string;
  patient: string;
  reason: string;
  synthetic: boolean;
}

export interface NewAppointment {
  patientId: number;
  /** ISO date. */
  date: string;
  /** "09:45" */
  time: string;
  reason: string;
  synthetic: boolean;
}

/** Returns today's date where the clinic is, as ISO. */
export async function today(db: pg.Pool): Promise<string> {
  const found = await db.query<{ today: string }>('SELECT current_date::text AS today');
  return found.rows[0]!.today;
}

/** Returns the appointments of one day, earliest first. */
export async function appointmentsOn(db: pg.Pool, date: string): Promise<Appointment[]> {
  const found = await db.query<Appointment>(
    `SELECT a.id, to_char(a.starts_at, 'HH24:MI') AS time, p.name AS patient, a.reason, a.synthetic
     FROM appointments a JOIN patients p ON p.id = a.patient_id
     WHERE a.starts_at >= $1::date AND a.starts_at < $1::date + 1 ORDER BY a.starts_at, a.id LIMIT 500`,
    [date],
  );
  return found.rows;
}

/** Books an appointment. */
export async function book(db: pg.Pool, appointment: NewAppointment): Promise<void> {
  const { patientId, date, time, reason, synthetic } = appointment;
  await db.query('INSERT INTO appointments (patient_id, starts_at, reason, synthetic) VALUES ($1, $2::date + $3::time, $4, $5)', [
    patientId,
    date,
    time,
    reason,
    synthetic,
  ]);
  if (synthetic) await cleanSynthetic(db, 'appointments');
}
