/** Reports: their slots, their numbers, and what Slack has of them. */
import type { ReportNumbers } from '../core/report/figures.ts';
import { at, type Db } from './db.ts';
import { enqueue, PRIORITY } from './outbox.ts';

/** Slots are decided on by one worker at a time, under this row's lock. Returns up to when that was done, `undefined` for a new report. */
export async function lockDecided(db: Db, report: string): Promise<number | undefined> {
  const { rows } = await db.query<{ decided_until: Date }>('select decided_until from report_watch where report = $1 for update', [report]);
  return rows[0]?.decided_until.getTime();
}

/** Up to when the slots of these reports were decided on; a report that was never looked at is not in it. */
export async function decidedUntil(db: Db, reports: readonly string[]): Promise<Map<string, number>> {
  const { rows } = await db.query<{ report: string; decided_until: Date }>('select * from report_watch where report = any($1)', [reports]);
  return new Map(rows.map((row) => [row.report, row.decided_until.getTime()]));
}

/** Notes that every slot up to that time was decided on. What was due before a report was first seen was due to nobody. */
export async function decideUntil(db: Db, report: string, untilMs: number): Promise<void> {
  await db.query(
    `insert into report_watch (report, decided_until) values ($1, $2)
     on conflict (report) do update set decided_until = excluded.decided_until`,
    [report, at(untilMs)],
  );
}

/** Enters a slot of which nothing came. */
export async function missSlot(db: Db, report: string, slotMs: number, reason: string): Promise<void> {
  await db.query(`insert into report (report, slot, state, reason) values ($1, $2, 'missed', $3) on conflict (report, slot) do nothing`, [
    report,
    at(slotMs),
    reason,
  ]);
}

/** Enters a slot whose report is being made. Returns its number, or `undefined` when another has it. */
export async function takeSlot(db: Db, report: string, slotMs: number): Promise<number | undefined> {
  const { rows } = await db.query<{ id: number }>(
    `insert into report (report, slot, state) values ($1, $2, 'made') on conflict (report, slot) do nothing returning id`,
    [report, at(slotMs)],
  );
  return rows[0]?.id;
}

/** Slots before that one of which nothing was posted since the last one that was. */
export async function missedBefore(db: Db, report: string, slotMs: number): Promise<{ slotMs: number; reason: string }[]> {
  const { rows } = await db.query<{ slot: Date; reason: string | null }>(
    `select slot, reason from report where report = $1 and state = 'missed' and slot < $2
       and slot > coalesce((select max(slot) from report where report = $1 and state = 'made' and slot < $2), '-infinity')
     order by slot`,
    [report, at(slotMs)],
  );
  return rows.map((row) => ({ slotMs: row.slot.getTime(), reason: row.reason ?? '' }));
}

/** Keeps the numbers of a report and wants it posted. To be called in the transaction that took its slot. */
export async function wantReport(db: Db, id: number, numbers: ReportNumbers, place: { channel: string; reason: string }): Promise<void> {
  await db.query('update report set numbers = $2 where id = $1', [id, JSON.stringify(numbers)]);
  await enqueue(db, [reportRow(id, numbers.id, place)]);
}

/** Keeps the numbers of a report that somebody asked for, and wants it posted where they asked. */
export async function wantAskedReport(
  db: Db,
  numbers: ReportNumbers,
  ask: { by: string; channel: string; responseUrl: string },
): Promise<void> {
  const { rows } = await db.query<{ id: number }>(
    `insert into report (report, state, asked_by, numbers) values ($1, 'made', $2, $3) returning id`,
    [numbers.id, ask.by, JSON.stringify(numbers)],
  );
  const id = rows[0]?.id;
  if (id === undefined) throw new Error('PostgreSQL returned no number for the report');
  const row = reportRow(id, numbers.id, { channel: ask.channel, reason: 'asked' });
  await enqueue(db, [{ ...row, priority: PRIORITY.answer, payload: { ...row.payload, responseUrl: ask.responseUrl } }]);
}

function reportRow(id: number, report: string, { channel, reason }: { channel: string; reason: string }) {
  return {
    kind: 'report' as const,
    lane: `report/${report}/${channel}`,
    channel,
    payload: { reportId: id },
    priority: PRIORITY.report,
    reason,
  };
}

/** A file that was uploaded for a report. */
export interface ReportFile {
  id: string;
  /** Its address in Slack, for a link. */
  link?: string;
}

export interface StoredReport {
  id: number;
  numbers: ReportNumbers;
  files: { picture?: ReportFile; table?: ReportFile };
  madeAgoMs: number;
}

/** A report with its numbers; `undefined` when there is none, or it was missed. */
export async function reportById(db: Db, id: number): Promise<StoredReport | undefined> {
  const { rows } = await db.query<{ id: number; numbers: ReportNumbers; files: StoredReport['files']; made_ago_ms: number }>(
    `select id, numbers, files, (extract(epoch from now() - made_at) * 1000)::float8 as made_ago_ms from report where id = $1 and numbers is not null`,
    [id],
  );
  const row = rows[0];
  return row && { id: row.id, numbers: row.numbers, files: row.files, madeAgoMs: row.made_ago_ms };
}

/** Records an uploaded file, so that whoever goes on with the report does not upload it again. */
export async function recordReportFile(db: Db, id: number, kind: 'picture' | 'table', file: ReportFile): Promise<void> {
  await db.query('update report set files = files || jsonb_build_object($2::text, $3::jsonb) where id = $1', [
    id,
    kind,
    JSON.stringify(file),
  ]);
}

/** The report was made, and will never be posted: the next one says so. */
export async function reportNotPosted(db: Db, id: number, reason: string): Promise<void> {
  await db.query(`update report set state = 'missed', reason = $2 where id = $1`, [id, reason]);
}
