/** What is made of the payloads of each sender, in their true shapes. */
import { describe, expect, test } from 'vitest';
import { type NewChange, scopesOf } from '../../../core/change.ts';
import type { Config } from '../../../core/config/model.ts';
import { bodyOf, DELIVERIES, headersOf, readAs, toldBy } from '../../helpers/changes.ts';
import { aCheck, aConfig } from '../../helpers/domain.ts';

const NOW_MS = Date.UTC(2026, 0, 15, 11, 45);
const at = (time: string) => Date.parse(`2026-01-15T${time}Z`);

const base = aConfig([aCheck({ tenant: 'riverside', scope: 'billing' })]);
const config: Config = {
  ...base,
  services: {
    billing: { ...base.services.billing!, changedBy: ['acme/billing', 'argocd:billing-prod'] },
    scheduling: { ...base.services.scheduling!, changedBy: ['gitlab:care/scheduling@production'] },
  },
  components: {
    ...base.components,
    ingress: { id: 'ingress', title: 'Traefik', layer: 'ingress', dependsOn: [], changedBy: ['flux:flux-system/ingress', 'infra/ingress'] },
  },
  tenants: { ...base.tenants, hillcrest: { ...base.tenants.hillcrest!, changedBy: ['apps/reports'] } },
};

const told = (name: string, change?: (body: Record<string, object>) => void) => toldBy(name, config, NOW_MS, change);
/** What a fixture says, changed: `{ 'deployment.ref': 'main' }`. */
const but = (name: string, changes: Record<string, unknown>) => readAs(name, changed(name, changes), config, NOW_MS);

function changed(name: string, changes: Record<string, unknown>) {
  const body = JSON.parse(bodyOf(name));
  for (const [path, value] of Object.entries(changes)) {
    const keys = path.split('.');
    const last = keys.pop() ?? '';
    const place = keys.reduce((inner, key) => inner[key], body);
    if (value === undefined) delete place[last];
    else place[last] = value;
  }
  return body;
}

