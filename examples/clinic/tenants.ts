/** The three clinics of the sample. Each has a PostgreSQL schema and a login role of its own, in one shared database. */

export interface Tenant {
  /** As it stands in the path: `/saint-anne/login`. */
  id: string;
  title: string;
  schema: string;
  role: string;
}

export const TENANTS: readonly Tenant[] = [
  { id: 'riverside', title: 'Riverside Clinic', schema: 'riverside', role: 'riverside_app' },
  { id: 'hillcrest', title: 'Hillcrest Dental', schema: 'hillcrest', role: 'hillcrest_app' },
  { id: 'saint-anne', title: 'Saint Anne Hospital', schema: 'saint_anne', role: 'saint_anne_app' },
];

/** The user that Rounds signs in as, at every clinic. What it creates is marked synthetic and cleaned. */
export const MONITOR_USER = 'rounds-monitor';
