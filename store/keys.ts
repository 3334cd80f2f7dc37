/**
 * The numbers that stand for checks, locations, revisions and shapes in rows of which there are millions. They are made once and never
 * taken away, so each process remembers those it has seen.
 */
import { textArray } from './arrays.ts';
import type { Pool } from './db.ts';

/** What has a number. */
type Kind = 'check' | 'location' | 'revision';
const TABLES: Record<Kind, { table: string; name: string }> = {
  check: { table: 'check_key', name: 'check_id' },
  location: { table: 'location_key', name: 'location' },
  revision: { table: 'revision_key', name: 'revision' },
};

/**
 * No configuration has as many; an agent that makes up names is not to fill the table, nor the memory of whoever reads it. What has no
 * shape is stored with its names.
 */
const MOST_SHAPES = 20_000;
const LONGEST_SHAPE = 4_000;

/** The names of a result's numbers: of its measurements, then of its steps. */
export interface Shape {
  measurements: readonly string[];
  steps: readonly string[];
}

/** The shape as the text by which it is known. */
export function shapeText({ measurements, steps }: Shape): string {
  return JSON.stringify([measurements, steps]);
}

export class Keys {
  readonly #pool: Pool;
  readonly #known: Record<Kind | 'shape', Map<string, number>> = {
    check: new Map(),
    location: new Map(),
    revision: new Map(),
    shape: new Map(),
  };

  constructor(pool: Pool) {
    this.#pool = pool;
    // Another connection may lead to a database that was put back to an earlier state: numbers made since then would be others'.
    pool.on('connect', () => {
      for (const known of Object.values(this.#known)) known.clear();
    });
  }

  /** The numbers of these names, made where there are none. Never in a transaction: one that is rolled back would take them away. */
  async made(kind: Kind, names: readonly string[]): Promise<Map<string, number>> {
    return this.#numbers(kind, names, async (missing) => {
      const { table, name } = TABLES[kind];
      await this.#pool.query(
        `insert into ${table} (${name}) select name from unnest($1::text[]) as one (name) order by 1 on conflict do nothing`,
        [textArray(missing)],
      );
      return this.#read(kind, missing);
    });
  }

  /** The number of that name, if this process has seen it: for who is in a transaction. */
  seen(kind: Kind, name: string): number | undefined {
    return this.#known[kind].get(name);
  }

  /** The numbers of those names that have one. */
  async found(kind: Kind, names: readonly string[]): Promise<Map<string, number>> {
    return this.#numbers(kind, names, (missing) => this.#read(kind, missing));
  }

  /** The numbers of these shapes, as far as they are taken. */
  async shapes(texts: readonly string[]): Promise<Map<string, number>> {
    const taken = texts.filter((text) => text.length <= LONGEST_SHAPE);
    return this.#numbers('shape', taken, async (missing) => {
      await this.#pool.query(
        `insert into shape (digest, measurements, steps)
         select md5(text)::uuid, array(select jsonb_array_elements_text(text::jsonb->0)), array(select jsonb_array_elements_text(text::jsonb->1))
         from unnest($1::text[]) as one (text) where (select count(*) from shape) < $2 order by 1 on conflict do nothing`,
        [textArray(missing), MOST_SHAPES],
      );
      const { rows } = await this.#pool.query<{ name: string; key: number }>(
        'select text as name, key from unnest($1::text[]) as one (text) join shape on digest = md5(text)::uuid',
        [textArray(missing)],
      );
      return rows;
    });
  }

  async #read(kind: Kind, names: readonly string[]): Promise<{ name: string; key: number }[]> {
    const { table, name } = TABLES[kind];
    const { rows } = await this.#pool.query<{ name: string; key: number }>(
      `select ${name} as name, key from ${table} where ${name} = any($1)`,
      [textArray(names)],
    );
    return rows;
  }

  async #numbers(
    kind: Kind | 'shape',
    names: readonly string[],
    read: (missing: readonly string[]) => Promise<readonly { name: string; key: number }[]>,
  ): Promise<Map<string, number>> {
    const known = this.#known[kind];
    const numbers = new Map<string, number>();
    const missing = new Set<string>();
    for (const name of names) {
      const key = known.get(name);
      if (key === undefined) missing.add(name);
      else numbers.set(name, key);
    }
    if (missing.size === 0) return numbers;
    for (const { name, key } of await read([...missing])) {
      numbers.set(name, key);
      known.set(name, key);
    }
    return numbers;
  }
}

const known = new WeakMap<Pool, Keys>();

/** What this process knows of the database of that pool. */
export function keysOf(pool: Pool): Keys {
  const keys = known.get(pool) ?? new Keys(pool);
  known.set(pool, keys);
  return keys;
}
