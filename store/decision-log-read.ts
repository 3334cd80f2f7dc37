/** Reads the decision log with everything that it refers to, for core/replay.ts. In one transaction in which nothing changes. */
import type { Config } from '../core/config/model.ts';
import type { CodedRun } from '../core/replay/code.ts';
import { unpackRuns } from '../core/replay/code.ts';
import type { Entry, FoldEntry, JudgeInputs, StoredDecision, World } from '../core/replay/entry.ts';
import { parseSnapshot } from '../core/replay/versions.ts';
import { VERSION } from '../core/version.ts';
import type { Db } from './db.ts';
import type { FoldInputs } from './decision-log.ts';
import { keyOf, type Ledger, type LedgerInputs, openLedger } from './decision-log-ledger.ts';
import { type RawWorld, worldFrom, worldSql } from './decision-log-world.ts';

/** The log cannot be replayed from there. Its message is one sentence for people. */
export class NotReplayable extends Error {}

/** Transactions that are read at once: with their runs some megabytes. */
const AT_ONCE = 500;

export interface LogSpan {
  /** By PostgreSQL's clock; without it, as far back as this version of Rounds has decided, or else as far as can be. */
  fromMs?: number;
  untilMs?: number;
}

export interface LogReader {
  /** Where the replay begins. */
  checkpoint: {
    id: number;
    /** By PostgreSQL's clock, as times are asked for. */
    takenAtMs: number;
    /** By the clock of the worker that took it, as its entries are. */
    atMs: number;
    revision: string;
    content: World;
  };
  config: Config;
  /** Versions of Rounds, other than each other, that decided in that span. */
  versions: ReadonlySet<string>;
  /** The entries in their order; a wrong one is told in the place of an entry. */
  entries(): AsyncGenerator<Entry | UnreadableEntry>;
  /** Whether all that is logged was read, so that it can be held against what is stored now. */
  isWhole: boolean;
  /** Everything as it is stored now, with these incidents and all that are open. */
  stored(incidents: readonly number[]): Promise<World>;
}

/** An entry of which nothing can be made. */
export interface UnreadableEntry {
  kind: 'unreadable';
  seq: number;
  atMs: number;
  why: string;
}

/** Opens the log at the checkpoint before that time. Throws `NotReplayable`. The transaction must be repeatable read. */
export async function openLog(db: Db, span: LogSpan): Promise<LogReader> {
  const checkpoint = await checkpointFor(db, span);
  const reader = new Reader(db, checkpoint, span);
  await reader.begin();
  return reader;
}

interface Checkpoint {
  id: number;
  takenAtMs: number;
  atMs: number;
  snapshot: string;
  revision: string;
  version: string;
  content: World;
}

async function checkpointFor(db: Db, { fromMs }: LogSpan): Promise<Checkpoint> {
  const { rows } = await db.query<{
    id: number;
    taken_at: Date;
    at_ms: number;
    snapshot: string;
    revision: string;
    version: string;
    content: RawWorld;
  }>(
    `select id, taken_at, at_ms, snapshot::text as snapshot, revision, version, content from decision_checkpoint
     where $1::float8 is null or taken_at <= to_timestamp($1 / 1000)
     order by case when $1::float8 is null then id <= (select max(id) from decision_checkpoint where version <> $2) end,
       case when $1::float8 is null then id else -id end limit 1`,
    [fromMs ?? null, VERSION],
  );
  const row = rows[0];
  if (row) return { ...row, takenAtMs: row.taken_at.getTime(), atMs: row.at_ms, content: worldFrom(row.content) };
  const { rows: known } = await db.query<{ first: Date | null }>('select min(taken_at) as first from decision_checkpoint');
  const first = known[0]?.first;
  throw new NotReplayable(
    first
      ? `Nothing that can be replayed is kept of before ${first.toISOString()}: storage.raw says how long that is.`
      : 'There is no checkpoint to begin at: a worker takes the first when it starts, and one every hour.',
  );
}

interface LogRow {
  seq: number;
  xid: number;
  at_ms: number;
  planning_since_ms: number | null;
  kind: Entry['kind'];
  runs: string | null;
  scope: string | null;
  snapshot: string | null;
  inputs: Record<string, unknown> | null;
  seen_from: number | null;
}

class Reader implements LogReader {
  readonly checkpoint: Checkpoint;
  config!: Config;
  readonly versions = new Set<string>();
  isWhole = false;
  readonly #db: Db;
  readonly #span: LogSpan;
  readonly #configs = new Map<string, Config>();
  #ledger!: Ledger;
  #runsSinceMs = 0;

