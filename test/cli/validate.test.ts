import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConfigError, readConfig } from '../../cli/config.ts';
import { validate } from '../../cli/validate.ts';

const CLINIC = new URL('../../examples/clinic/rounds.yaml', import.meta.url).pathname;

const SOUND = `version: 1
timezone: Europe/Berlin
locations: { north: {}, south: {} }
teams: { ops: { channel: '#ops' } }
services: { billing: { owner: ops } }
checks:
  front-door: { service: billing, every: 30s, http: { url: https://clinic.example } }
`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rounds-validate-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function run(name: string, content?: string | Uint8Array): Promise<{ code: number; out: string; err: string }> {
  const file = join(folder, name);
  if (content !== undefined) await writeFile(file, content);
  return check(file);
}

async function check(file: string): Promise<{ code: number; out: string; err: string }> {
  const said = { out: '', err: '' };
  const code = await validate(file, {
    out: (text) => {
      said.out += text;
    },
    err: (text) => {
      said.err += text;
    },
  });
  return { code, out: said.out.replaceAll(`${folder}/`, ''), err: said.err.replaceAll(`${folder}/`, '') };
}

describe('rounds validate', () => {
  test('sums up a sound file in one line', async () => {
    const { code, out, err } = await run('sound.yaml', SOUND);
    expect(out).toMatch(/^sound\.yaml: 1 check, 0 tenants, 2 locations, 0 runbooks; revision [0-9a-f]{12}\n$/);
    expect({ code, err }).toEqual({ code: 0, err: '' });
  });

  test('takes the sample clinic', async () => {
    const { code, out, err } = await check(CLINIC);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/ 13 checks, 3 tenants, 3 locations, \d+ runbooks; revision /);
  });

  test('names every error, one a line', async () => {
    const text = SOUND.replace('every: 30s', 'every: fast').replace('Europe/Berlin', 'Berlin').replace('url:', 'ulr:');
    expect(await run('wrong.yaml', text)).toEqual({
      code: 1,
      out: '',
      err: [
        'wrong.yaml:2:11 timezone: expected a time zone such as Europe/Berlin, got "Berlin"',
        'wrong.yaml:7:42 checks.front-door.every: expected a duration such as 30s or 5m, got "fast"',
        'wrong.yaml:7:56 checks.front-door.http.ulr: unknown key "ulr"; did you mean "url"?',
        '',
      ].join('\n'),
    });
  });

  test('misses a journey whose file is not there, once for all tenants', async () => {
    const text = `${SOUND}  sign-in:
    service: billing
    forEach: tenants
    every: 30s
    journey: { file: journeys/sign-in.ts, baseUrl: '\${tenant.url}' }
tenants: { a: { url: http://a.example }, b: { url: http://b.example } }
`;
    expect(await run('journey.yaml', text)).toEqual({
      code: 1,
      out: '',
      err: 'journey.yaml:12:22 checks.sign-in.journey.file: there is no file journeys/sign-in.ts; write it, or correct the path, which begins at the folder of this file\n',
    });
    await mkdir(join(folder, 'journeys'));
    await writeFile(join(folder, 'journeys/sign-in.ts'), 'export default {};\n');
    expect(await run('journey.yaml')).toMatchObject({ code: 0, err: '' });
  });

  test('says why it cannot read a file', async () => {
    expect((await run('none.yaml')).err).toBe('none.yaml: there is no such file; give the path of your rounds.yaml\n');
    expect((await run('latin1.yaml', Uint8Array.of(0x61, 0x3a, 0x20, 0xe9, 0x0a))).err).toBe(
      'latin1.yaml: expected text in UTF-8; save it so\n',
    );
    expect((await check(folder)).err).toBe(`${folder}: expected a file, got a folder; give the path of the rounds.yaml in it\n`);
    await chmod(join(folder, 'latin1.yaml'), 0o000);
    expect((await run('latin1.yaml')).code).toBe(1);
  });
});

describe('readConfig', () => {
  test('throws one error with all problems in it', async () => {
    const file = join(folder, 'two.yaml');
    await writeFile(file, SOUND.replace('version: 1', 'version: 3').replace('owner: ops', 'owner: nobody'));
    const thrown = await readConfig(file).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(ConfigError);
    expect((thrown as ConfigError).lines).toEqual([
      `${file}:1:10 version: expected 1, the only version of this file there is, got 3`,
      `${file}:5:31 services.billing.owner: expected ops, the only team, got "nobody"`,
    ]);
  });
});