const billing = { services: ['billing'], components: [], tenants: [] };
const EXPECTED: Record<string, NewChange> = {
  'github-deployment': {
    atMs: at('11:38:00'),
    kind: 'deployment',
    title: 'billing v4.12.0 to production',
    outcome: 'begun',
    by: 'ana-acme',
    source: 'github',
    url: 'https://github.com/acme/billing/actions/runs/289782451',
    version: 'v4.12.0',
    ...billing,
  },
  'github-deployment-status-in-progress': {
    atMs: at('11:38:05'),
    kind: 'deployment',
    title: 'billing v4.12.0 to production',
    outcome: 'begun',
    by: 'ana-acme',
    source: 'github',
    url: 'https://github.com/acme/billing/actions/runs/289782451/job/815',
    version: 'v4.12.0',
    ...billing,
  },
  'github-deployment-status-success': {
    atMs: at('11:41:00'),
    endedAtMs: at('11:41:00'),
    kind: 'deployment',
    title: 'billing v4.12.0 to production',
    outcome: 'done',
    by: 'ana-acme',
    source: 'github',
    url: 'https://github.com/acme/billing/actions/runs/289782451/job/815',
    version: 'v4.12.0',
    ...billing,
  },
  'github-release': {
    atMs: at('11:37:30'),
    endedAtMs: at('11:37:30'),
    kind: 'other',
    title: 'billing v4.12.0 released',
    outcome: 'done',
    by: 'ana-acme',
    source: 'github',
    url: 'https://github.com/acme/billing/releases/tag/v4.12.0',
    version: 'v4.12.0',
    ...billing,
  },
  'github-push': {
    atMs: NOW_MS,
    endedAtMs: NOW_MS,
    kind: 'other',
    title: 'billing: Raise the pool to 50 (pushed to main)',
    outcome: 'done',
    by: 'ana-acme',
    source: 'github',
    url: 'https://github.com/acme/billing/compare/6113728f27ae...f95f852bd8fc',
    version: 'f95f852b',
    ...billing,
  },
  'github-workflow-run-completed': {
    atMs: at('11:37:40'),
    endedAtMs: at('11:40:30'),
    kind: 'migration',
    title: 'billing: Migrate the database #12',
    outcome: 'failed',
    by: 'ana-acme',
    source: 'github',
    url: 'https://github.com/acme/billing/actions/runs/289782999',
    version: 'f95f852b',
    ...billing,
  },
  'gitlab-deployment-running': {
    atMs: at('11:38:00'),
    kind: 'deployment',
    title: 'scheduling 279484c0 to production',
    outcome: 'begun',
    by: 'ben',
    source: 'gitlab',
    url: 'https://gitlab.example/care/scheduling/-/jobs/796',
    version: '279484c0',
    services: ['scheduling'],
    components: [],
    tenants: [],
  },
  'gitlab-deployment-success': {
    atMs: at('11:40:30'),
    endedAtMs: at('11:40:30'),
    kind: 'deployment',
    title: 'scheduling 279484c0 to production',
    outcome: 'done',
    by: 'ben',
    source: 'gitlab',
    url: 'https://gitlab.example/care/scheduling/-/jobs/796',
    version: '279484c0',
    services: ['scheduling'],
    components: [],
    tenants: [],
  },
  // Its job of staging is of another environment than the one that is named, and its manual job has not run.
  'gitlab-pipeline': {
    atMs: at('11:39:00'),
    kind: 'deployment',
    title: 'scheduling bcbb5ec3 to production',
    outcome: 'begun',
    by: 'ben',
    source: 'gitlab',
    url: 'https://gitlab.example/care/scheduling/-/pipelines/31',
    version: 'bcbb5ec3',
    services: ['scheduling'],
    components: [],
    tenants: [],
  },
  'argo-on-sync-running': {
    atMs: at('11:38:10'),
    kind: 'deployment',
    title: 'billing-prod 3484a3fb',
    outcome: 'begun',
    source: 'argo-cd',
    url: 'https://argocd.example/applications/billing-prod?operation=true',
    version: '3484a3fb',
    ...billing,
  },
  'argo-on-deployed': {
    atMs: at('11:38:10'),
    endedAtMs: at('11:39:02'),
    kind: 'migration',
    title: 'billing-prod 4.12.0',
    outcome: 'done',
    source: 'argo-cd',
    url: 'https://argocd.example/applications/billing-prod?operation=true',
    version: '4.12.0',
    ...billing,
  },
  'argo-on-sync-failed': {
    atMs: at('11:20:10'),
    endedAtMs: at('11:20:40'),
    kind: 'ingress',
    title: 'ingress 3484a3fb',
    outcome: 'failed',
    by: 'ana',
    source: 'argo-cd',
    url: 'https://argocd.example/applications/ingress?operation=true',
    version: '3484a3fb',
    services: [],
    components: ['ingress'],
    tenants: [],
  },
  'flux-kustomization-applied': {
    atMs: at('11:36:00'),
    kind: 'ingress',
    title: 'ingress main@731f7ead',
    outcome: 'begun',
    source: 'flux',
    version: 'main@731f7ead',
    services: [],
    components: ['ingress'],
    tenants: [],
  },
  'flux-helm-upgrade-succeeded': {
    atMs: at('11:35:00'),
    endedAtMs: at('11:35:00'),
    kind: 'deployment',
    title: 'reports 2.1.0',
    outcome: 'done',
    source: 'flux',
    version: '2.1.0',
    services: [],
    components: [],
    tenants: ['hillcrest'],
  },
  'flux-helm-rolled-back': {
    atMs: at('11:37:30'),
    endedAtMs: at('11:37:30'),
    kind: 'deployment',
    title: 'reports 2.1.0: rolled back',
    outcome: 'done',
    source: 'flux',
    version: '2.1.0',
    services: [],
    components: [],
    tenants: ['hillcrest'],
  },
  generic: {
    atMs: at('11:41:00'),
    endedAtMs: at('11:41:00'),
    kind: 'deployment',
    title: 'billing 4.12.0 to production',
    outcome: 'done',
    by: 'ana',
    source: 'api',
    url: 'https://ci.example/job/billing/812',
    version: '4.12.0',
    services: ['billing'],
    components: [],
    tenants: ['riverside'],
  },
};

