/**
 * Webhooks of GitHub, in the shapes of docs.github.com/webhooks/webhook-events-and-payloads: `deployment` and `deployment_status` (one
 * change), `workflow_run`, `release`, and `push` to the default branch.
 */
import * as z from 'zod';
import type { ChangeOutcome } from '../change.ts';
import type { Problems } from '../config/problems.ts';
import { kindOfName } from './guess.ts';
import { readBody, type Told } from './telling.ts';
import { firstLine, shortRevision } from './text.ts';

const repository = z.looseObject({ full_name: z.string().min(1), name: z.string().min(1), default_branch: z.string().optional() });
const account = z.looseObject({ login: z.string().nullish() }).nullish();
const run = z.looseObject({ actor: account, html_url: z.string().nullish() }).nullish();

const deployment = z.looseObject({
  id: z.int(),
  sha: z.string(),
  ref: z.string(),
  task: z.string().nullish(),
  environment: z.string(),
  transient_environment: z.boolean().nullish(),
  created_at: z.string().nullish(),
  creator: account,
});

const deploymentEvent = z.looseObject({ action: z.string(), deployment, workflow_run: run, repository, sender: account });

const deploymentStatusEvent = z.looseObject({
  ...deploymentEvent.shape,
  deployment_status: z.looseObject({
    state: z.string(),
    created_at: z.string().nullish(),
    environment: z.string().nullish(),
    target_url: z.string().nullish(),
    log_url: z.string().nullish(),
  }),
});

const workflowRunEvent = z.looseObject({
  action: z.string(),
  workflow: z.looseObject({ name: z.string().nullish() }).nullish(),
  workflow_run: z.looseObject({
    id: z.int(),
    name: z.string().nullish(),
    path: z.string().nullish(),
    event: z.string(),
    conclusion: z.string().nullish(),
    head_sha: z.string(),
    html_url: z.string().nullish(),
    run_number: z.int().nullish(),
    run_attempt: z.int().nullish(),
    run_started_at: z.string().nullish(),
    updated_at: z.string().nullish(),
    actor: account,
    triggering_actor: account,
  }),
  repository,
});

const releaseEvent = z.looseObject({
  action: z.string(),
  release: z.looseObject({
    id: z.int(),
    tag_name: z.string(),
    draft: z.boolean().nullish(),
    html_url: z.string().nullish(),
    published_at: z.string().nullish(),
    author: account,
  }),
  repository,
});

const pushEvent = z.looseObject({
  ref: z.string(),
  after: z.string(),
  deleted: z.boolean().nullish(),
  compare: z.string().nullish(),
  head_commit: z.looseObject({ message: z.string().nullish(), timestamp: z.string().nullish(), url: z.string().nullish() }).nullish(),
  pusher: z.looseObject({ name: z.string().nullish() }).nullish(),
  repository,
});

const READERS: Readonly<Record<string, (body: unknown, problems: Problems) => Told>> = {
  deployment: readDeployment,
  deployment_status: readDeploymentStatus,
  workflow_run: readWorkflowRun,
  release: readRelease,
  push: readPush,
};

/** What the event of that name (`X-GitHub-Event`) tells. */
export function readGitHub(event: string, body: unknown, problems: Problems): Told {
  const reader = Object.hasOwn(READERS, event) ? READERS[event] : undefined;
  return reader ? reader(body, problems) : { nothing: `GitHub's event ${event.slice(0, 40)} is no change.` };
}

function readDeployment(body: unknown, problems: Problems): Told {
  const told = readBody(deploymentEvent, body, problems);
  return told && deploymentTold(told, 'begun', { at: told.deployment.created_at });
}

const OUTCOMES: Readonly<Record<string, ChangeOutcome>> = { in_progress: 'begun', success: 'done', failure: 'failed', error: 'failed' };

function readDeploymentStatus(body: unknown, problems: Problems): Told {
  const told = readBody(deploymentStatusEvent, body, problems);
  if (!told) return undefined;
  const { state, created_at, environment, target_url, log_url } = told.deployment_status;
  const outcome = Object.hasOwn(OUTCOMES, state) ? OUTCOMES[state] : undefined;
  if (!outcome) return { nothing: `A deployment that is ${state.slice(0, 40)} changes nothing.` };
  const at = { at: created_at, ...(outcome === 'begun' ? {} : { ended: created_at }) };
  return deploymentTold(told, outcome, { ...at, environment, url: log_url || target_url });
}

