import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type RunOptions, run } from '../../cli/run.ts';
import { JOURNEYS } from '../helpers/agent-browser.ts';
import { quietLog } from '../helpers/log.ts';
import { listening, type TestServer } from '../helpers/probing.ts';
import { listeningIo } from '../helpers/program.ts';

let folder: string;
let server: TestServer;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rounds-run-'));
  server = await listening(createServer((_request, response) => response.setHeader('content-type', 'text/html').end('<h1>Invoices</h1>')));
  const at = `http://127.0.0.1:${server.port}`;
  writeFileSync(
    join(folder, 'rounds.yaml'),
    `version: 1
timezone: Europe/Berlin
locations:
  north: { title: North }
people:
  ana: { slack: U0ANA, roles: [responder] }
teams:
  ops: { channel: '#ops', members: [ana] }
tenants:
  riverside: { title: Riverside Clinic, url: '${at}' }
  hillcrest: { title: Hillcrest Dental, url: '${at}' }
services:
  billing: { title: Patient billing, tier: 1, owner: ops }
checks:
  front-door:
    title: Front door
    service: billing
    forEach: tenants
    every: 60s
    locations: [north]
    http: { url: '\${tenant.url}' }
  visit:
    title: Visit
    service: billing
    every: 60s
    locations: [north]
    journey: { file: '${JOURNEYS}/visit.ts', baseUrl: '${at}' }
  closed:
    title: Closed
    service: billing
    every: 60s
    locations: [north]
    http: { url: '${at}', headers: { Authorization: 'Bearer \${secret:NOT_HERE}' } }
`,
  );
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

async function ran(check: string, options: RunOptions = {}) {
  const { io, said } = listeningIo();
  const code = await run(
    check,
    { config: join(folder, 'rounds.yaml'), ...options },
    { env: { ...env, ROUNDS_DATA: folder }, log: quietLog, io },
  );
  return { code, ...said() };
}

test('all checks of a template are run, one for each tenant', async () => {
  const { code, out, err } = await ran('front-door');
  expect(err).toBe('');
  expect(code).toBe(0);
  expect(out).toMatch(/^Front door · Riverside Clinic \(front-door\/riverside\)\n {2}connect\s+\d+(\.\d)? ms\n/m);
  expect(out).toMatch(/^Front door · Hillcrest Dental \(front-door\/hillcrest\)$/m);
  expect(out.match(/^UP after \d\.\d\d s$/gm)).toHaveLength(2);
});

test('a journey that fails shows its steps and where its picture is', async () => {
  const { code, out } = await ran('visit');
  expect(code).toBe(1);
  expect(out).toMatch(/^ {2}✓ open the page {2}\d\.\d\d s\n {2}✗ find it wrong {2}\d\.\d\d s$/m);
  expect(out).toMatch(/^DOWN after .+: "find it wrong": the total is 0\.00, expected 80\.00 \(assertion\)$/m);
  const picture = /^Picture: (.+)$/m.exec(out)?.[1] ?? '';
  expect(existsSync(picture)).toBe(true);
  expect(readFileSync(picture).subarray(0, 2).toString('hex')).toBe('ffd8');
});

test('a fault is the third code', async () => {
  const { code, out } = await ran('closed');
  expect(code).toBe(2);
  expect(out).toContain('FAULT after');
  expect(out).toContain('The secret NOT_HERE is not on this agent');
});

test.each([
  ['front-dor', {}, 'There is no check "front-dor". Did you mean "front-door"?\n'],
  ['front-door/rivrside', {}, 'There is no check "front-door/rivrside". Did you mean "front-door/riverside"?\n'],
  ['visit', { location: 'nort' }, 'There is no location "nort". Did you mean "north"?\n'],
])('%s with %j is answered with the nearest', async (check, options, message) => {
  expect(await ran(check, options)).toEqual({ code: 2, out: '', err: message });
});

test('a configuration that is wrong is told line by line', async () => {
  writeFileSync(join(folder, 'rounds.yaml'), 'version: 2\n');
  const { code, err } = await ran('visit');
  expect(code).toBe(2);
  expect(err).toMatch(/rounds\.yaml:1:\d+ version: expected 1/);
});