test.each(Object.entries(EXPECTED))('%s is a change', (name, change) => {
  expect(told(name).change).toEqual(change);
});

test('every fixture is spoken of here', () => {
  const others = ['flux-helm-upgrade-failed', 'flux-kustomization-failed', 'flux-kustomization-reconciled', 'gitlab-release'];
  expect([...Object.keys(EXPECTED), ...others, 'github-ping', 'github-pull-request'].sort()).toEqual(DELIVERIES);
  expect(headersOf('github-workflow-run-completed')).toMatchObject({ 'x-github-event': 'workflow_run' });
});

describe('of GitHub', () => {
  test('a deployment and all its statuses have one key, a workflow one for each attempt', () => {
    const keys = ['github-deployment', 'github-deployment-status-in-progress', 'github-deployment-status-success'].map(
      (name) => told(name).key,
    );
    expect(new Set(keys)).toEqual(new Set(['github/acme/billing/deployment/145988746']));
    expect(told('github-workflow-run-completed').key).toBe('github/acme/billing/run/289782999/1');
  });

  test.each([
    ['github-ping', {}, "GitHub's event ping is no change."],
    ['github-pull-request', {}, "GitHub's event pull_request is no change."],
    ['github-deployment-status-success', { 'deployment_status.state': 'inactive' }, 'A deployment that is inactive changes nothing.'],
    ['github-deployment-status-success', { 'deployment_status.state': 'constructor' }, 'A deployment that is constructor changes nothing.'],
    ['github-deployment', { 'deployment.transient_environment': true }, 'The deployment is to an environment that will go away again.'],
    ['github-release', { action: 'edited' }, 'Of releases only the publishing is a change.'],
    ['github-push', { ref: 'refs/heads/feature' }, 'Of pushes only those to the default branch are a change.'],
    ['github-push', { ref: 'refs/tags/main' }, 'Of pushes only those to the default branch are a change.'],
    [
      'github-workflow-run-completed',
      { 'workflow.name': 'Tests', 'workflow_run.name': 'Tests', 'workflow_run.path': '.github/workflows/tests.yml' },
      'By its name the workflow is neither a deployment nor a migration.',
    ],
    ['github-workflow-run-completed', { 'workflow_run.event': 'pull_request' }, 'A workflow of a pull request changes nothing that runs.'],
    ['github-workflow-run-completed', { 'workflow_run.conclusion': 'skipped' }, 'The workflow has not run.'],
    ['github-workflow-run-completed', { action: 'requested' }, 'The workflow has not run.'],
  ])('%s with %j is none', (name, changes, nothing) => {
    expect(but(name, changes)).toEqual({ nothing });
  });

  test('a commit stands where a branch is deployed, and a task may be a migration', () => {
    expect(but('github-deployment', { 'deployment.ref': 'main', 'deployment.task': 'deploy:migrations' })).toMatchObject({
      told: [{ change: { title: 'billing f95f852b to production', version: 'f95f852b', kind: 'migration' } }],
    });
  });
});