  constructor(db: Db, checkpoint: Checkpoint, span: LogSpan) {
    this.#db = db;
    this.checkpoint = checkpoint;
    this.#span = span;
  }

  async begin(): Promise<void> {
    this.#ledger = await openLedger(this.#db);
    this.config = await this.#configOf(this.checkpoint.revision);
    this.versions.add(this.checkpoint.version);
    const { rows } = await this.#db.query<{ first_ms: number | null }>(
      `select extract(epoch from min(to_timestamp(substr(relname, 5) || ' +00', 'YYYYMMDD_HH24 TZH')))::float8 * 1000 as first_ms
       from pg_class join pg_inherits on inhrelid = pg_class.oid and inhparent = 'run'::regclass`,
    );
    this.#runsSinceMs = rows[0]?.first_ms ?? 0;
    const { snapshot, takenAtMs, id } = this.checkpoint;
    // A cursor takes no parameters. All of these are numbers, or came from PostgreSQL itself.
    const until = this.#span.untilMs === undefined ? `'infinity'` : `to_timestamp(${Number(this.#span.untilMs)} / 1000.0)`;
    // None of our transactions lives for an hour.
    await this.#db.query(
      `declare replayed no scroll cursor for
       select seq, xid::text::bigint as xid, at_ms, planning_since_ms, kind, runs, scope, snapshot::text as snapshot, inputs,
         min(pg_snapshot_xmin(snapshot)::text::bigint) over (order by seq desc) as seen_from
       from decision_log
       where logged_at >= to_timestamp(${takenAtMs} / 1000.0) - interval '1 hour' and not pg_visible_in_snapshot(xid, '${snapshot}')
         and not (kind = 'checkpoint' and inputs->>'id' = '${id}') and logged_at <= ${until}
       order by seq`,
    );
    const { rows: later } = await this.#db.query(`select from decision_log where logged_at > ${until} limit 1`);
    this.isWhole = later.length === 0;
  }

  async *entries(): AsyncGenerator<Entry | UnreadableEntry> {
    for (;;) {
      const { rows } = await this.#db.query<LogRow>(`fetch ${AT_ONCE} from replayed`);
      if (rows.length === 0) return;
      const coded = new Map(rows.map((row) => [row.seq, codedIn(row)]));
      const ledger = await this.#ledger.inputsOf([...coded.values()].flatMap((one) => ('runs' in one ? one.runs : [])));
      const decisions = await this.#decisionsOf(rows);
      for (const row of rows) yield await this.#entryOf(row, coded.get(row.seq) ?? { why: '' }, ledger, decisions);
    }
  }

  async stored(incidents: readonly number[]): Promise<World> {
    const { rows } = await this.#db.query<{ world: RawWorld }>(`select ${worldSql("state = 'open' or id = any($1)")} as world`, [
      incidents,
    ]);
    const row = rows[0];
    if (!row) throw new Error('PostgreSQL returned nothing');
    return worldFrom(row.world);
  }

  async #entryOf(
    row: LogRow,
    coded: Coded,
    ledger: LedgerInputs,
    decisions: ReadonlyMap<number, StoredDecision[]>,
  ): Promise<Entry | UnreadableEntry> {
    const { seq, xid, at_ms: atMs, inputs } = row;
    const logged = { seq, xid, atMs, seenFromXid: row.seen_from ?? Number.POSITIVE_INFINITY, stored: decisions.get(xid) ?? [] };
    if ('why' in coded) return { kind: 'unreadable', seq, atMs, why: coded.why };
    switch (row.kind) {
      case 'fold':
        return { ...logged, ...this.#foldOf(row, coded, ledger) };
      case 'judge': {
        const { opened = [], read } = (inputs ?? {}) as { opened?: number[]; read?: JudgeInputs | null };
        const snapshot = parseSnapshot(row.snapshot ?? '');
        return {
          ...logged,
          kind: 'judge',
          scope: row.scope ?? '',
          snapshot,
          planningSinceMs: row.planning_since_ms ?? 0,
          inputs: read ?? {},
          opened,
        };
      }
      case 'config': {
        const { revision = '', version = '' } = (inputs ?? {}) as { revision?: string; version?: string };
        this.versions.add(version);
        return { ...logged, kind: 'config', config: await this.#configOf(revision) };
      }
      case 'press':
        return { ...logged, kind: 'press', ...(inputs as { verb: string; subject: string; by: string }) };
      case 'checkpoint':
        return {
          ...logged,
          kind: 'checkpoint',
          snapshot: parseSnapshot(row.snapshot ?? ''),
          content: await this.#contentOf(Number(inputs?.id)),
        };
    }
  }

  #foldOf(
    row: LogRow,
    { runs, gaps }: CodedFold,
    ledger: LedgerInputs,
  ): Pick<FoldEntry, 'kind' | 'time' | 'results' | 'gaps' | 'stale' | 'lost'> {
    const inputs = (row.inputs ?? {}) as FoldInputs;
    const disbelieved = (inputs.disbelieved ?? []).map(([id, fromMs, untilMs]) => [id, { fromMs, untilMs }] as const);
    const time = {
      nowMs: row.at_ms,
      planningSinceMs: row.planning_since_ms ?? 0,
      distrusted: new Set(inputs.distrusted),
      disbelieved: new Map(disbelieved),
    };
    const results = [];
    const lost: string[] = [];
    for (const run of runs) {
      const check = this.#ledger.check(run.check);
      const input = ledger.get(keyOf(run));
      if (input) results.push({ check, mark: run.mark, input });
      else lost.push(this.#lost(run));
    }
    const missing = gaps.map(({ run, reason }) => ({
      check: this.#ledger.check(run.check),
      location: this.#ledger.location(run.location),
      plannedAtMs: run.slotMs,
      reason,
    }));
    return { kind: 'fold', time, results, gaps: missing, stale: (inputs.stale ?? []).map((ref) => this.#ledger.check(ref)), lost };
  }

  #lost(run: CodedRun): string {
    const name = `${this.#ledger.check(run.check)}@${this.#ledger.location(run.location)}@${run.slotMs}`;
    if (run.slotMs >= this.#runsSinceMs) return name;
    throw new NotReplayable(`The run ${name} is needed and was dropped, since it is older than storage.raw: begin later, with --from.`);
  }

  async #decisionsOf(rows: readonly LogRow[]): Promise<Map<number, StoredDecision[]>> {
    const xids = rows.filter(({ kind }) => kind === 'fold' || kind === 'judge').map(({ xid }) => String(xid));
    const { rows: found } = await this.#db.query<{
      id: number;
      xid: string;
      scope: string;
      subject: string;
      reason: string;
      inputs: Record<string, unknown>;
      incident_id: number | null;
    }>('select id, xid::text as xid, scope, subject, reason, inputs, incident_id from decision where xid = any($1::xid8[]) order by id', [
      xids,
    ]);
    const decisions = found.map(({ xid, incident_id, ...decision }) => ({
      ...{ xid: Number(xid), decision: { ...decision, ...(incident_id === null ? {} : { incidentId: incident_id }) } },
    }));
    return new Map([...Map.groupBy(decisions, (one) => one.xid)].map(([xid, own]) => [xid, own.map((one) => one.decision)]));
  }

  async #configOf(revision: string): Promise<Config> {
    const known = this.#configs.get(revision);
    if (known) return known;
    const { rows } = await this.#db.query<{ config: Config }>('select config from config_revision where revision = $1', [revision]);
    const config = rows[0]?.config;
    if (!config)
      throw new NotReplayable(
        `The configuration under which it was decided (revision ${revision}) is not kept any more: begin later, with --from.`,
      );
    this.#configs.set(revision, config);
    return config;
  }

  async #contentOf(id: number): Promise<World> {
    const { rows } = await this.#db.query<{ content: RawWorld }>('select content from decision_checkpoint where id = $1', [id]);
    if (!rows[0]) throw new NotReplayable('A checkpoint on the way is gone: begin later, with --from.');
    return worldFrom(rows[0].content);
  }
}

interface CodedFold {
  runs: CodedRun[];
  gaps: { run: CodedRun; reason: string }[];
}
type Coded = CodedFold | { why: string };

function codedIn({ runs, inputs, at_ms: atMs, snapshot }: LogRow): Coded {
  try {
    const { gaps = [] } = (inputs ?? {}) as FoldInputs;
    if (snapshot !== null) parseSnapshot(snapshot);
    return {
      runs: unpackRuns(runs ?? '', atMs),
      gaps: gaps.flatMap(([reason, text]) => unpackRuns(text, atMs).map((run) => ({ run, reason }))),
    };
  } catch (error) {
    return { why: (error as Error).message };
  }
}
