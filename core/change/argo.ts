/**
 * Notifications of Argo CD, whose body is ours to choose: the template of docs/changes.md, sent by the triggers `on-sync-running`,
 * `on-deployed` and `on-sync-failed`. The fields are those of the Application's `status.operationState`.
 */
import * as z from 'zod';
import type { ChangeOutcome } from '../change.ts';
import type { Problems } from '../config/problems.ts';
import { kindOfResources } from './guess.ts';
import { readBody, type Told } from './telling.ts';
import { shortRevision } from './text.ts';

const notification = z.looseObject({
  source: z.literal('argo-cd'),
  application: z.string().min(1),
  namespace: z.string().nullish(),
  phase: z.enum(['Running', 'Terminating', 'Succeeded', 'Failed', 'Error']),
  revision: z.string().nullish(),
  revisions: z.array(z.string()).nullish(),
  startedAt: z.string(),
  finishedAt: z.string().nullish(),
  by: z.string().nullish(),
  url: z.string().nullish(),
  environment: z.string().nullish(),
  images: z.array(z.string()).nullish(),
  resources: z
    .array(z.looseObject({ kind: z.string(), name: z.string(), hook: z.string().nullish(), message: z.string().nullish() }))
    .nullish(),
});

const OUTCOMES: Readonly<Record<z.output<typeof notification>['phase'], ChangeOutcome>> = {
  Running: 'begun',
  Terminating: 'begun',
  Succeeded: 'done',
  Failed: 'failed',
  Error: 'failed',
};

/** Whether the body is of the template. */
export function isArgo(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'source' in body && body.source === 'argo-cd';
}

/** What the notification tells. */
export function readArgo(body: unknown, problems: Problems): Told {
  const told = readBody(notification, body, problems);
  if (!told) return undefined;
  const outcome = OUTCOMES[told.phase];
  const version = versionOf(told);
  const changed = (told.resources ?? []).filter(({ message }) => !message?.endsWith(' unchanged'));
  return {
    source: 'argo-cd',
    kind: kindOfResources(changed),
    title: [told.application, version].filter(Boolean).join(' '),
    outcome,
    at: told.startedAt,
    ...(outcome === 'begun' ? {} : { ended: told.finishedAt }),
    by: told.by,
    url: told.url,
    version,
    named: {
      prefix: 'argocd',
      names: [told.application, ...(told.namespace ? [`${told.namespace}/${told.application}`] : [])],
      ...(told.environment ? { environment: told.environment } : {}),
    },
    key: `${told.environment ? `${told.environment}/` : ''}${told.application}/${told.startedAt}`,
  };
}

/** The tag of its only image says more than a commit of the repository of manifests. While it runs its images are still the old ones. */
function versionOf({ phase, images, revision, revisions }: z.output<typeof notification>): string | undefined {
  const [image, ...others] = images ?? [];
  const tag = phase === 'Succeeded' && others.length === 0 ? /:([\w.-]+)$/.exec(image ?? '')?.[1] : undefined;
  const commit = revision || revisions?.[0];
  return tag ?? (commit ? shortRevision(commit) : undefined);
}
