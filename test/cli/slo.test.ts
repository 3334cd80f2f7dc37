import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { rounds as roundsWith } from '../helpers/program.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rounds-slo-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const BASE = `
version: 1
timezone: Europe/Berlin
locations: { north: {} }
people: { ana: { slack: U0ANA } }
teams: { ops: { channel: '#ops', members: [ana] } }
checks:
  door: { service: billing, every: 30s, http: { url: https://clinic.example } }
`;
const SLOS = `
      door: { title: The door opens, sli: { check: door }, objective: 99.9%, window: 28d }
      fast: { title: It opens fast, sli: { check: door, faster: 2s }, objective: 99%, window: month }`;

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

const rounds = (...args: string[]) => roundsWith({}, ...args);

test('objectives go out as OpenSLO documents and come back as they were', async () => {
  const services = (slos: string) => `services:\n  billing:\n    title: Patient billing\n    owner: ops\n    slos:${slos || ' {}'}\n`;
  const before = await file('before.yaml', `${BASE}${services(SLOS)}`);
  const bare = await file('bare.yaml', `${BASE}${services('')}`);
  const exported = await rounds('slo', 'export', '--config', before);
  expect(exported).toMatchObject({ code: 0, err: '' });
  expect(parseAllDocuments(exported.out).map((one) => (one.toJS() as { kind: string }).kind)).toEqual(['Service', 'SLO', 'SLO']);

  const imported = await rounds('slo', 'import', await file('slos.yaml', exported.out), '--config', bare);
  expect(imported).toMatchObject({ code: 0, err: '' });
  const written = parse(await readFile(before, 'utf8')).services.billing.slos;
  expect(parse(imported.out)).toEqual({ services: { billing: { slos: written } } });
});

test('what cannot be evaluated is named with its place and why', async () => {
  const config = await file('bare.yaml', `${BASE}services: { billing: { owner: ops } }\n`);
  const theirs = await file(
    'theirs.yaml',
    `apiVersion: openslo/v1
kind: SLO
metadata: { name: elsewhere }
spec:
  service: billing
  indicator: { spec: { thresholdMetric: { metricSource: { type: Datadog, spec: { query: x } } } } }
  timeWindow: [{ duration: 28d, isRolling: true }]
  budgetingMethod: Timeslices
  objectives: [{ op: lte, value: 1, target: 0.99 }]
`,
  );
  const { code, out, err } = await rounds('slo', 'import', theirs, '--config', config);
  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err.split('\n')).toEqual([
    `${theirs}:6:65 spec.indicator.spec.thresholdMetric.metricSource.type: expected the type rounds: only what Rounds checks can be evaluated, got "Datadog"; write a check that sees the same, or leave this objective where its data is`,
    `${theirs}:8:20 spec.budgetingMethod: expected Occurrences, since slots are counted one by one, got "Timeslices"`,
    'Nothing was imported: what is named above cannot be evaluated.',
    '',
  ]);
});

test('says how it is called', async () => {
  expect(await rounds('slo', 'exprot')).toMatchObject({
    code: 2,
    err: 'Expected export or import, got "exprot". Type: rounds slo --help\n',
  });
});
