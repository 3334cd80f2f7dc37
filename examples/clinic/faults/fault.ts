/**
 * A fault that can be switched on and off, and is the real thing each time: a right that is missing, a lock that is held,
 * a listener that is closed. Whether it is on is read from the world, never remembered: it is right after a restart,
 * and after somebody repaired it in another way.
 */
import type pg from 'pg';
import type { Log } from '../../../core/process.ts';
import type { Listener } from '../listener.ts';
import type { Settings } from '../settings.ts';
import type { Tenant } from '../tenants.ts';

/** What a fault works on. */
export interface World {
  /** The owner's pool in the clinic database. */
  admin: pg.Pool;
  settings: Settings;
  /** Where the public sees the clinics. */
  front: Listener;
  log: Log;
}

interface FaultText {
  name: string;
  title: string;
  /** One sentence for whoever holds the switch: what it does, and what is seen. */
  explains: string;
}

/** A fault of one clinic, with a switch for each. */
export interface TenantFault extends FaultText {
  scope: 'tenant';
  isOn(world: World, tenant: Tenant): Promise<boolean>;
  turnOn(world: World, tenant: Tenant): Promise<void>;
  turnOff(world: World, tenant: Tenant): Promise<void>;
}

/** A fault with one switch. */
export interface SharedFault extends FaultText {
  scope: 'everyone';
  isOn(world: World): Promise<boolean>;
  turnOn(world: World): Promise<void>;
  turnOff(world: World): Promise<void>;
}

export type Fault = TenantFault | SharedFault;

/** Returns the one boolean that the query asks for as `yes`. */
export async function ask(admin: pg.Pool, query: string, values: unknown[]): Promise<boolean> {
  const found = await admin.query<{ yes: boolean }>(query, values);
  return found.rows[0]?.yes ?? false;
}
