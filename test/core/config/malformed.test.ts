/**
 * One file for each way to get `rounds.yaml` wrong. Its first lines are comments and say exactly what must be said of it.
 * What a file leaves out is added behind it from a small sound configuration, unless it begins with `# alone`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { formatProblem, loadConfig } from '../../../core/config/load.ts';
import { completed, parts } from './parts.ts';

const FOLDER = new URL('./malformed/', import.meta.url);
const files = readdirSync(FOLDER);

describe('a malformed rounds.yaml', () => {
  test.each(files)('%s', (file) => {
    const text = readFileSync(new URL(file, FOLDER), 'utf8');
    const expected = [...text.matchAll(/^# (rounds\.yaml:.*)$/gm)].map((match) => match[1]);
    const loaded = loadConfig({ file: 'rounds.yaml', text: text.includes('\n# alone\n') ? text : completed(text) }, parts);
    expect(expected.length).toBeGreaterThan(0);
    expect(loaded.ok ? [] : loaded.problems.map((problem) => formatProblem('rounds.yaml', problem))).toEqual(expected);
  });

  test('never quotes what may be a secret', () => {
    for (const file of files) {
      const text = readFileSync(new URL(file, FOLDER), 'utf8');
      const loaded = loadConfig({ file: 'rounds.yaml', text: completed(text) }, parts);
      expect(JSON.stringify(loaded.ok ? [] : loaded.problems)).not.toMatch(/hunter2|1234/);
    }
  });
});

describe('a file that no person wrote', () => {
  const load = (text: string) => {
    const loaded = loadConfig({ file: 'rounds.yaml', text }, parts);
    return loaded.ok ? [] : loaded.problems.map((problem) => formatProblem('rounds.yaml', problem));
  };

  test('is refused when it is larger than 1 MB', () => {
    expect(load(`# ${'x'.repeat(1_000_000)}`)).toEqual([
      'rounds.yaml:1:1: the file is larger than 1 MB; split what it describes between installations',
    ]);
  });

  test.each([60, 90, 200_000])('is refused when it is nested %i levels deep', (depth) => {
    expect(load(`a: ${'['.repeat(depth)}${']'.repeat(depth)}`)).toEqual([
      'rounds.yaml:1:1: values are nested deeper than 40 levels; flatten them',
    ]);
  });

  test('is refused when aliases of aliases multiply', () => {
    const levels = Array.from({ length: 12 }, (_, level) => `a${level + 1}: &a${level + 1} [${Array(9).fill(`*a${level}`).join(', ')}]`);
    expect(load(`a0: &a0 [1]\n${levels.join('\n')}`)).toEqual([
      'rounds.yaml:1:1: more than 200000 values with all aliases (*name) followed; write less of them',
    ]);
  });

  test('is refused when it makes more than 10,000 checks', () => {
    const many = (count: number, entry: (index: number) => string) => Array.from({ length: count }, (_, index) => entry(index)).join('\n');
    const tenants = many(101, (index) => `  t${index}: {}`);
    const checks = many(100, (index) => `  c${index}: { service: billing, forEach: tenants, every: 1m, http: { url: http://a.example } }`);
    expect(load(completed(`checks:\n${checks}\ntenants:\n${tenants}`))).toEqual([
      'rounds.yaml:1:1 checks: these are 10100 checks with their tenants, more than 10000; split them between installations',
    ]);
  });

  test('cannot reach what every object of JavaScript has', () => {
    const text = `checks:
  constructor: { service: constructor, every: 30s, http: { url: http://a.example, toString: 1 } }
  __proto__: { service: billing, every: 30s, http: { url: http://a.example } }`;
    expect(load(completed(text))).toEqual([
      'rounds.yaml:2:27 checks.constructor.service: expected billing, the only service, got "constructor"',
      'rounds.yaml:2:83 checks.constructor.http.toString: unknown key "toString"; expected one of url, method, bearer, headers, status',
      'rounds.yaml:3:3 checks.__proto__: expected an id of at most 40 small letters, digits and -, beginning with a letter, got "__proto__"',
    ]);
  });

  test('has its control characters escaped before they reach a terminal', () => {
    expect(load(completed('"\\e[2J": 1\ntimezone: "\\e[31m"')).join('\n')).not.toContain('\u001b');
  });
});
