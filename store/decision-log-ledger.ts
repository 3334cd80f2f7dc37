/** What the ledger says of runs that the decision log names by their numbers. */
import type { FoldInput } from '../core/evaluate.ts';
import type { CodedRun, Ref } from '../core/replay/code.ts';
import { runName } from '../core/run.ts';
import { numberArray } from './arrays.ts';
import type { Db } from './db.ts';

/** By {@link keyOf}. */
export type LedgerInputs = ReadonlyMap<string, FoldInput>;

interface RunRow {
  place: number;
  purpose: 'scheduled' | 'confirm' | 'verify' | 'manual';
  planned_ms: number;
  verdict: FoldInput['verdict'];
  duration_ms: number;
  failure: NonNullable<FoldInput['failure']> | null;
  findings: FoldInput['findings'] | null;
  picture_id: number | null;
}

/** By what a run of the log is looked up. */
export function keyOf({ check, location, slotMs, ask }: CodedRun): string {
  return `${check}@${location}@${slotMs}@${ask}`;
}

/** Opens the ledger: reads the names behind its numbers. */
export async function openLedger(db: Db): Promise<Ledger> {
  const { rows: checks } = await db.query<Named>('select key, check_id as name from check_key');
  const { rows: locations } = await db.query<Named>('select key, location as name from location_key');
  return new Ledger(db, checks, locations);
}

interface Named {
  key: number;
  name: string;
}

export class Ledger {
  readonly #db: Db;
  readonly #checks: ReadonlyMap<Ref, string>;
  readonly #locations: ReadonlyMap<Ref, string>;
  readonly #checkKeys: ReadonlyMap<string, number>;
  readonly #locationKeys: ReadonlyMap<string, number>;

  constructor(db: Db, checks: readonly Named[], locations: readonly Named[]) {
    this.#db = db;
    this.#checks = new Map(checks.map(({ key, name }) => [key, name]));
    this.#locations = new Map(locations.map(({ key, name }) => [key, name]));
    this.#checkKeys = new Map(checks.map(({ key, name }) => [name, key]));
    this.#locationKeys = new Map(locations.map(({ key, name }) => [name, key]));
  }

  /** The name of a check; whoever did not know its number logged the name. */
  check(ref: Ref): string {
    return this.#checks.get(ref) ?? String(ref);
  }

  location(ref: Ref): string {
    return this.#locations.get(ref) ?? String(ref);
  }

  /** What the ledger says of these runs, as it is folded. */
  async inputsOf(runs: readonly CodedRun[]): Promise<LedgerInputs> {
    const keyed = runs.map((run) => ({
      ...{ run, check: typeof run.check === 'number' ? run.check : this.#checkKeys.get(run.check) },
      location: typeof run.location === 'number' ? run.location : this.#locationKeys.get(run.location),
    }));
    const known = keyed.filter((one) => typeof one.check === 'number' && typeof one.location === 'number');
    if (known.length === 0) return new Map();
    const { rows } = await this.#db.query<RunRow>(
      `select one.place, coalesce(asked, 'scheduled') as purpose, (extract(epoch from coalesce(planned_at, run.slot)) * 1000)::float8 as planned_ms,
         verdict, duration_ms, failure, detail->'findings' as findings, picture_id
       from unnest($1::int[], $2::smallint[], $3::float8[], $4::int[]) with ordinality as one (check_key, location_key, slot_ms, ask_id, place)
       join run on run.check_key = one.check_key and run.slot = to_timestamp(one.slot_ms / 1000) and run.location_key = one.location_key
         and run.ask_id = one.ask_id
       where verdict is not null`,
      [
        numberArray(known.map((one) => one.check as number)),
        numberArray(known.map((one) => one.location as number)),
        numberArray(known.map(({ run }) => run.slotMs)),
        numberArray(known.map(({ run }) => run.ask)),
      ],
    );
    return new Map(
      rows.flatMap((row): [string, FoldInput][] => {
        const run = known[row.place - 1]?.run;
        return run ? [[keyOf(run), this.#inputOf(run, row)]] : [];
      }),
    );
  }

  #inputOf(run: CodedRun, row: RunRow): FoldInput {
    const [check, location] = [this.check(run.check), this.location(run.location)];
    return {
      run: runName({ check, location, slotMs: run.slotMs, purpose: row.purpose, ask: run.ask }),
      ...{
        location,
        plannedAtMs: Math.round(row.planned_ms),
        verdict: row.verdict,
        durationMs: row.duration_ms,
        findings: row.findings ?? [],
      },
      ...(row.failure ? { failure: row.failure } : {}),
      ...(row.picture_id ? { pictureId: row.picture_id } : {}),
      ...(row.purpose === 'scheduled' ? {} : { extra: true }),
    };
  }
}
