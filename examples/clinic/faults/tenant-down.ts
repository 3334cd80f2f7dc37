import { ask, type TenantFault } from './fault.ts';

/** The role of the clinic may no longer log in, and its connections are ended. */
export const tenantDown: TenantFault = {
  name: 'tenant-down',
  scope: 'tenant',
  title: 'One clinic down',
  explains: 'The database no longer lets the clinic connect: every page of it answers 503.',
  isOn: ({ admin }, { role }) => ask(admin, 'SELECT NOT rolcanlogin AS yes FROM pg_roles WHERE rolname = $1', [role]),
  turnOn: async ({ admin }, { role }) => {
    await admin.query(`ALTER ROLE ${role} NOLOGIN`);
    await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1', [role]);
  },
  turnOff: async ({ admin }, { role }) => {
    await admin.query(`ALTER ROLE ${role} LOGIN`);
  },
};
