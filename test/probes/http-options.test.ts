/** How mistakes in the options of the http probe are told to who writes the file: where, what was expected, what to do. */
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { formatProblem, loadConfig } from '../../core/config/load.ts';
import http from '../../probes/types/http.ts';
import { parts } from '../core/config/parts.ts';

const withHttp = { ...parts, probes: new Map([['http', http]]) };

const HEAD = `version: 1
timezone: Europe/Berlin
locations: { north: {} }
teams: { ops: { channel: '#ops' } }
services: { billing: { owner: ops } }
`;

/** What is said of a check with these options, in YAML of one level, as it stands in the file from line 10 on. */
function problemsOf(options: string): string[] {
  const lines = options.trim().split('\n');
  const text = `${HEAD}checks:\n  door:\n    service: billing\n    every: 30s\n    http:\n${lines.map((line) => `      ${line}`).join('\n')}\n`;
  const loaded = loadConfig({ file: 'rounds.yaml', text }, withHttp);
  return loaded.ok ? [] : loaded.problems.map((problem) => formatProblem('rounds.yaml', problem));
}

const at = (line: number, column: number, path: string, message: string) => [
  `rounds.yaml:${line}:${column} checks.door.http${path}: ${message}`,
];
const URL_LINE = 'url: https://clinic.example';

describe('options that fit', () => {
  test.each([
    `${URL_LINE}\nexpect: { text: ok }`,
    `${URL_LINE}\nexpect: { text: [ok, /v\\d+/i], notText: error, headers: { etag: { exists: true } }, size: { above: 1KB }, within: { total: 2s } }`,
    `steps: [{ name: one, url: https://a.example, save: { t: { header: location } } }, { name: two, url: 'https://a.example:8443\${saved.t}' }]`,
    `steps: [{ name: one, url: https://a.example, save: { t: { json: a.b } } }, { name: two, url: '\${saved.t}', headers: { Authorization: 'Bearer \${saved.t}' } }]`,
    `url: https://a.example\ntls: { certificate: '\${secret:CERT}', privateKey: '\${secret:KEY}' }`,
  ])('%s', (options) => {
    expect(problemsOf(options)).toEqual([]);
  });

  test('travel as JSON, and are what was written', () => {
    const written = parse(
      '{ url: https://a.example, expect: { status: 204, text: /a/i, json: { a: { below: 5 } }, within: { tls: 1s } } }',
    );
    const params = http.schema.parse(written);
    expect(JSON.parse(JSON.stringify(params))).toEqual(params);
    expect(params.expect).toEqual({ status: [204], text: '/a/i', json: { a: { below: 5 } }, within: { tls: 1000 } });
  });
});

describe('one request or several', () => {
  test('neither', () => {
    expect(problemsOf('method: GET')).toEqual(
      at(10, 5, '.url', 'expected an address such as https://example.org, or steps; it is missing'),
    );
  });

  test('both', () => {
    const options = `${URL_LINE}\nexpect: { status: 200 }\nsteps: [{ name: one, url: https://a.example }]`;
    expect(problemsOf(options)).toEqual([
      ...at(11, 12, '.url', 'url stands beside steps; move it into a step'),
      ...at(12, 15, '.expect', 'expect stands beside steps; move it into a step'),
    ]);
  });

  test.each([
    ['steps: []', 'steps', 'expected a list of steps such as [{ name: log in, url: … }], got an empty list'],
    ['steps: { one: 1 }', 'steps', 'expected a list of steps such as [{ name: log in, url: … }], got a map'],
  ])('%s', (options, key, message) => {
    expect(problemsOf(options)).toEqual(at(11, 14, `.${key}`, message));
  });

  test('a step without a name, and one of the same name', () => {
    const options =
      'steps:\n  - { url: https://a.example }\n  - { name: a, url: https://a.example }\n  - { name: a, url: https://a.example }';
    expect(problemsOf(options)).toEqual(at(12, 11, '.steps[0].name', 'expected a text; it is missing'));
    const twice = options.replace('- { url', '- { name: b, url');
    expect(problemsOf(twice)).toEqual(at(14, 19, '.steps[2].name', '"a" is the name of an earlier step; give it another'));
  });
});

