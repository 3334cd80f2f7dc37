/** Objectives on their way out and in: as OpenSLO documents, and from them into the form of the configuration, without loss. */
import type { Config } from '../config/model.ts';
import { canonical } from '../config/revision.ts';
import { writtenSlo } from '../config/slos.ts';
import { type OpenSloDocument, writeService, writeSlo } from './openslo.ts';
import type { Slo } from './slo.ts';

/** Every objective of the configuration as a document, and the documents that it holds, as they are. */
export function exportDocuments({ services, openslo = [] }: Pick<Config, 'services' | 'openslo'>): OpenSloDocument[] {
  const own = Object.values(services).map((service) => ({
    service,
    slos: (service.slos ?? []).filter((slo) => slo.source !== 'document'),
  }));
  const named = new Set(openslo.filter((one) => one.kind === 'Service').map((one) => nameOf(one)));
  return own
    .flatMap(({ service, slos }) => {
      if (slos.length === 0) return [];
      return [...(named.has(service.id) ? [] : [writeService(service)]), ...slos.map(writeSlo)];
    })
    .concat(openslo);
}

function nameOf({ metadata }: OpenSloDocument): unknown {
  return typeof metadata === 'object' && metadata !== null ? (metadata as { name?: unknown }).name : undefined;
}

/** What is to be written into a configuration. */
export interface Imported {
  /** Objectives in the short form, by service and id. */
  services: Record<string, { slos: Record<string, unknown> }>;
  /** Documents that say more than the short form can, or are of another kind. */
  slos: OpenSloDocument[];
}

/**
 * What these documents become. In the short form stands only what says all of its document; everything else stays a document, so
 * that nothing is lost. `objectives` are those that were read from them.
 */
export function importDocuments(
  documents: readonly OpenSloDocument[],
  objectives: ReadonlyMap<OpenSloDocument, Slo>,
  { services, timezone }: Pick<Config, 'services' | 'timezone'>,
): Imported {
  const imported: Imported = { services: {}, slos: [] };
  const short = documents.filter((one) => {
    const slo = objectives.get(one);
    return slo !== undefined && canonical(writeSlo(slo)) === canonical(one);
  });
  for (const one of short) {
    const slo = objectives.get(one);
    if (!slo) continue;
    const service = imported.services[slo.service] ?? { slos: {} };
    service.slos[slo.id] = writtenSlo(slo, timezone);
    imported.services[slo.service] = service;
  }
  // What an export makes anew need not be kept.
  const derived = new Set(Object.keys(imported.services).flatMap((id) => (services[id] ? [canonical(writeService(services[id]))] : [])));
  imported.slos = documents.filter((one) => !short.includes(one) && !derived.has(canonical(one)));
  return imported;
}
