/** The baseline: the same rows with a bare COPY into a table without an index, by a process of its own. Told a {@link Copy}, it answers {@link Copied}. */
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { treeCpuS } from '../process-tree.ts';

export interface Copy {
  type: 'copy';
  url: string;
  postgresPid: number;
}

export interface Copied {
  type: 'copied';
  rows: number;
  cpuS: number;
}

const TIMES = 5;

async function run({ url, postgresPid }: Copy): Promise<Copied> {
  const client = new pg.Client({ connectionString: url, application_name: 'copy' });
  await client.connect();
  const chunks: Buffer[] = [];
  for await (const chunk of client.query(copyTo('copy (select * from run) to stdout'))) chunks.push(chunk as Buffer);
  await client.query('create table copied (like run including defaults)');
  const [worker, postgres] = [process.cpuUsage(), treeCpuS([postgresPid])];
  for (let time = 0; time < TIMES; time++) await pipeline(chunks, client.query(copyFrom('copy copied from stdin')));
  const { user, system } = process.cpuUsage(worker);
  const cpuS = (user + system) / 1e6 + treeCpuS([postgresPid]) - postgres;
  const { rows } = await client.query<{ rows: string }>('select count(*) as rows from copied');
  await client.query('drop table copied');
  await client.end();
  return { type: 'copied', rows: Number(rows[0]?.rows), cpuS };
}

process.on('message', async (copy: Copy) => {
  process.send?.(await run(copy));
});
process.on('disconnect', () => process.exit(0));