describe('of GitLab', () => {
  test('a deployment has one key from beginning to end, and a canceled one has failed', () => {
    expect(told('gitlab-deployment-running').key).toBe('gitlab/gitlab.example/care/scheduling/deployment/15');
    expect(told('gitlab-deployment-success').key).toBe('gitlab/gitlab.example/care/scheduling/deployment/15');
    expect(but('gitlab-deployment-success', { status: 'canceled' })).toMatchObject({ told: [{ change: { outcome: 'failed' } }] });
    expect(but('gitlab-deployment-success', { status: 'created' })).toEqual({ nothing: 'A deployment that is created changes nothing.' });
  });

  test('a pipeline tells of each environment that it deploys to', () => {
    const body = changed('gitlab-pipeline', { 'project.path_with_namespace': 'care/reports' });
    expect(readAs('gitlab-pipeline', body, config, NOW_MS)).toMatchObject({
      told: [
        { key: 'gitlab/gitlab.example/care/reports/pipeline/31/production', change: { outcome: 'begun', atMs: at('11:39:00') } },
        {
          key: 'gitlab/gitlab.example/care/reports/pipeline/31/staging',
          change: { outcome: 'done', atMs: at('11:32:00'), endedAtMs: at('11:34:00'), title: 'reports bcbb5ec3 to staging' },
        },
      ],
    });
  });

  test.each([
    ['gitlab-pipeline', { builds: [] }, 'No job of the pipeline has deployed anything.'],
    ['gitlab-pipeline', { 'object_attributes.source': 'merge_request_event' }, 'A pipeline of a merge request changes nothing that runs.'],
    ['gitlab-pipeline', { object_kind: 'build' }, "GitLab's hook build is no change."],
    ['gitlab-release', { action: 'update' }, 'Of releases only the making is a change.'],
  ])('%s with %j is none', (name, changes, nothing) => {
    expect(but(name, changes)).toEqual({ nothing });
  });

  test('a release is named by its tag; of production only is not of a release', () => {
    expect(but('gitlab-release', {})).toEqual({ nothing: 'It is of another environment than those that changedBy names.' });
    expect(but('gitlab-release', { 'project.path_with_namespace': 'care/reports' })).toMatchObject({
      told: [
        {
          key: 'gitlab/gitlab.example/care/reports/release/v2.3.0',
          change: { title: 'reports v2.3.0 released', kind: 'other', by: 'Ben' },
        },
      ],
    });
  });
});

describe('of Argo CD', () => {
  test('one synchronisation is one change, whichever trigger tells of it', () => {
    expect(told('argo-on-sync-running').key).toBe('argo-cd/billing-prod/2026-01-15T11:38:10Z');
    expect(told('argo-on-deployed').key).toBe(told('argo-on-sync-running').key);
    expect(but('argo-on-deployed', { environment: 'lab' })).toMatchObject({
      told: [{ key: 'argo-cd/lab/billing-prod/2026-01-15T11:38:10Z' }],
    });
  });

  test('what was not changed says nothing of its kind', () => {
    expect(
      but('argo-on-deployed', { resources: [{ kind: 'ConfigMap', name: 'billing', message: 'configmap/billing configured' }] }),
    ).toMatchObject({
      told: [{ change: { kind: 'configuration' } }],
    });
  });

  test('what the template leaves out is not there', () => {
    const gone = {
      resources: null,
      images: null,
      revision: null,
      revisions: ['4f2b1c9d7a6e5f4d3c2b1a0f9e8d7c6b5a493827'],
      namespace: null,
    };
    expect(but('argo-on-deployed', gone)).toMatchObject({ told: [{ change: { title: 'billing-prod 4f2b1c9d', kind: 'deployment' } }] });
  });
});

describe('of Flux', () => {
  test('what a Kustomization has applied is ended by what it says next, and that alone is no change', () => {
    const [applied, reconciled, failed] = ['applied', 'reconciled', 'failed'].map((one) => told(`flux-kustomization-${one}`));
    expect(new Set([applied?.key, reconciled?.key, failed?.key]).size).toBe(1);
    expect(applied).toMatchObject({ repeats: true });
    expect(applied).not.toHaveProperty('onlyEnds');
    expect(reconciled).toMatchObject({ onlyEnds: true, change: { outcome: 'done' } });
    expect(failed).toMatchObject({ onlyEnds: true, change: { outcome: 'failed' } });
  });

  test('what failed half-way has changed something', () => {
    const message = 'Deployment/apps/billing dry-run failed\nJob/apps/billing-migrate-7 created';
    const reading = but('flux-kustomization-failed', { message });
    expect(reading).toMatchObject({ told: [{ change: { outcome: 'failed', kind: 'migration' } }] });
    expect(reading).not.toHaveProperty('told.0.onlyEnds');
  });

  test('each release of a HelmRelease is one; what failed, or was rolled back, comes again under its key', () => {
    expect(told('flux-helm-upgrade-succeeded').key).toBe('flux//HelmRelease/apps/reports/v5');
    expect(told('flux-helm-upgrade-succeeded')).not.toHaveProperty('repeats');
    expect(told('flux-helm-upgrade-failed')).toMatchObject({
      key: 'flux//HelmRelease/apps/reports/UpgradeFailed/0.9.4',
      repeats: true,
      change: { outcome: 'failed', title: 'reports 2.2.0' },
    });
    expect(told('flux-helm-rolled-back')).toMatchObject({ key: 'flux//HelmRelease/apps/reports/RollbackSucceeded/v5', repeats: true });
  });

  test('clusters are told apart by the metadata of the alert', () => {
    const reading = but('flux-helm-upgrade-succeeded', { metadata: { cluster: 'staging', revision: '0.9.3' } });
    expect(reading).toMatchObject({ told: [{ key: 'flux/staging/HelmRelease/apps/reports/v5' }] });
  });

  test.each([
    ['flux-helm-upgrade-succeeded', { reason: 'TestSucceeded' }, 'The reason TestSucceeded is no change.'],
    ['flux-helm-upgrade-succeeded', { severity: 'trace' }, 'Of trace events none is a change.'],
    ['flux-kustomization-applied', { message: 'Health checks canceled due to new reconciliation' }, 'The reason Progressing is no change.'],
    [
      'flux-kustomization-applied',
      { 'involvedObject.kind': 'GitRepository' },
      'Events of a GitRepository are no changes; those of HelmRelease and Kustomization are.',
    ],
  ])('%s with %j is none', (name, changes, nothing) => {
    expect(but(name, changes)).toEqual({ nothing });
  });
});

