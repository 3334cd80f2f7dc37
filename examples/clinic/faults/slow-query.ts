import { readSql } from '../database/setup.ts';
import type { Tenant } from '../tenants.ts';
import { ask, type TenantFault, type World } from './fault.ts';

/** The trigger behind every invoice is replaced by a version that goes through the whole ledger. */
export const slowQuery: TenantFault = {
  name: 'slow-query',
  scope: 'tenant',
  title: 'Slow query',
  explains: 'Confirming an invoice goes through the whole ledger in the database, again and again: it takes more than 5 s.',
  // Only the slow version has a loop.
  isOn: ({ admin }, { schema }) =>
    ask(admin, `SELECT prosrc LIKE '%LOOP%' AS yes FROM pg_proc WHERE oid = $1::regproc`, [`${schema}.refresh_balance`]),
  turnOn: (world, tenant) => replaceFunction(world, tenant, './balance-slow.sql'),
  turnOff: (world, tenant) => replaceFunction(world, tenant, './balance.sql'),
};

async function replaceFunction({ admin }: World, { schema }: Tenant, file: string): Promise<void> {
  const sql = await readSql(file);
  // One round trip is one transaction: the setting ends with it.
  await admin.query(`SET LOCAL search_path = ${schema};\n${sql}`);
}
