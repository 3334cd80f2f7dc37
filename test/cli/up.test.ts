import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../cli/ports.ts';
import { readTable, removeTable, writeTable } from '../../cli/process-table.ts';
import { secretOnce } from '../../cli/secret-files.ts';
import { childrenOf, type UpPlan, urlsOf } from '../../cli/up-children.ts';
import { readConfigFacts, writeDemoConfig } from '../../cli/up-config.ts';
import { lineWriter } from '../../cli/up-output.ts';
import { choosePorts } from '../../cli/up-plan.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rounds-up-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function planOf(changes: Partial<UpPlan> = {}): UpPlan {
  return {
    program: '/bin/node',
    programArgs: ['main.ts'],
    env: {
      PATH: '/bin',
      HOME: '/home',
      NODE_ENV: 'test',
      NODE_CHANNEL_FD: '3',
      AWS_SECRET_ACCESS_KEY: 'theirs',
      MONITOR_PASSWORD: 'named',
    },
    configPath: '/c/rounds.yaml',
    journeysFolder: '/c',
    facts: {
      locations: ['north', 'south'],
      seed: { channels: ['operations'], users: [{ id: 'U0ANA', name: 'Ana' }] },
      secrets: ['MONITOR_PASSWORD', 'UNSET'],
    },
    dataFolder: '/d',
    databaseUrl: 'postgres://database-secret',
    queueUrl: 'postgres://queue-secret',
    agentQueueUrls: { north: 'postgres://north-secret', south: 'postgres://south-secret' },
    browser: { executablePath: '/b/chromium', env: { LD_LIBRARY_PATH: '/b/lib' }, source: 'test' },
    ports: { desk: 1, bot: 2, clinic: 3, clinicControl: 4 },
    slack: { botToken: 'xoxb-secret', signingSecret: 'signing-secret', appToken: 'xapp-secret', apiUrl: 'http://127.0.0.1:1/api/' },
    withDesk: true,
    clinic: { adminUrl: 'postgres://admin-secret', opsToken: 'ops-secret', monitorPassword: 'monitor-secret' },
    agentSecretsFolder: '/d/secrets/agents',
    ...changes,
  };
}

describe('the processes of up', () => {
  it('are the desk, the clinic, the worker, the bot and an agent for each location', () => {
    expect(childrenOf(planOf()).map(({ name }) => name)).toEqual(['desk', 'clinic', 'bot', 'agent-north', 'agent-south', 'worker']);
    const real = planOf({ withDesk: false, clinic: undefined });
    expect(childrenOf(real).map(({ name }) => name)).toEqual(['bot', 'agent-north', 'agent-south', 'worker']);
    expect(Object.keys(urlsOf(real))).toEqual(['bot']);
  });

  it('are all ready before the worker gives out work', () => {
    expect(childrenOf(planOf()).at(-1)).toMatchObject({ name: 'worker', after: ['desk', 'clinic', 'bot', 'agent-north', 'agent-south'] });
  });

  it('get no secret on the command line', () => {
    for (const { args } of childrenOf(planOf())) expect(args.join(' ')).not.toMatch(/secret/);
  });

  it('get only what they need', () => {
    const env = Object.fromEntries(childrenOf(planOf()).map((child) => [child.name, child.env]));
    for (const one of Object.values(env)) {
      expect(one).toMatchObject({ PATH: '/bin', HOME: '/home', NODE_ENV: 'test' });
      expect(one).not.toHaveProperty('AWS_SECRET_ACCESS_KEY');
      expect(one).not.toHaveProperty('NODE_CHANNEL_FD');
    }
    const holders = (secret: string) => Object.keys(env).filter((name) => Object.values(env[name] ?? {}).includes(secret));
    expect(holders('xoxb-secret')).toEqual(['desk', 'bot']);
    expect(holders('xapp-secret')).toEqual(['desk', 'bot']);
    expect(holders('postgres://admin-secret')).toEqual(['clinic']);
    expect(holders('monitor-secret')).toEqual(['clinic']);
    expect(holders('ops-secret')).toEqual(['desk', 'clinic']);
    expect(holders('named')).toEqual(['agent-north', 'agent-south']);
    expect(env['agent-north']).toMatchObject({ ROUNDS_LOCATION: 'north', ROUNDS_CHROMIUM: '/b/chromium', LD_LIBRARY_PATH: '/b/lib' });
    expect(env['agent-north']).not.toHaveProperty('UNSET');
  });
});

