/** The panel that breaks the sample clinic. Its token stays here. */

import { z } from 'zod';
import type { ClinicSettings } from './settings.ts';

const TIMEOUT_MS = 2_000;

const faultsSchema = z.array(
  z.object({
    fault: z.string(),
    tenant: z.string().nullable().default(null),
    on: z.boolean(),
    title: z.string(),
    explains: z.string().default(''),
  }),
);

/** One kind of fault, with its switches: one for each clinic, or a single one where `tenant` is null. */
export interface FaultGroup {
  fault: string;
  title: string;
  explains: string;
  switches: { tenant: string | null; on: boolean }[];
}

export interface ClinicView {
  faults: FaultGroup[];
  clinics: { tenant: string; url: string }[];
}

/**
 * The faults of the clinic, grouped, and the clinics' pages.
 * @throws when the clinic does not answer within 2 s.
 */
export async function readClinic(clinic: ClinicSettings): Promise<ClinicView> {
  const response = await fetch(`${clinic.controlUrl}/faults`, { headers: headers(clinic), signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) throw new Error(`The clinic answered HTTP ${response.status}`);
  const faults = faultsSchema.parse(await response.json());
  const groups = new Map<string, FaultGroup>();
  for (const { fault, title, explains, tenant, on } of faults) {
    const group = groups.get(fault) ?? { fault, title, explains, switches: [] };
    group.switches.push({ tenant, on });
    groups.set(fault, group);
  }
  const tenants = [...new Set(faults.flatMap((fault) => fault.tenant ?? []))];
  return { faults: [...groups.values()], clinics: tenants.map((tenant) => ({ tenant, url: `${clinic.pagesUrl}/${tenant}` })) };
}

/**
 * Switches one fault, for one clinic or (without a tenant) for all that it knows.
 * @throws when the clinic does not take it.
 */
export async function switchFault(clinic: ClinicSettings, fault: string, tenant: string | undefined, on: boolean): Promise<void> {
  const response = await fetch(`${clinic.controlUrl}/faults/${encodeURIComponent(fault)}`, {
    method: 'POST',
    headers: { ...headers(clinic), 'content-type': 'application/json' },
    body: JSON.stringify({ on, ...(tenant === undefined ? {} : { tenant }) }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`The clinic answered HTTP ${response.status}`);
}

function headers(clinic: ClinicSettings): Record<string, string> {
  return { authorization: `Bearer ${clinic.token}` };
}
