import { TENANTS, type Tenant } from '../tenants.ts';
import { everythingDown } from './everything-down.ts';
import type { Fault, World } from './fault.ts';
import { lockHeld } from './lock-held.ts';
import { loginRefused } from './login-refused.ts';
import { reportFailing } from './report-failing.ts';
import { slowQuery } from './slow-query.ts';
import { tenantDown } from './tenant-down.ts';

export const FAULTS: readonly Fault[] = [loginRefused, slowQuery, lockHeld, reportFailing, tenantDown, everythingDown];

/** One switch, as `GET /faults` lists it. */
export interface Switch {
  fault: string;
  /** `null`: it concerns all clinics. */
  tenant: string | null;
  on: boolean;
  title: string;
  explains: string;
}

/** Returns every switch with its state as the world is now. */
export async function listSwitches(world: World, faults: readonly Fault[] = FAULTS): Promise<Switch[]> {
  const switches: Switch[] = [];
  for (const fault of faults) {
    const { name, title, explains } = fault;
    if (fault.scope === 'everyone') switches.push({ fault: name, tenant: null, on: await fault.isOn(world), title, explains });
    else {
      for (const tenant of TENANTS) {
        switches.push({ fault: name, tenant: tenant.id, on: await fault.isOn(world, tenant), title, explains });
      }
    }
  }
  return switches;
}

/** Switches a fault on or off for the clinics given. One that is as wished already is left alone. */
export async function turn(world: World, fault: Fault, on: boolean, tenants: readonly Tenant[]): Promise<void> {
  if (fault.scope === 'everyone') return on ? fault.turnOn(world) : fault.turnOff(world);
  for (const tenant of tenants) {
    if ((await fault.isOn(world, tenant)) === on) continue;
    await (on ? fault.turnOn(world, tenant) : fault.turnOff(world, tenant));
    world.log.info({ fault: fault.name, tenant: tenant.id, on }, 'A fault was switched.');
  }
}
