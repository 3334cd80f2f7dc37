import { ask, type TenantFault } from './fault.ts';

/** The role of the clinic loses the right to write sessions. Whoever is signed in stays so. */
export const loginRefused: TenantFault = {
  name: 'login-refused',
  scope: 'tenant',
  title: 'Sign-in refused',
  explains: 'The clinic loses the right to write sessions to its database: nobody can sign in.',
  isOn: ({ admin }, { role, schema }) =>
    ask(admin, `SELECT NOT has_table_privilege($1, $2, 'INSERT') AS yes`, [role, `${schema}.sessions`]),
  turnOn: async ({ admin }, { role, schema }) => {
    await admin.query(`REVOKE INSERT ON ${schema}.sessions FROM ${role}`);
  },
  turnOff: async ({ admin }, { role, schema }) => {
    await admin.query(`GRANT INSERT ON ${schema}.sessions TO ${role}`);
  },
};
