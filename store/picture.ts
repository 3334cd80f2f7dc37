/** Pictures of failing steps, as the agent took and masked them. */
import type { Db } from './db.ts';

export interface StoredPicture {
  mime: string;
  bytes: Buffer;
}

/** Stores a picture and returns its number. */
export async function insertPicture(db: Db, picture: StoredPicture & { run: string }): Promise<number> {
  const { rows } = await db.query<{ id: number }>('insert into picture (run, mime, bytes) values ($1, $2, $3) returning id', [
    picture.run,
    picture.mime,
    picture.bytes,
  ]);
  const id = rows[0]?.id;
  if (id === undefined) throw new Error('PostgreSQL returned no number for the picture');
  return id;
}

/** One picture, or `undefined` when retention has taken it. */
export async function pictureById(db: Db, id: number): Promise<StoredPicture | undefined> {
  const { rows } = await db.query<StoredPicture>('select mime, bytes from picture where id = $1', [id]);
  return rows[0];
}
