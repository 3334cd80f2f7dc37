/** What kind of change it is, where nobody says so. Guesses all: docs/changes.md names each. */
import type { ChangeKind } from '../change.ts';

const MIGRATION = /migrat/i;
const INGRESS_KINDS: ReadonlySet<string> = new Set([
  'Ingress',
  'IngressClass',
  'IngressRoute',
  'IngressRouteTCP',
  'IngressRouteUDP',
  'Middleware',
  'MiddlewareTCP',
  'TraefikService',
  'TLSOption',
  'Gateway',
  'GatewayClass',
  'HTTPRoute',
  'GRPCRoute',
  'TLSRoute',
  'TCPRoute',
]);
const CONFIGURATION_KINDS: ReadonlySet<string> = new Set(['ConfigMap', 'Secret', 'SealedSecret', 'ExternalSecret']);

/** Something in a cluster that the change made, changed or ran. */
export interface ChangedResource {
  kind: string;
  name: string;
}

/** A migration when a job of that name ran; ingress or configuration when nothing else was changed; else a deployment. */
export function kindOfResources(resources: readonly ChangedResource[]): ChangeKind {
  if (resources.some(({ kind, name }) => ['Job', 'Pod', 'Workflow'].includes(kind) && MIGRATION.test(name))) return 'migration';
  if (resources.length === 0) return 'deployment';
  if (resources.every(({ kind }) => INGRESS_KINDS.has(kind))) return 'ingress';
  if (resources.every(({ kind }) => CONFIGURATION_KINDS.has(kind))) return 'configuration';
  return 'deployment';
}

/** Of a workflow, a job or a task, by its name: a migration, a deployment, or `undefined` for one that changes nothing. */
export function kindOfName(name: string): ChangeKind | undefined {
  if (MIGRATION.test(name)) return 'migration';
  return /deploy|roll-?(out|back)|\bcd\b/i.test(name) ? 'deployment' : undefined;
}
