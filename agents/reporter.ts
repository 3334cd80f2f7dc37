/** Hands reports to the queue, in order; what it does not take goes to the spool and is sent when it is back. */
import { randomUUID } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/process.ts';
import { QUEUES, type Report } from '../jobs/contract.ts';
import type { Queues } from '../jobs/queue.ts';
import type { Spool, Spooled } from './spool.ts';

const RETRY_MS = 2_000;

export type ReportBody = Partial<Pick<Report, 'results' | 'refusals' | 'actions'>>;

export interface Reporter {
  /** Resolves when the queue or the disk has the report. */
  send(body: ReportBody): Promise<void>;
  /** Why nothing can be handed over now; `undefined` when all is well. */
  trouble(): string | undefined;
  /** Tries once more to empty the spool, then ends. What is left stays on disk for the next start. */
  close(): Promise<void>;
}

export interface ReporterDeps {
  queues: Pick<Queues, 'add'>;
  spool: Spool;
  location: string;
  /** This agent's name, told with each report. */
  agent: string;
  /** The version of Rounds, told with each report. */
  version?: string;
  clock: Clock;
  log: Log;
  retryMs?: number;
}

/** PostgreSQL's class 22: the data itself is at fault (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
function isRefused(error: unknown): boolean {
  return /^22/.test(String((error as { code?: unknown } | undefined)?.code ?? ''));
}

/** A reporter for one location. */
export function reporterTo(deps: ReporterDeps): Reporter {
  const { queues, spool, log, clock } = deps;
  const queue = QUEUES.results(deps.location);
  let away = false;
  // One after the other, so that a result is never overtaken by an older one from the spool.
  let turn: Promise<void> = Promise.resolve();
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const mine = turn.then(work);
    turn = mine.catch(() => {});
    return mine;
  };
  const handOver = async ({ id, report }: Spooled) => {
    try {
      // What comes from the spool is still counted there.
      const data = { ...report, sentAtMs: clock.now(), spooled: Math.max(0, spool.size() - 1) };
      await queues.add(queue, [{ id, data }], 'until-stored');
    } catch (error) {
      if (!isRefused(error)) throw error;
      // It would be refused for ever, and whatever comes after it would wait behind it.
      log.error({ error: String(error), runs: report.results.map(({ run }) => run) }, 'the queue refuses a report; it is given up');
    }
  };
  const attempt = async (work: () => Promise<void>): Promise<boolean> => {
    try {
      await work();
      if (away) log.info({}, 'the queue is back');
      away = false;
      return true;
    } catch (error) {
      if (!away) log.warn({ error: String(error) }, 'the queue is away; results wait on disk');
      away = true;
      return false;
    }
  };
  const flush = () => inTurn(async () => void (spool.size() > 0 && (await attempt(() => spool.drain(handOver)))));
  const timer = setInterval(() => void flush(), deps.retryMs ?? RETRY_MS);
  timer.unref();

  return {
    send: (body) =>
      inTurn(async () => {
        const about = { agent: deps.agent, sentAtMs: clock.now(), ...(deps.version === undefined ? {} : { version: deps.version }) };
        const report: Report = { v: 1, ...about, results: [], refusals: [], actions: [], ...body };
        const spooled = { id: randomUUID(), report };
        // The queue is only asked while nothing waits: what waits was first.
        if (spool.size() === 0 && (await attempt(() => handOver(spooled)))) return;
        await spool.put(spooled);
      }),
    trouble: () => (away ? `The queue is away; ${spool.size()} reports wait on disk.` : undefined),
    async close() {
      clearInterval(timer);
      await flush();
    },
  };
}
