import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../core/config/load.ts';
import type { Parameter } from '../../core/config/model.ts';
import { fillParameters, readParameter, readParameters } from '../../core/parameter.ts';
import { completed, parts } from './config/parts.ts';

const named = (parameter: Partial<Parameter>): Parameter => ({ name: 'it', title: 'It', type: 'text', ...parameter });

describe('what is typed', () => {
  test.each<[Partial<Parameter>, string, string | number]>([
    [{ type: 'text' }, ' the queue is stuck ', 'the queue is stuck'],
    [{ type: 'number', min: 1, max: 5 }, '2.5', 2.5],
    [{ type: 'number', min: -3 }, '-3', -3],
    [{ type: 'duration', min: 5_000, max: 300_000 }, '5m', '5m'],
    [{ type: 'choice', options: ['rolling', 'all'] }, 'all', 'all'],
  ])('%o takes "%s"', (parameter, typed, value) => {
    expect(readParameter(named(parameter), typed)).toEqual({ value });
  });

  test.each<[Partial<Parameter>, string, string]>([
    [{ type: 'text' }, '', 'Expected a text of at most 300 characters on one line; it is empty.'],
    [{ type: 'text', max: 3 }, 'four', 'Expected a text of at most 3 characters on one line, got "four".'],
    [{ type: 'text' }, `\${secret:OPS_TOKEN}`, 'Expected a text without "${": nothing is filled in here.'],
    [{ type: 'text' }, 'a\nb', 'Expected a text of at most 300 characters on one line, got "a\nb".'],
    [{ type: 'number', min: 1, max: 5 }, '6', 'Expected a number from 1 to 5, got "6".'],
    [{ type: 'number' }, '1e9', 'Expected a number, got "1e9".'],
    [{ type: 'number' }, 'NaN', 'Expected a number, got "NaN".'],
    [{ type: 'duration', max: 60_000 }, '2m', 'Expected a duration such as 30s or 5m of at most 1 min, got "2m".'],
    [{ type: 'choice', options: ['rolling', 'all'] }, 'ALL', 'Expected one of rolling or all, got "ALL".'],
  ])('%o refuses "%s"', (parameter, typed, error) => {
    expect(readParameter(named(parameter), typed)).toEqual({ error });
  });

  test('is told of all fields at once', () => {
    const two = [named({ name: 'why' }), named({ name: 'count', type: 'number' })];
    const read = readParameters(two, (name) => (name === 'count' ? 'many' : undefined));
    expect(read.ok ? [] : [...read.errors.keys()]).toEqual(['why', 'count']);
  });
});

test('values take the place of references, a number as a number, and what is put in is not looked at again', () => {
  const template = { count: `\${param.count}`, json: { reason: `\${param.why}`, list: [`to \${param.count}`] }, token: `\${secret:OPS}` };
  const values = new Map<string, string | number>([
    ['count', 3],
    ['why', `\${param.count}`],
  ]);
  expect(fillParameters(template, values)).toEqual({
    count: 3,
    json: { reason: `\${param.count}`, list: ['to 3'] },
    token: `\${secret:OPS}`,
  });
});

test('a runbook keeps its action as it was written, and what it usually becomes', () => {
  const text = completed(`
runbooks:
  restart:
    title: Restart billing
    when: { service: billing }
    parameters:
      mode: { type: choice, options: [rolling, all], default: all }
      why: { title: Why, type: text, help: 'Told in the thread' }
    action: { http.request: { url: 'https://ops.example/\${param.mode}', location: north } }
`);
  const loaded = loadConfig({ file: 'rounds.yaml', text }, parts);
  expect(loaded.ok && loaded.config.runbooks.restart).toMatchObject({
    parameters: [
      { name: 'mode', title: 'Mode', type: 'choice', options: ['rolling', 'all'], default: 'all' },
      { name: 'why', title: 'Why', type: 'text', help: 'Told in the thread' },
    ],
    action: { params: { url: 'https://ops.example/all' }, template: { url: `https://ops.example/\${param.mode}` } },
  });
});