function deploymentTold(
  told: z.output<typeof deploymentEvent>,
  outcome: ChangeOutcome,
  more: {
    at?: string | null | undefined;
    ended?: string | null | undefined;
    environment?: string | null | undefined;
    url?: string | null | undefined;
  },
): Told {
  const { deployment: one, repository: repo, workflow_run, sender } = told;
  if (one.transient_environment) return { nothing: 'The deployment is to an environment that will go away again.' };
  const environment = more.environment || one.environment;
  const version = versionOf(one.ref, one.sha);
  return {
    source: 'github',
    kind: kindOfName(one.task ?? '') ?? 'deployment',
    title: `${repo.name} ${version} to ${environment}`,
    outcome,
    at: more.at,
    ended: more.ended,
    by: workflow_run?.actor?.login ?? one.creator?.login ?? sender?.login,
    url: more.url || workflow_run?.html_url,
    version,
    named: { prefix: 'github', names: [repo.full_name], environment },
    key: `${repo.full_name}/deployment/${one.id}`,
  };
}

/** A tag says more than a commit, a branch less. */
function versionOf(ref: string, sha: string): string {
  const name = ref.replace(/^refs\/(?:tags|heads)\//, '');
  return /^v?\d+(\.\d+)+/.test(name) ? name : sha.slice(0, 8);
}

const RUN_OUTCOMES: Readonly<Record<string, ChangeOutcome>> = {
  success: 'done',
  failure: 'failed',
  timed_out: 'failed',
  cancelled: 'failed',
};

function readWorkflowRun(body: unknown, problems: Problems): Told {
  const told = readBody(workflowRunEvent, body, problems);
  if (!told) return undefined;
  const { workflow_run: one, repository: repo } = told;
  const workflow = told.workflow?.name || one.name || '';
  const kind = kindOfName(workflow) ?? kindOfName(one.path?.split('/').at(-1) ?? '');
  if (!kind) return { nothing: 'By its name the workflow is neither a deployment nor a migration.' };
  if (one.event.startsWith('pull_request')) return { nothing: 'A workflow of a pull request changes nothing that runs.' };
  const outcome = told.action === 'in_progress' ? 'begun' : told.action === 'completed' ? ownOutcome(one.conclusion) : undefined;
  if (!outcome) return { nothing: 'The workflow has not run.' };
  return {
    source: 'github',
    kind,
    title: `${repo.name}: ${workflow}${one.run_number ? ` #${one.run_number}` : ''}`,
    outcome,
    at: one.run_started_at,
    ...(outcome === 'begun' ? {} : { ended: one.updated_at }),
    by: one.triggering_actor?.login ?? one.actor?.login,
    url: one.html_url,
    version: one.head_sha.slice(0, 8),
    named: { prefix: 'github', names: [repo.full_name] },
    key: `${repo.full_name}/run/${one.id}/${one.run_attempt ?? 1}`,
  };
}

function ownOutcome(conclusion: string | null | undefined): ChangeOutcome | undefined {
  return conclusion && Object.hasOwn(RUN_OUTCOMES, conclusion) ? RUN_OUTCOMES[conclusion] : undefined;
}

function readRelease(body: unknown, problems: Problems): Told {
  const told = readBody(releaseEvent, body, problems);
  if (!told) return undefined;
  const { release, repository: repo } = told;
  if (told.action !== 'published' || release.draft) return { nothing: 'Of releases only the publishing is a change.' };
  return {
    source: 'github',
    kind: 'other',
    title: `${repo.name} ${release.tag_name} released`,
    outcome: 'done',
    at: release.published_at,
    by: release.author?.login,
    url: release.html_url,
    version: release.tag_name,
    named: { prefix: 'github', names: [repo.full_name] },
    key: `${repo.full_name}/release/${release.id}`,
  };
}

function readPush(body: unknown, problems: Problems): Told {
  const told = readBody(pushEvent, body, problems);
  if (!told) return undefined;
  const { repository: repo, head_commit: commit } = told;
  const branch = repo.default_branch ?? 'main';
  if (told.deleted || told.ref !== `refs/heads/${branch}`) return { nothing: 'Of pushes only those to the default branch are a change.' };
  return {
    source: 'github',
    kind: 'other',
    title: `${repo.name}: ${firstLine(commit?.message ?? '') || shortRevision(told.after)} (pushed to ${branch})`,
    outcome: 'done',
    // A commit may be weeks old when it is pushed: the push is now.
    by: told.pusher?.name,
    url: told.compare ?? commit?.url,
    version: told.after.slice(0, 8),
    named: { prefix: 'github', names: [repo.full_name] },
    key: `${repo.full_name}/push/${told.after}`,
  };
}
