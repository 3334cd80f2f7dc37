import pg from 'pg';
import type { Started } from '../../core/process.ts';
import { start } from '../../examples/clinic/main.ts';
import { keepingLog } from '../helpers/log.ts';
import { Visitor } from './clinic-visitor.ts';

export const PASSWORD = 'a password of the test';
export const TOKEN = 'a token of the test';

/** Returns what a clinic is started with on the server given; free ports unless said. */
export function clinicEnv(adminUrl: string, port = '0'): Record<string, string> {
  return {
    CLINIC_ADMIN_DATABASE_URL: adminUrl,
    CLINIC_PORT: port,
    CLINIC_CONTROL_PORT: '0',
    CLINIC_OPS_TOKEN: TOKEN,
    CLINIC_MONITOR_PASSWORD: PASSWORD,
  };
}

export interface Answer {
  status: number;
  body: { ok: boolean; summary: string };
}

/** The clinic as a test holds it: its pages, its switches and its database. */
export class RunningClinic {
  readonly adminUrl: string;
  site = '';
  process!: Started;
  #control = '';

  constructor(adminUrl: string) {
    this.adminUrl = adminUrl;
  }

  async start(): Promise<void> {
    const log = keepingLog();
    this.process = await start({ env: clinicEnv(this.adminUrl), log, options: {} });
    const open = log.lines.find(({ message }) => message === 'The sample clinic is open.')?.fields as { url: string; control: string };
    this.site = open.url;
    this.#control = open.control;
  }

  stop(): Promise<void> {
    return this.process.stop();
  }

  visit(tenant: string): Visitor {
    return new Visitor(`${this.site}/${tenant}`);
  }

  async post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const all = { authorization: `Bearer ${TOKEN}`, ...headers };
    const answer = await fetch(this.#control + path, { method: 'POST', headers: all, body: JSON.stringify(body) });
    return { status: answer.status, body: (await answer.json()) as Answer['body'] };
  }

  turnOn(fault: string, tenant = 'all'): Promise<Answer> {
    return this.post(`/faults/${fault}`, { tenant, on: true });
  }

  async isOn(fault: string, tenant: string | null = null): Promise<boolean | undefined> {
    const answer = await fetch(`${this.#control}/faults`);
    const switches = (await answer.json()) as { fault: string; tenant: string | null; on: boolean }[];
    return switches.find((one) => one.fault === fault && one.tenant === tenant)?.on;
  }

  /** The owner's connection to the clinic's database, not yet open. */
  connection(config: pg.ClientConfig = {}): pg.Client {
    const url = new URL(this.adminUrl);
    url.pathname = '/clinic';
    return new pg.Client({ connectionString: url.href, ...config });
  }

  async query<T extends pg.QueryResultRow>(query: string, values: unknown[] = []): Promise<T[]> {
    const client = this.connection();
    await client.connect();
    try {
      return (await client.query<T>(query, values)).rows;
    } finally {
      await client.end();
    }
  }
}