describe('in the form of our own', () => {
  const of = (body: unknown) => readAs('generic', body, config, NOW_MS);
  const first = (body: unknown) => {
    const reading = of(body);
    if (!('told' in reading)) throw new Error(JSON.stringify(reading));
    return reading.told[0]!;
  };

  test('a title is enough', () => {
    expect(first({ title: ' Pool\u0000 \u202eraised\n to 50 ' }).change).toEqual({
      atMs: NOW_MS,
      endedAtMs: NOW_MS,
      kind: 'deployment',
      title: 'Pool raised to 50',
      outcome: 'done',
      source: 'api',
      services: [],
      components: [],
      tenants: [],
    });
  });

  test('the same words are the same change for a minute, with a time for that time, with an id for ever', () => {
    const key = (body: object, ms = NOW_MS) => {
      const reading = readAs('generic', { title: 'x', ...body }, config, ms);
      return 'told' in reading ? reading.told[0]?.key : undefined;
    };
    expect(key({})).toBe(key({}, NOW_MS + 59_000));
    expect(key({})).not.toBe(key({}, NOW_MS + 60_000));
    expect(key({})).not.toBe(key({ by: 'ana' }));
    expect(key({ at: '2026-01-15T11:00:00Z' })).toBe(key({ at: '2026-01-15T12:00:00+01:00' }, NOW_MS + 3_600_000));
    expect(key({ id: 'a', at: '2026-01-15T11:00:00Z' })).toBe(key({ id: 'a', title: 'y', outcome: 'begun' }));
    expect(key({ id: 'a'.repeat(150) })).not.toBe(key({ id: 'a'.repeat(151) }));
  });

  test('repository and environment are held against changedBy', () => {
    expect(first({ title: 'x', repository: 'ACME/Billing', environment: 'production' }).change.services).toEqual(['billing']);
    expect(first({ title: 'x', repository: 'acme/billing', services: ['scheduling'] }).change.services).toEqual(['scheduling']);
    // Of those that name a source, none is meant.
    expect(first({ title: 'x', repository: 'care/scheduling', environment: 'production' }).change.services).toEqual([]);
  });

  test('an end from the future is now', () => {
    expect(first({ title: 'x', at: '2026-01-15T11:48:00Z' }).change).toMatchObject({ atMs: NOW_MS, endedAtMs: NOW_MS });
  });

  test.each([
    [[], '', 'expected a JSON object, got an empty list'],
    ['x', '', 'expected a JSON object, got "x"'],
    [{}, 'title', 'expected a text; it is missing'],
    [{ title: ' \u0007 ' }, 'title', 'expected a text, got " \\u0007 "'],
    [{ title: 'x', kind: 'deploymnet' }, 'kind', /^expected one of deployment, .*, got "deploymnet"; did you mean "deployment"\?$/],
    [
      { title: 'x', services: ['biling'] },
      'services[0]',
      'expected one of the services billing, scheduling, got "biling"; did you mean "billing"?',
    ],
    [{ title: 'x', tenants: ['river'] }, 'tenants[0]', 'expected one of the tenants riverside, hillcrest, got "river"'],
    [{ title: 'x', service: 'billing' }, 'service', 'unknown key "service"; did you mean "services"?'],
    [{ title: 'x', at: 'yesterday' }, 'at', /^expected a time with its offset .*, got "yesterday"$/],
    [{ title: 'x', at: '2026-01-15T11:00:00' }, 'at', /^expected a time with its offset/],
    [{ title: 'x', at: '2026-01-15T12:00:00Z' }, 'at', 'expected a time that has come, got "2026-01-15T12:00:00Z"'],
    [{ title: 'x', outcome: 'begun' }, 'id', /^expected an id with the outcome begun/],
    [{ title: 'x', url: 'javascript:alert(1)' }, 'url', /^expected an address such as https/],
    [{ title: 'x', url: 'https://user:secret@ci.example' }, 'url', 'expected no password or key; leave it out'],
  ])('%j is refused at %s', (body, path, message) => {
    expect(of(body)).toEqual({ problems: [{ path, message: typeof message === 'string' ? message : expect.stringMatching(message) }] });
  });
});

