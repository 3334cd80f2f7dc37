import { ask, type TenantFault } from './fault.ts';

const UNREADABLE = `amount !~ '^-?[0-9]+([.][0-9]+)?$'`;

/** A row of an insurer's file has no number where the report expects one. */
export const reportFailing: TenantFault = {
  name: 'report-failing',
  scope: 'tenant',
  title: 'Monthly report failing',
  explains: "A row imported from an insurer's file has no number in it: the query of the monthly report fails.",
  isOn: ({ admin }, { schema }) => ask(admin, `SELECT EXISTS (SELECT 1 FROM ${schema}.insurer_settlements WHERE ${UNREADABLE}) AS yes`, []),
  turnOn: async ({ admin }, { schema }) => {
    await admin.query(
      `INSERT INTO ${schema}.insurer_settlements (settled_on, amount)
       SELECT current_date, 'see letter' WHERE NOT EXISTS (SELECT 1 FROM ${schema}.insurer_settlements WHERE ${UNREADABLE})`,
    );
  },
  turnOff: async ({ admin }, { schema }) => {
    await admin.query(`DELETE FROM ${schema}.insurer_settlements WHERE ${UNREADABLE}`);
  },
};
