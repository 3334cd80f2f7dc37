/**
 * The sample clinic: three clinics in one small web application, to be watched and to be broken.
 * The public pages are on CLINIC_PORT, the switches of the faults and the ops API on CLINIC_CONTROL_PORT, both on loopback only.
 */
import { createHmac } from 'node:crypto';
import type pg from 'pg';
import type { Log, Start } from '../../core/process.ts';
import { controlApp } from './control/app.ts';
import { tenantPool } from './database/connect.ts';
import { setUpDatabase } from './database/setup.ts';
import { lockHeld } from './faults/lock-held.ts';
import { createListener, type Listener } from './listener.ts';
import { readSettings, type Settings } from './settings.ts';
import { TENANTS } from './tenants.ts';
import { publicApp } from './web/app.ts';
import type { Clinic } from './web/clinic.ts';

/** Starts the sample clinic. Reads CLINIC_ADMIN_DATABASE_URL, CLINIC_OPS_TOKEN, CLINIC_MONITOR_PASSWORD, and the two ports (4610, 4611). */
export const start: Start = async ({ env, log }) => {
  const settings = readSettings(env);
  const admin = await setUpDatabase(settings, log);
  const clinics = openClinics(settings, log);
  const front = createListener(await publicApp(clinics), settings.port, 'CLINIC_PORT');
  const world = { admin, settings, front, log };
  const control = createListener(controlApp(world), settings.controlPort, 'CLINIC_CONTROL_PORT');
  const closeAll = () => close([front, control], [...clinics.map(({ db }) => db), admin]);
  try {
    await front.open();
    await control.open();
  } catch (error) {
    await closeAll();
    throw error;
  }
  log.info({ url: `http://127.0.0.1:${front.port()}`, control: `http://127.0.0.1:${control.port()}` }, 'The sample clinic is open.');
  return {
    // A public listener that a switch has closed is as wished: the process can do its work.
    ready: () => answers(admin),
    stop: async () => {
      await front.close();
      // The report of a fault, and a page that nobody waits for any more, would hold the pools open for seconds.
      await lockHeld.turnOff(world).catch(() => undefined);
      await cancelPages(admin).catch(() => undefined);
      await closeAll();
    },
  };
};

/** Their transactions are rolled back, as when a browser's connection breaks. */
async function cancelPages(admin: pg.Pool): Promise<void> {
  const roles = TENANTS.map(({ role }) => role);
  await admin.query(`SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE usename = ANY ($1) AND state = 'active'`, [roles]);
}

function openClinics(settings: Settings, log: Log): Clinic[] {
  const formKey = createHmac('sha256', settings.opsToken).update('form').digest('base64url');
  return TENANTS.map((tenant) => ({ tenant, db: tenantPool(settings, tenant, log), formKey, log }));
}

/** The contract of `ready` is 2 s. */
const ANSWER_WITHIN_MS = 1_500;

async function answers(admin: pg.Pool): Promise<string | undefined> {
  const late = new Promise<string>((resolve) => {
    setTimeout(resolve, ANSWER_WITHIN_MS, 'The database of the sample clinic did not answer within 1.5 s.').unref();
  });
  const asked = admin.query('SELECT 1').then(
    () => undefined,
    () => 'The database of the sample clinic cannot be reached.',
  );
  return Promise.race([asked, late]);
}

async function close(listeners: readonly Listener[], pools: readonly pg.Pool[]): Promise<void> {
  await Promise.all(listeners.map((listener) => listener.close()));
  await Promise.all(pools.map((pool) => pool.end()));
}