describe('what up reads of a configuration', () => {
  const write = (text: string) => {
    const path = join(folder, 'rounds.yaml');
    writeFileSync(path, text);
    return path;
  };

  it('is locations, people, channels wherever they stand, and the names of secrets', () => {
    const path = write(`locations: { north: { title: North }, cloud: {} }
people: { ana: { slack: U0ANA }, ben: { name: Ben B, slack: U0BEN }, nobody: {} }
teams: { billing-ops: { channel: '#billing-incidents', escalation: [{ after: 30m, to: '#operations' }] } }
reports: { morning: { channel: '#service-reports' }, evening: { channel: '#service-reports' } }
checks: { a: { password: '\${secret:MONITOR_PASSWORD}', url: '\${secret:URL}', again: '\${secret:URL}' } }
`);
    expect(readConfigFacts(path)).toEqual({
      locations: ['north', 'cloud'],
      seed: {
        channels: ['billing-incidents', 'operations', 'service-reports'],
        users: [
          { id: 'U0ANA', name: 'Ana' },
          { id: 'U0BEN', name: 'Ben B' },
        ],
      },
      secrets: ['MONITOR_PASSWORD', 'URL'],
    });
  });

  it('is refused in a sentence when it is not there or names no location', () => {
    expect(() => readConfigFacts(join(folder, 'none.yaml'))).toThrow('none.yaml cannot be read (ENOENT). Name another with --config.');
    expect(() => readConfigFacts(write('a: [1'))).toThrow(/^\S+rounds.yaml is not YAML: /);
    expect(() => readConfigFacts(write('version: 1\n'))).toThrow('expected at least one location');
  });

  it('has the real ports and the full path of its journeys in the demo', () => {
    const source = write(`url: http://127.0.0.1:4610/riverside
control: http://127.0.0.1:4611
journey: { file: journeys/a.ts }
other: { file: 'journeys/b.ts' }
`);
    const target = writeDemoConfig(source, join(folder, 'demo', 'rounds.yaml'), { clinic: 5000, clinicControl: 5001 }, '/sample/journeys');
    expect(readFileSync(target, 'utf8')).toBe(`url: http://127.0.0.1:5000/riverside
control: http://127.0.0.1:5001
journey: { file: /sample/journeys/a.ts }
other: { file: '/sample/journeys/b.ts' }
`);
  });
});

describe('ports', () => {
  const servers: Server[] = [];
  const occupy = async () => {
    const server = createServer().listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    return (server.address() as { port: number }).port;
  };

  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  it('are the next free ones when the usual are taken', async () => {
    const port = await occupy();
    const found = await freePort(port, new Set([port + 1]));
    expect(found).toBeGreaterThan(port + 1);
  });

  it('are never given twice', async () => {
    const ports = Object.values(await choosePorts(undefined));
    expect(new Set(ports).size).toBe(ports.length);
  });

  it('are an error when one was asked for by name and is taken, or is none', async () => {
    const port = await occupy();
    await expect(choosePorts(String(port))).rejects.toThrow(`Port ${port} is taken. Name another with --port`);
    await expect(choosePorts('fast')).rejects.toThrow('--port: expected a port from 1 to 65535, got "fast"');
  });
});

describe('what up keeps in its folder', () => {
  it('is a table of processes that comes and goes whole', () => {
    const table = {
      up: { pid: 1 },
      processes: { worker: { pid: 2, ready: true, restarts: 0, healthPort: 3 } },
      urls: {},
      ports: {},
      ready: true,
    };
    expect(readTable(folder)).toBeUndefined();
    writeTable(folder, table);
    expect(readTable(folder)).toEqual(table);
    removeTable(folder);
    expect(readTable(folder)).toBeUndefined();
    expect(readdirSync(join(folder, 'run'))).toEqual([]);
  });

  it('is each secret made once, for the owner alone', () => {
    const secrets = join(folder, 'secrets');
    mkdirSync(secrets, { mode: 0o755 });
    const first = secretOnce(secrets, 'TOKEN');
    expect(first).toMatch(/^[\w-]{43}$/);
    expect(secretOnce(secrets, 'TOKEN')).toBe(first);
    expect(statSync(secrets).mode & 0o777).toBe(0o700);
    expect(statSync(join(secrets, 'TOKEN')).mode & 0o777).toBe(0o600);
    expect(readdirSync(secrets)).toEqual(['TOKEN']);
  });
});

describe('the output of up', () => {
  const lines = (terminal: boolean, verbose: boolean) => {
    let out = '';
    const write = lineWriter(
      {
        terminal,
        out: (text) => {
          out += text;
        },
        err: () => {},
      },
      verbose,
    );
    write('worker', '{"level":"info","time":"x","msg":"Started"}');
    write('worker', '{"level":"warn","time":"x","msg":"The queue is slow"}');
    write('bot', 'plain words');
    return out;
  };

  it('is every line, with the name of the process, where a machine reads', () => {
    expect(lines(false, false)).toContain('worker       {"level":"info"');
  });

  it('is what needs attention where a person reads, and all of it when asked for', () => {
    expect(lines(true, false)).toBe('worker       warn: The queue is slow\nbot          plain words\n');
    expect(lines(true, true)).toContain('worker       Started\n');
  });
});
