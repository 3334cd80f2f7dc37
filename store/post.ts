/** What Slack has of each incident: one post, and at most one picture in it. */
import type { Db } from './db.ts';

export interface Post {
  incidentId: number;
  /** Slack's id of the channel. */
  channel: string;
  ts?: string;
  fileId?: string;
  pictureId?: number;
  /** The incident's revision that the post showed last. */
  shownRevision: number;
}

interface PostRow {
  incident_id: number;
  channel: string;
  ts: string | null;
  file_id: string | null;
  picture_id: number | null;
  shown_revision: number;
}

function fromRow(row: PostRow): Post {
  return {
    incidentId: row.incident_id,
    channel: row.channel,
    ...(row.ts ? { ts: row.ts } : {}),
    ...(row.file_id ? { fileId: row.file_id } : {}),
    ...(row.picture_id ? { pictureId: row.picture_id } : {}),
    shownRevision: row.shown_revision,
  };
}

/** The post of an incident, if there ever was one. Without `ts` it is gone, and the next one is made anew. */
export async function postOf(db: Db, incidentId: number): Promise<Post | undefined> {
  const { rows } = await db.query<PostRow>('select * from post where incident_id = $1', [incidentId]);
  return rows[0] && fromRow(rows[0]);
}

/** Records where the incident's post stands and which revision it shows. */
export async function recordPost(db: Db, post: { incidentId: number; channel: string; ts: string; shownRevision: number }): Promise<void> {
  await db.query(
    `insert into post (incident_id, channel, ts, shown_revision) values ($1, $2, $3, $4)
     on conflict (incident_id) do update set channel = $2, ts = $3, shown_revision = $4`,
    [post.incidentId, post.channel, post.ts, post.shownRevision],
  );
}

/** Records the uploaded picture, so that it is uploaded once. */
export async function recordPicture(db: Db, incidentId: number, fileId: string, pictureId: number): Promise<void> {
  await db.query('update post set file_id = $2, picture_id = $3 where incident_id = $1', [incidentId, fileId, pictureId]);
}

/** Notes that the post with that timestamp is gone from Slack, its picture with it. Returns whether this call did it. */
export async function forgetPost(db: Db, incidentId: number, ts: string): Promise<boolean> {
  const { rowCount } = await db.query('update post set ts = null, file_id = null, picture_id = null where incident_id = $1 and ts = $2', [
    incidentId,
    ts,
  ]);
  return rowCount === 1;
}

/** The posts of all open incidents. */
export async function openPosts(db: Db): Promise<Post[]> {
  const { rows } = await db.query<PostRow>(
    `select post.* from post join incident on incident.id = post.incident_id
     where incident.state = 'open' and post.ts is not null order by incident.id`,
  );
  return rows.map(fromRow);
}
