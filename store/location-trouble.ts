/** What is thought of the locations: of which nothing comes, and which are not to be believed. */
import type { LocationTrouble } from '../core/location.ts';
import type { Db } from './db.ts';

/** All that are in trouble. */
export async function locationTroublesOf(db: Db): Promise<LocationTrouble[]> {
  const { rows } = await db.query<{ trouble: LocationTrouble }>('select trouble from location_trouble order by location');
  return rows.map((row) => row.trouble);
}

/** Replaces what is thought of all locations. */
export async function writeLocationTroubles(db: Db, troubles: readonly LocationTrouble[]): Promise<void> {
  await db.query('delete from location_trouble where not (location = any($1))', [troubles.map((one) => one.id)]);
  for (const trouble of troubles) {
    await db.query(
      `insert into location_trouble (location, trouble) values ($1, $2)
       on conflict (location) do update set trouble = excluded.trouble, noted_at = now()`,
      [trouble.id, JSON.stringify(trouble)],
    );
  }
}
