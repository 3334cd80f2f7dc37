/** Deliveries as their senders send them: bodies in test/fixtures/changes, and the headers that go with each. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { type Reading, readDelivery } from '../../core/change/read.ts';
import type { ToldChange } from '../../core/change.ts';
import type { Config } from '../../core/config/model.ts';

const FOLDER = new URL('../fixtures/changes/', import.meta.url);

/** The names of all fixtures. */
export const DELIVERIES = readdirSync(FOLDER)
  .map((file) => file.replace(/\.json$/, ''))
  .sort();

/** The text of a fixture. */
export function bodyOf(name: string): string {
  return readFileSync(new URL(`${name}.json`, FOLDER), 'utf8');
}

/** What its sender says in headers beside the body. */
export function headersOf(name: string): Record<string, string> {
  const [, sender, event = ''] = /^(\w+?)-(.*)$/.exec(name) ?? [];
  if (sender === 'github') return { 'x-github-event': gitHubEvent(event), 'x-github-delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958' };
  if (sender === 'gitlab') {
    const hooks = { deployment: 'Deployment Hook', pipeline: 'Pipeline Hook', release: 'Release Hook' };
    return { 'x-gitlab-event': hooks[event.split('-')[0] as keyof typeof hooks] };
  }
  return sender === 'flux' ? { 'gotk-component': JSON.parse(bodyOf(name)).reportingController } : {};
}

function gitHubEvent(event: string): string {
  const events = ['deployment_status', 'deployment', 'workflow_run', 'release', 'push', 'ping', 'pull_request'];
  return events.find((one) => event.replaceAll('-', '_').startsWith(one)) ?? event;
}

/** What is made of a body, such as a changed fixture. */
export function readAs(name: string, body: unknown, config: Config, nowMs: number): Reading {
  const headers = headersOf(name);
  const hash = (text: string) => createHash('sha256').update(text).digest('hex');
  return readDelivery({ header: (header) => headers[header], body }, { config, nowMs, hash });
}

/** The one change that a fixture tells of. Throws when it tells of none, or of several. */
export function toldBy(name: string, config: Config, nowMs: number, change: (body: Record<string, object>) => void = () => {}): ToldChange {
  const body = JSON.parse(bodyOf(name));
  change(body);
  const reading = readAs(name, body, config, nowMs);
  if ('told' in reading && reading.told.length === 1) return reading.told[0] as ToldChange;
  throw new Error(JSON.stringify(reading));
}
