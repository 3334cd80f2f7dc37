/**
 * Events of Flux as its notification-controller sends them to a provider of type `generic` or `generic-hmac`, in the shape of
 * github.com/fluxcd/pkg/apis/event: those of a HelmRelease and of a Kustomization.
 *
 * A Kustomization tells of what it applied (begun), then that it is reconciled, and the latter again at every interval: that alone is no
 * change. A HelmRelease tells only of what is over, with the number of the release when it succeeded.
 */
import * as z from 'zod';
import type { ChangeKind } from '../change.ts';
import type { Problems } from '../config/problems.ts';
import { type ChangedResource, kindOfResources } from './guess.ts';
import { readBody, type Telling, type Told } from './telling.ts';
import { shortRevision } from './text.ts';

const event = z.looseObject({
  involvedObject: z.looseObject({ kind: z.string(), name: z.string().min(1), namespace: z.string().nullish() }),
  severity: z.enum(['trace', 'info', 'error']),
  timestamp: z.string().nullish(),
  message: z.string(),
  reason: z.string(),
  metadata: z.record(z.string(), z.string()).nullish(),
  reportingController: z.string(),
});
type FluxEvent = z.output<typeof event>;

/** Whether the body has the shape of an event of Flux. */
export function isFlux(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'involvedObject' in body && 'reportingController' in body;
}

/** What the event tells. */
export function readFlux(body: unknown, problems: Problems): Told {
  const told = readBody(event, body, problems);
  if (!told) return undefined;
  const { kind } = told.involvedObject;
  if (told.severity === 'trace') return { nothing: 'Of trace events none is a change.' };
  if (kind === 'HelmRelease') return readHelmRelease(told);
  if (kind === 'Kustomization') return readKustomization(told);
  return { nothing: `Events of a ${kind.slice(0, 40)} are no changes; those of HelmRelease and Kustomization are.` };
}

const HELM: Readonly<Record<string, { words?: string; failed?: true; kind?: ChangeKind }>> = {
  InstallSucceeded: { words: 'installed' },
  InstallFailed: { words: 'installed', failed: true },
  UpgradeSucceeded: {},
  UpgradeFailed: { failed: true },
  RollbackSucceeded: { words: 'rolled back' },
  RollbackFailed: { words: 'rolled back', failed: true },
  UninstallSucceeded: { words: 'uninstalled' },
  UninstallFailed: { words: 'uninstalled', failed: true },
  DriftCorrected: { words: 'drift corrected', kind: 'configuration' },
  DriftCorrectionFailed: { words: 'drift corrected', kind: 'configuration', failed: true },
};

function readHelmRelease(told: FluxEvent): Told {
  const known = Object.hasOwn(HELM, told.reason) ? HELM[told.reason] : undefined;
  if (!known) return { nothing: `The reason ${told.reason.slice(0, 60)} is no change.` };
  const { revision, 'app-version': appVersion } = told.metadata ?? {};
  // "Helm upgrade succeeded for release apps/billing.v5 with chart billing@4.12.0": a release has its number once, but a rollback names the old one.
  const release = /\brelease \S+\.(v\d+) with chart\b/.exec(told.message)?.[1];
  const once = release !== undefined && !known.failed && ['InstallSucceeded', 'UpgradeSucceeded'].includes(told.reason);
  const telling = base(told, appVersion ?? revision, known.words);
  return {
    ...telling,
    kind: known.kind ?? 'deployment',
    outcome: known.failed ? 'failed' : 'done',
    ended: told.timestamp,
    key: `${telling.key}/${once ? release : `${told.reason}/${release ?? revision ?? ''}`}`,
    ...(once ? {} : { repeats: true }),
  };
}

function readKustomization(told: FluxEvent): Told {
  const { revision, originRevision } = told.metadata ?? {};
  const telling = base(told, originRevision ?? revision);
  const keyed = { ...telling, key: `${telling.key}/${revision ?? ''}`, repeats: true as const };
  if (told.severity === 'error') return failedKustomization(told, keyed);
  const applied = resourcesIn(told.message);
  if (applied.length > 0) return { ...keyed, kind: kindOfResources(applied), outcome: 'begun' };
  const isOver =
    told.metadata?.commit_status === 'update' || told.reason === 'ReconciliationSucceeded' || /^Health check passed/.test(told.message);
  if (!isOver) return { nothing: `The reason ${told.reason.slice(0, 60)} is no change.` };
  return { ...keyed, outcome: 'done', ended: told.timestamp, onlyEnds: true };
}

/** Before anything was applied (a dependency that is not ready, an artifact that cannot be had, a mistake in the files), nothing has changed. */
function failedKustomization(told: FluxEvent, keyed: Telling): Told {
  const applied = resourcesIn(told.message);
  const failed = { ...keyed, outcome: 'failed' as const, ended: told.timestamp };
  return applied.length > 0 ? { ...failed, kind: kindOfResources(applied) } : { ...failed, onlyEnds: true };
}

function base(told: FluxEvent, version: string | undefined, words?: string): Telling {
  const { name, namespace, kind } = told.involvedObject;
  const metadata = told.metadata ?? {};
  const environment = metadata.environment ?? metadata.env ?? metadata.cluster;
  const shown = version === undefined ? undefined : shortRevision(version.replace('@sha1:', '@'));
  return {
    source: 'flux',
    kind: 'deployment',
    title: `${[name, shown].filter(Boolean).join(' ')}${words ? `: ${words}` : ''}`,
    outcome: 'done',
    at: told.timestamp,
    version: shown,
    named: { prefix: 'flux', names: [name, ...(namespace ? [`${namespace}/${name}`] : [])], ...(environment ? { environment } : {}) },
    key: [environment ?? '', kind, namespace ?? '', name].join('/'),
  };
}

/** Lines such as `Deployment/apps/billing configured`; of resources without a namespace `Namespace/apps created`. */
function resourcesIn(message: string): ChangedResource[] {
  const lines = message.matchAll(/^(\w+)\/(?:\S+\/)?(\S+) (?:created|configured|deleted)$/gm);
  return [...lines].map(([, kind = '', name = '']) => ({ kind, name }));
}
