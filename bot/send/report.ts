/**
 * Posts a report: its files first, then one message that shows them and carries the outbox id, looked for before it is sent again. A
 * file that was uploaded is recorded, so that whoever goes on uploads the other one only; what a killed bot uploaded and did not live to
 * record is shown nowhere. Words never wait long for pictures: without its files the report is still a report.
 */
import { reportTable } from '../../core/report/table.ts';
import { inTransaction } from '../../store/db.ts';
import { enqueue, markRefused, markSent, PRIORITY, putBack } from '../../store/outbox.ts';
import { recordReportFile, reportById, reportNotPosted, type StoredReport } from '../../store/report.ts';
import { SlackTrouble } from '../contract.ts';
import * as metrics from '../metrics.ts';
import { renderReport } from '../render/report.ts';
import { NO_WAY_IN } from '../trouble.ts';
import { Overtaken, type SendContext } from './context.ts';
import { lookUp } from './look-up.ts';

/** A report that nobody could be shown for so long is old news: the next one says that it is missing. */
const EXPIRES_MS = 12 * 3_600_000;
/** Tries to upload, and then tries to show what was uploaded: Slack needs a moment to make a file of it. */
const FILE_TRIES = 4;

/** Sends one `report` row: payload `{reportId}`, and `{responseUrl}` of who asked. Throws `SlackTrouble`. */
export async function sendReport(context: SendContext): Promise<void> {
  const { pool, claim } = context;
  const report = typeof claim.payload.reportId === 'number' ? await reportById(pool, claim.payload.reportId) : undefined;
  if (!report || claim.channel === undefined) return void (await markRefused(pool, claim, 'it names no report'));
  const before = await lookUp(context, { channel: claim.channel });
  if (before.found) return finish(context, before.found.ts, false);
  if (report.madeAgoMs > EXPIRES_MS) return giveUp(context, report, 'it could not be posted for 12 h');
  const files = await uploadFiles(context, report);
  if (files === 'later') return;
  await post(context, { ...report, files }, before.possibleDuplicate);
}

async function post(context: SendContext, report: StoredReport, possibleDuplicate: boolean): Promise<void> {
  const { claim, slack, timing } = context;
  const channel = claim.channel ?? '';
  // A block that Slack does not take after all these tries becomes a link, which it shows below the text.
  const pictureAsLink = claim.tries > FILE_TRIES;
  const note = report.files.picture ? {} : { note: 'The chart could not be uploaded.' };
  const message = renderReport({ numbers: report.numbers, files: report.files, pictureAsLink, ...note });
  await context.sending();
  try {
    const placed = await slack.post({ channel, message, outboxId: claim.id, showsFiles: true });
    await finish(context, placed.ts, possibleDuplicate);
    metrics.posts.inc({ kind: 'report', outcome: 'sent' });
  } catch (error) {
    if (!(error instanceof SlackTrouble) || error.kind !== 'refused') throw error;
    const mayBePicture = report.files.picture !== undefined && !pictureAsLink && !NO_WAY_IN.has(error.code);
    if (!mayBePicture) return refuse(context, report, error);
    await putBack(context.pool, claim, timing.pictureRetryMs, error.message);
  }
}

async function finish(context: SendContext, ts: string, possibleDuplicate: boolean): Promise<void> {
  if (!(await markSent(context.pool, context.claim, { ts, possibleDuplicate }))) throw new Overtaken();
}

/** Who asked is told why nothing comes; a scheduled report waits until somebody has let the bot in, which the notifier sees to. */
async function refuse(context: SendContext, report: StoredReport, trouble: SlackTrouble): Promise<void> {
  if (context.claim.payload.responseUrl === undefined && NO_WAY_IN.has(trouble.code)) throw trouble;
  await giveUp(context, report, trouble.message);
}

async function giveUp(context: SendContext, report: StoredReport, why: string): Promise<void> {
  const { pool, claim, log } = context;
  const { responseUrl } = claim.payload;
  await inTransaction(pool, async (db) => {
    if (!(await markRefused(db, claim, why))) throw new Overtaken();
    await reportNotPosted(db, report.id, 'not-posted');
    if (typeof responseUrl !== 'string') return;
    const text =
      'Rounds cannot post in this channel: invite it here (`/invite @Rounds`), then ask again. Without `--here` only you see the answer.';
    await enqueue(db, [
      { kind: 'answer', lane: `answer/${claim.id}`, payload: { responseUrl, text }, priority: PRIORITY.answer, reason: 'report-refused' },
    ]);
  });
  metrics.posts.inc({ kind: 'report', outcome: 'refused' });
  log.error({ report: report.numbers.id, channel: claim.channel }, `A report was not posted: ${why}`);
}

/** What is uploaded by now. `later`: the row was put back, to try again. */
async function uploadFiles(context: SendContext, report: StoredReport): Promise<StoredReport['files'] | 'later'> {
  const { pool, slack, log, claim, timing } = context;
  const { numbers } = report;
  const files = { ...report.files };
  const name = `${numbers.id || 'report'}-${new Date(numbers.untilMs).toISOString().slice(0, 16).replaceAll(':', '')}`;
  try {
    if (!files.picture) {
      // Loaded when it is needed: a bot that never posts a report does without it.
      const { drawChart } = await import('../reports/chart.ts');
      files.picture = await slack.upload({ name: `${name}.png`, title: numbers.title, bytes: await drawChart(numbers) });
      await recordReportFile(pool, report.id, 'picture', files.picture);
    }
    if (!files.table) {
      files.table = await slack.upload({
        name: `${name}.csv`,
        title: `${numbers.title}: all figures`,
        bytes: Buffer.from(reportTable(numbers)),
      });
      await recordReportFile(pool, report.id, 'table', files.table);
    }
    return files;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    log.warn({ report: numbers.id, error: why }, 'A file of a report could not be uploaded');
    // What Slack will not take once it will not take twice; the rest is tried again.
    const final = error instanceof SlackTrouble && (error.kind === 'auth' || error.kind === 'refused');
    if (final || claim.tries >= FILE_TRIES) return files;
    const retryAfterMs = error instanceof SlackTrouble ? (error.retryAfterMs ?? 0) : 0;
    await putBack(pool, claim, Math.max(timing.pictureRetryMs, retryAfterMs), why);
    return 'later';
  }
}