describe('values between steps', () => {
  const steps = (second: string) => `steps:\n  - { name: one, url: https://a.example, save: { token: { json: t } } }\n  - ${second}`;

  test.each([
    [`{ name: two, url: 'https://a.example/\${saved.tokn}' }`, '.url', `no earlier step saves "tokn"; did you mean \${saved.token}?`],
    [
      `{ name: two, url: https://a.example, body: '\${saved.order}', save: { order: { json: id } } }`,
      '.body',
      'no earlier step saves "order"; add it under save of a step before this one',
    ],
    [
      `{ name: two, url: https://a.example, expect: { text: '\${saved.token}' } }`,
      '.expect.text',
      `\${saved.token} is filled in only in url, headers and body`,
    ],
    [
      `{ name: two, url: 'https://a.example/\${save.token}' }`,
      '.url',
      `expected \${secret:NAME} in capital letters, \${tenant.FIELD} or \${saved.NAME}, the only expansions there are, got "\${save.token}"`,
    ],
  ])('%s', (second, path, message) => {
    const [problem] = problemsOf(steps(second));
    expect(problem?.replace(/^rounds\.yaml:13:\d+/, '')).toBe(` checks.door.http.steps[1]${path}: ${message}`);
  });

  test('stand nowhere else', () => {
    const message = `\${saved.token} stands for a value that an earlier step saved, and this is no step; write the value out`;
    expect(problemsOf(`url: 'https://a.example/\${saved.token}'`)).toEqual(at(11, 12, '.url', message));
  });

  test.each([
    ['{}', '', 'expected one of json, header and body, got an empty map'],
    ['{ json: a, header: b }', '', 'expected one of json, header and body, got a map'],
    ['{ body: /none/ }', '.body', 'expected a regular expression with one group in parentheses, such as /csrf="([^"]+)"/, got "/none/"'],
    ['{ body: plain }', '.body', 'expected a regular expression such as /^v2/, got "plain"; write it between slashes'],
    ["{ json: 'a..b' }", '.json', 'expected a path such as checks.database or items[0].id, got "a..b"'],
  ])('saved from %s', (source, path, message) => {
    const [problem] = problemsOf(`steps: [{ name: one, url: https://a.example, save: { t: ${source} } }]`);
    expect(problem?.replace(/^rounds\.yaml:11:\d+/, '')).toBe(` checks.door.http.steps[0].save.t${path}: ${message}`);
  });
});

describe('expectations', () => {
  test.each([
    ['{ text: /(/ }', '.text', 'expected a regular expression such as /^v2/, got "/(/"; unterminated group'],
    [
      '{ text: /a/g }',
      '.text',
      'expected a regular expression such as /^v2/, got "/a/g"; after the last slash only i, m, s and u may stand',
    ],
    ["{ text: '' }", '.text', 'expected a text that is not empty, got ""'],
    ['{ text: [] }', '.text', 'expected a list of at least 1 entry, got an empty list'],
    ['{ text: 5 }', '.text', 'expected a text, or a list such as [a, b], got 5'],
    ['{ json: { a: {} } }', '.json.a', 'expected one of above, below, matches, not and exists, got an empty map'],
    ['{ json: { a: { abov: 5 } } }', '.json.a.abov', 'unknown key "abov"; did you mean "above"?'],
    ['{ json: { a: { above: fast } } }', '.json.a.above', 'expected a number, got "fast"'],
    [
      '{ json: { a: { matches: v2 } } }',
      '.json.a.matches',
      'expected a regular expression such as /^v2/, got "v2"; write it between slashes',
    ],
    [
      '{ json: { a: { exists: false, above: 1 } } }',
      '.json.a',
      'expected nothing beside exists: false, got a map; what is absent has no value',
    ],
    ["{ headers: { 'a b': x } }", '.headers."a b"', 'expected the name of a header, got "a b"'],
    ['{ size: {} }', '.size', 'expected above, below or both, got an empty map'],
    ['{ size: { above: big } }', '.size.above', 'expected a size such as 200MB or 2GiB, got "big"'],
    ['{ within: { firstbyte: 1s } }', '.within.firstbyte', 'unknown key "firstbyte"; did you mean "firstByte"?'],
    ['{ within: { total: 300 } }', '.within.total', 'expected a duration such as 30s or 5m, got 300'],
    ['{ status: 2xx }', '.status', 'expected a status such as 200, or a list such as [a, b], got "2xx"'],
  ])('%s', (expectation, path, message) => {
    const [problem, ...more] = problemsOf(`${URL_LINE}\nexpect: ${expectation}`);
    expect(problem?.replace(/^rounds\.yaml:12:\d+/, '')).toBe(` checks.door.http.expect${path}: ${message}`);
    expect(more).toEqual([]);
  });

  test.each(['text: ok', 'notText: no', 'json: { a: 1 }', 'size: { above: 1B }'])('of the body of HEAD: %s', (expectation) => {
    const [problem] = problemsOf(`${URL_LINE}\nmethod: HEAD\nexpect: { ${expectation} }`);
    expect(problem).toMatch(/^rounds\.yaml:13:\d+ checks\.door\.http\.expect\.\w+: the answer to HEAD has no body; use GET$/);
  });
});

describe('TLS', () => {
  test('a certificate without its key, and a key in the file', () => {
    expect(problemsOf(`${URL_LINE}\ntls: { certificate: '\${secret:CERT}' }`)).toEqual(
      at(12, 12, '.tls', 'expected certificate and privateKey together, got a map'),
    );
    expect(problemsOf(`${URL_LINE}\ntls: { certificate: PEM, privateKey: PEM }`)).toEqual([
      ...at(12, 27, '.tls.certificate', 'expected a certificate in PEM, from -----BEGIN CERTIFICATE----- on, got "PEM"'),
      ...at(12, 44, '.tls.privateKey', `write \${secret:NAME}; secrets never stand in the file`),
    ]);
  });
});
