/**
 * Webhooks of GitLab, in the shapes of docs.gitlab.com/user/project/integrations/webhook_events: `Deployment Hook`, `Pipeline Hook` of a
 * pipeline that deploys, and `Release Hook`.
 */
import * as z from 'zod';
import type { ChangeOutcome } from '../change.ts';
import type { Problems } from '../config/problems.ts';
import { kindOfName } from './guess.ts';
import { readBody, type Telling, type Told } from './telling.ts';

const project = z.looseObject({ name: z.string().nullish(), path_with_namespace: z.string().min(1), web_url: z.string().nullish() });
const user = z.looseObject({ username: z.string().nullish(), name: z.string().nullish() }).nullish();

const deploymentHook = z.looseObject({
  status: z.string(),
  status_changed_at: z.string().nullish(),
  deployment_id: z.int(),
  deployable_url: z.string().nullish(),
  environment: z.string(),
  project,
  short_sha: z.string(),
  ref: z.string().nullish(),
  user,
  commit_url: z.string().nullish(),
});

const build = z.looseObject({
  name: z.string(),
  status: z.string(),
  started_at: z.string().nullish(),
  finished_at: z.string().nullish(),
  user,
  environment: z.looseObject({ name: z.string().nullish(), action: z.string().nullish() }).nullish(),
});
type Build = z.output<typeof build>;

/** More than one pipeline deploys to at once. */
const MOST_ENVIRONMENTS = 20;

const pipelineHook = z.looseObject({
  object_attributes: z.looseObject({
    id: z.int(),
    ref: z.string(),
    tag: z.boolean().nullish(),
    sha: z.string(),
    source: z.string().nullish(),
    status: z.string(),
    url: z.string().nullish(),
  }),
  project,
  user,
  builds: z.array(build),
});

const releaseHook = z.looseObject({
  id: z.int(),
  action: z.string(),
  tag: z.string(),
  released_at: z.string().nullish(),
  url: z.string().nullish(),
  project,
  commit: z.looseObject({ author: z.looseObject({ name: z.string().nullish() }).nullish() }).nullish(),
});

const READERS: Readonly<Record<string, (body: unknown, problems: Problems) => Told>> = {
  deployment: readDeployment,
  pipeline: readPipeline,
  release: readRelease,
};

/** What the hook tells, whose kind stands in its `object_kind`. */
export function readGitLab(body: unknown, problems: Problems): Told {
  const { object_kind: kind } = readBody(z.looseObject({ object_kind: z.string().nullish() }), body, problems) ?? {};
  const reader = kind && Object.hasOwn(READERS, kind) ? READERS[kind] : undefined;
  return reader ? reader(body, problems) : { nothing: `GitLab's hook ${kind?.slice(0, 40) ?? 'without an object_kind'} is no change.` };
}

const OUTCOMES: Readonly<Record<string, ChangeOutcome>> = { running: 'begun', success: 'done', failed: 'failed', canceled: 'failed' };

function outcomeOf(status: string): ChangeOutcome | undefined {
  return Object.hasOwn(OUTCOMES, status) ? OUTCOMES[status] : undefined;
}

function readDeployment(body: unknown, problems: Problems): Told {
  const told = readBody(deploymentHook, body, problems);
  if (!told) return undefined;
  const outcome = outcomeOf(told.status);
  if (!outcome) return { nothing: `A deployment that is ${told.status.slice(0, 40)} changes nothing.` };
  const version = versionOf(told.ref, told.short_sha);
  return {
    source: 'gitlab',
    kind: 'deployment',
    title: `${nameOf(told.project)} ${version} to ${told.environment}`,
    outcome,
    at: told.status_changed_at,
    ...(outcome === 'begun' ? {} : { ended: told.status_changed_at }),
    by: told.user?.username ?? told.user?.name,
    url: told.deployable_url ?? told.commit_url,
    version,
    named: { prefix: 'gitlab', names: [told.project.path_with_namespace], environment: told.environment },
    key: `${keyOf(told.project)}/deployment/${told.deployment_id}`,
  };
}

/** The path, since names may be sentences: `acme/billing` is billing. */
function nameOf({ path_with_namespace: path }: z.output<typeof project>): string {
  return path.split('/').at(-1) ?? path;
}

/** Two GitLabs may have a project of the same path. */
function keyOf({ path_with_namespace: path, web_url: url }: z.output<typeof project>): string {
  return url && URL.canParse(url) ? `${new URL(url).host}/${path}` : path;
}

function versionOf(ref: string | null | undefined, sha: string): string {
  return ref && /^v?\d+(\.\d+)+/.test(ref) ? ref : sha.slice(0, 8);
}

/** A job that deploys, and has begun to. */
function hasDeployed({ environment, status }: Build): boolean {
  return Boolean(environment?.name) && ['start', undefined, null].includes(environment?.action) && outcomeOf(status) !== undefined;
}

function readPipeline(body: unknown, problems: Problems): Told {
  const told = readBody(pipelineHook, body, problems);
  if (!told) return undefined;
  const { object_attributes: pipeline } = told;
  const jobs = told.builds.filter(hasDeployed);
  if (jobs.length === 0) return { nothing: 'No job of the pipeline has deployed anything.' };
  if (pipeline.source === 'merge_request_event') return { nothing: 'A pipeline of a merge request changes nothing that runs.' };
  const byEnvironment = Map.groupBy(jobs, (job) => job.environment?.name ?? '');
  return [...byEnvironment].slice(0, MOST_ENVIRONMENTS).map(([environment, own]) => pipelineTold(told, environment, own));
}

function pipelineTold(told: z.output<typeof pipelineHook>, environment: string, jobs: readonly Build[]): Telling {
  const { object_attributes: pipeline } = told;
  const outcome = ofAll(jobs.map((job) => outcomeOf(job.status)));
  const version = versionOf(pipeline.ref, pipeline.sha);
  return {
    source: 'gitlab',
    kind: jobs.every((job) => kindOfName(job.name) === 'migration') ? 'migration' : 'deployment',
    title: `${nameOf(told.project)} ${version} to ${environment}`,
    outcome,
    at: sorted(jobs.map((job) => job.started_at)).at(0),
    ...(outcome === 'begun' ? {} : { ended: sorted(jobs.map((job) => job.finished_at)).at(-1) }),
    by: jobs[0]?.user?.username ?? told.user?.username,
    url: pipeline.url,
    version,
    named: { prefix: 'gitlab', names: [told.project.path_with_namespace], environment },
    key: `${keyOf(told.project)}/pipeline/${pipeline.id}/${environment}`,
  };
}

function ofAll(outcomes: readonly (ChangeOutcome | undefined)[]): ChangeOutcome {
  if (outcomes.includes('begun')) return 'begun';
  return outcomes.includes('failed') ? 'failed' : 'done';
}

/** All of one form, so that their order as texts is that in time. */
function sorted(times: readonly (string | null | undefined)[]): string[] {
  return times.filter((time) => typeof time === 'string').sort();
}

function readRelease(body: unknown, problems: Problems): Told {
  const told = readBody(releaseHook, body, problems);
  if (!told) return undefined;
  if (told.action !== 'create') return { nothing: 'Of releases only the making is a change.' };
  return {
    source: 'gitlab',
    kind: 'other',
    title: `${nameOf(told.project)} ${told.tag} released`,
    outcome: 'done',
    at: told.released_at,
    by: told.commit?.author?.name,
    url: told.url,
    version: told.tag,
    named: { prefix: 'gitlab', names: [told.project.path_with_namespace] },
    key: `${keyOf(told.project)}/release/${told.tag}`,
  };
}
