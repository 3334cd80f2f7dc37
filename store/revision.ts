/** Configuration revisions that were in force. */
import type { Config } from '../core/config/model.ts';
import type { Db } from './db.ts';

/** Keeps the configuration under its revision, once. It holds no secret: those are references. */
export async function keepRevision(db: Db, config: Config): Promise<void> {
  await db.query('insert into config_revision (revision, config) values ($1, $2) on conflict do nothing', [
    config.revision,
    JSON.stringify(config),
  ]);
}