describe('what does not have the shape of its sender', () => {
  test.each([
    ['github-deployment', { 'deployment.id': '145988746' }, 'deployment.id', 'expected a number, got "145988746"'],
    ['github-push', { repository: undefined }, 'repository', 'expected a map such as { key: value }; it is missing'],
    ['gitlab-deployment-success', { 'project.path_with_namespace': 7 }, 'project.path_with_namespace', 'expected a text, got 7'],
    ['argo-on-deployed', { phase: 'Succeded' }, 'phase', /^expected one of Running, .*; did you mean "Succeeded"\?$/],
    ['flux-helm-upgrade-succeeded', { 'involvedObject.name': '' }, 'involvedObject.name', /^expected a text of at least 1 character/],
  ])('%s with %j is refused with its place', (name, changes, path, message) => {
    expect(but(name, changes)).toEqual({
      problems: [{ path, message: typeof message === 'string' ? message : expect.stringMatching(message) }],
    });
  });
});

test('texts of others are on one line, short, and steer no terminal', () => {
  const message = `\u001b[31m${'é'.repeat(50_000)}\n\nbody`;
  const { change } = toldBy('github-push', config, NOW_MS, (body) => Object.assign(body.head_commit ?? {}, { message }));
  expect([...change.title]).toHaveLength(200);
  expect(change.title).toMatch(/^billing: \[31mé+…$/);
  const hostile = but('github-deployment', {
    'deployment.environment': 'prod\u2028uction\ud800',
    'workflow_run.html_url': 'javascript:alert(1)',
  });
  expect(hostile).toMatchObject({ told: [{ change: { title: 'billing v4.12.0 to prod uction\ufffd' } }] });
  expect(hostile).not.toHaveProperty('told.0.change.url');
});

test('what looks like a secret is not kept', () => {
  const { change } = toldBy('github-push', config, NOW_MS, (body) =>
    Object.assign(body, {
      compare: 'https://github.com/acme/billing?token=hunter2',
      head_commit: { message: 'use password=hunter2 for now' },
    }),
  );
  expect(change.title).toBe('(left out: there is a secret in it)');
  expect(JSON.stringify(change)).not.toContain('hunter2');
});

test('the scopes are those of what is touched', () => {
  const scopes = { ...config.scopes, 'component:ingress': { id: 'component:ingress', services: [], components: ['ingress'], checks: [] } };
  const of = (touched: object) => scopesOf({ ...config, scopes }, { services: [], components: [], tenants: [], ...touched });
  expect(of({ services: ['billing'], components: ['ingress'] })).toEqual(['billing', 'component:ingress']);
  expect(of({ tenants: ['riverside'] })).toEqual(['billing']);
  expect(of({ tenants: ['hillcrest'], services: ['gone'] })).toEqual([]);
});
