/** The editors' schema against everything that is known to be right, and everything that is known to be wrong. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { installedParts } from '../../../cli/config.ts';
import { editorSchema, type SchemaNode } from '../../../core/config/editor-schema.ts';
import { completed, parts } from './parts.ts';

const compiled = (schema: object) => {
  const ajv = new Ajv({ allErrors: true, strict: true, strictTypes: false, strictRequired: false });
  return ajv.addKeyword('patternErrorMessage').compile(schema);
};
const installed = await installedParts();
const validate = compiled(editorSchema(installed));
const complaints = (value: unknown) => (validate(value) ? [] : validate.errors);

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const EXAMPLES = ['examples/clinic/rounds.yaml', 'test/acceptance/rounds.yaml'];

describe('the JSON Schema for editors', () => {
  test.each(EXAMPLES)('takes %s', (file) => {
    expect(complaints(parse(readFileSync(`${ROOT}/${file}`, 'utf8')))).toEqual([]);
  });

  test.each([...installed.probes.values()].map((probe) => [probe.type, probe] as const))(
    'takes every example of the probe %s',
    (_, probe) => {
      const { examples } = probe as unknown as { examples: string[] };
      expect(examples.length).toBeGreaterThan(0);
      for (const example of examples) {
        // An example leaves out what it is for where that is clear from its place.
        const checks = Object.entries(parse(example) as Record<string, object>).map(([id, check]) => {
          const subject = 'service' in check || 'component' in check ? {} : { component: 'it' };
          return [id, { ...subject, ...check }];
        });
        expect(complaints({ ...SMALL, checks: Object.fromEntries(checks) })).toEqual([]);
      }
    },
  );

  test.each([...installed.actions.values()].map((action) => [action.type, action] as const))(
    'takes every example of the action %s',
    (_, action) => {
      const { examples } = action as unknown as { examples: string[] };
      for (const example of examples) {
        const runbooks = { fix: { when: { check: 'door' }, action: parse(example) } };
        expect(complaints({ ...SMALL, runbooks })).toEqual([]);
      }
    },
  );

  test('lets a reference stand where a number or a choice is expected', () => {
    const http = { url: `\${tenant.url}`, method: `\${tenant.method}`, expect: { status: `\${tenant.status}` } };
    const check = { service: 'billing', every: '30s', forEach: 'tenants', http };
    expect(complaints({ ...SMALL, checks: { door: check } })).toEqual([]);
    expect(complaints({ ...SMALL, checks: { door: { ...check, retries: `\${tenant.retries}` } } })).not.toEqual([]);
    expect(complaints({ ...SMALL, checks: { door: { ...check, http: { ...http, method: 'FETCH' } } } })).not.toEqual([]);
  });

  test('says something of every key', () => {
    const silent: string[] = [];
    const walk = (node: SchemaNode, path: string) => {
      const entry = typeof node.additionalProperties === 'object' ? node.additionalProperties : undefined;
      if (entry) walk(entry, `${path}.*`);
      for (const [name, field] of Object.entries(node.properties ?? {})) {
        if (!field.description) silent.push(`${path}.${name}`);
        if (path.split('.').length < 3) walk(field, `${path}.${name}`);
      }
    };
    walk(editorSchema(installed), 'rounds');
    expect(silent).toEqual([]);
  });
});

const SMALL = {
  version: 1,
  timezone: 'UTC',
  locations: { north: {} },
  checks: { door: { service: 'billing', every: '30s', http: { url: 'http://a.example' } } },
};

/** What is wrong with these is no matter of shape: what they name is not there, what they say does not fit together, or it is a secret. */
const OF_MEANING = new RegExp(
  `^(${[
    'check-(attempts|critical|degraded-above|every-too-often|for-each-without|location-unknown|timeout-longer)',
    'component-cycle|everything-at-once|expansion-|maintenance-check-without|parameter-outside',
    String.raw`slo-(budgets|check|faster|limit-alone|measurement-(faster|limits?|number|unit)|objective|other-service|timezone|window-short)\.`,
    'slos-(?!not-a-list|no-document|version)',
    'option-(not-an-address|of-one-tenant)|report-(?!cron-missing).*(unknown|cron|timezone)',
    'runbook-(references|parameter-(?!as-secret)|tenant)|secret-(?!number)|service-(component|owner)-unknown',
    'fallback-nobody|storage-(order|too-short)|team-(member-unknown|escalation-(nobody|order|own-team|target|two-meanings)|rotation-(day|member-unknown|without-role)|overrides-order|may-escalate-role)|tenant-name|timezone-mistyped|yaml-',
  ].join('|')})`,
);

const FOLDER = new URL('./malformed/', import.meta.url);
const fixtures = readdirSync(FOLDER).map((file) => ({ file, text: readFileSync(new URL(file, FOLDER), 'utf8') }));
const shaped = compiled(editorSchema(parts));

function valuesIn(text: string): unknown {
  return parse(text.includes('\n# alone\n') ? text : completed(text), { logLevel: 'silent' });
}

describe('a malformed file whose fault is one of shape is seen while it is typed', () => {
  test.each(fixtures.filter(({ file }) => !OF_MEANING.test(file)))('$file', ({ text }) => {
    expect(shaped(valuesIn(text)), 'name it in OF_MEANING if no schema can say it').toBe(false);
  });

  test('and the sound configuration that completes them is not', () => {
    expect(shaped(valuesIn(''))).toBe(true);
    expect(shaped.errors).toBeNull();
  });

  // What is listed as a matter of meaning is one: no shape of a file is left out of the test above by its name.
  const told = fixtures.filter(({ file }) => OF_MEANING.test(file) && !/^(yaml-|everything-at-once)/.test(file));
  test.each(told)('and $file is a matter of meaning', ({ text }) => {
    expect(shaped(valuesIn(text)), JSON.stringify(shaped.errors)).toBe(true);
  });
});
