/** Which migrations there are, and which a database has had. */
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Db } from './db.ts';

export const MIGRATIONS_FOLDER = fileURLToPath(new URL('migrations', import.meta.url));

/** PostgreSQL's code for a table that is not there. */
const UNDEFINED_TABLE = '42P01';

/** The migrations of this version that the database has not had, by name. It may have had more: those of a newer version. */
export async function missingMigrations(db: Db): Promise<string[]> {
  const names = (await readdir(MIGRATIONS_FOLDER)).map((file) => file.replace(/\.sql$/, '')).sort();
  const had = new Set(await migrationsOf(db));
  return names.filter((name) => !had.has(name));
}

async function migrationsOf(db: Db): Promise<string[]> {
  try {
    const { rows } = await db.query<{ name: string }>('select name from migration');
    return rows.map((row) => row.name);
  } catch (error) {
    if ((error as { code?: string }).code === UNDEFINED_TABLE) return [];
    throw error;
  }
}
