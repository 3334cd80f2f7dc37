/** The options of requests as they stand in `rounds.yaml`. They travel as JSON, so regular expressions stay texts. */
import * as z from 'zod';
import { durationMs, sizeBytes, text, urlOrSecret } from '../../core/config/units.ts';
import { groupsOf, pattern, textOrPattern } from '../pattern.ts';
import { keysOf } from './json.ts';

const status = z.int({ error: 'expected a status such as 200' }).min(100).max(599);
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()], { error: 'expected a text, a number, true, false or null' });
const headerName = z.string().regex(/^[A-Za-z0-9-]+$/, 'expected the name of a header');
const jsonPath = text(200).refine((path) => keysOf(path) !== undefined, {
  error: 'expected a path such as checks.database or items[0].id',
});

/** Keys can be counted when none of them is mistyped, which is told by itself. */
const sound = ({ issues }: { issues: readonly unknown[] }) => issues.length === 0;

const SAMPLE = '/^v2/';
const expression = () => pattern(1000, SAMPLE);
const textOrExpression = () => textOrPattern(2000, SAMPLE);

const comparison = z
  .strictObject({
    above: z.number().optional(),
    below: z.number().optional(),
    matches: expression().optional(),
    not: scalar.optional(),
    exists: z.boolean().optional(),
  })
  .refine((one) => Object.keys(one).length > 0, {
    error: 'expected one of above, below, matches, not and exists',
    when: sound,
  })
  .refine((one) => one.exists !== false || Object.keys(one).length === 1, {
    error: 'expected nothing beside exists: false; what is absent has no value',
    when: sound,
  });

const texts = z.union([textOrExpression(), z.array(textOrExpression()).min(1).max(20)], { error: 'expected a text or a list of texts' });
const size = z
  .strictObject({
    above: sizeBytes().optional().describe('It must be larger'),
    below: sizeBytes().optional().describe('It must be smaller'),
  })
  .refine((one) => Object.keys(one).length > 0, { error: 'expected above, below or both', when: sound });
const limit = (phase: string) => durationMs().optional().describe(phase);

const expectation = z.strictObject({
  status: z
    .union([status.transform((one) => [one]), z.array(status).min(1).max(50)], { error: 'expected a status or a list of them' })
    .optional()
    .describe('The status, or a list of them; 200 to 399 unless said'),
  text: texts.optional().describe('What the answer must contain, one or a list; between slashes, `/…/`, a regular expression'),
  notText: texts.optional().describe('What the answer must not contain; an empty answer does not pass'),
  headers: z
    .record(headerName, z.union([textOrExpression(), comparison], { error: 'expected a text, /…/ or a comparison' }))
    .optional()
    .describe('Headers by name: the exact value, `/…/`, or a comparison as in `json`'),
  json: z
    .record(jsonPath, z.union([scalar, comparison], { error: 'expected a value, or a comparison such as { above: 5 }' }))
    .optional()
    .describe(
      'Values in the JSON answer, by path such as `checks.database` or `items[0].id`: the exact value, or `{ above, below, matches, not, exists }`',
    ),
  size: size.optional().describe('Size of the body, unpacked'),
  within: z
    .strictObject({
      dns: limit('Looking up the name'),
      connect: limit('Opening the connection'),
      tls: limit('The TLS handshake'),
      firstByte: limit('From the request to the head of the answer'),
      download: limit('Reading the body'),
      total: limit('All of the request, with its redirects'),
    })
    .optional()
    .describe('How long each phase may take; longer is `degraded`'),
});

/** What a request is made of, in a check with one and in each of several steps. */
export const requestShape = {
  method: z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']).default('GET').describe('The method'),
  headers: z.record(headerName, text(4000)).default({}).describe('Headers to send'),
  body: text(100_000).optional().describe('The body to send'),
  redirects: z.enum(['follow', 'stay']).default('follow').describe('Whether redirects are followed, at most five'),
  expect: expectation.default({}).describe('What the answer must be'),
};

const groupError = 'expected a regular expression with one group in parentheses, such as /csrf="([^"]+)"/';
const source = z
  .strictObject({
    json: jsonPath.optional(),
    header: headerName.optional(),
    body: expression()
      .refine((value) => (groupsOf(value) ?? 1) === 1, { error: groupError })
      .optional(),
  })
  .refine((one) => Object.keys(one).length === 1, { error: 'expected one of json, header and body', when: sound });

const SAVED = /\$\{saved\.\w+\}/g;

/** Where a value saved may stand for any part that follows the host, or for the whole. */
function stepUrl() {
  const expected = `expected an address such as https://example.org/\${saved.path}, or \${secret:NAME}`;
  return z.string({ error: expected }).refine((value) => /^\$\{saved\.\w+\}\S*$/.test(value) || isUrl(value.replaceAll(SAVED, '/')), {
    error: expected,
  });
}

function isUrl(value: string): boolean {
  return urlOrSecret().safeParse(value).success;
}

const savedName = z.string().regex(/^[A-Za-z][A-Za-z0-9_]*$/, 'expected a name of letters, digits and _');

/** One of several requests. */
export const step = z.strictObject({
  name: text(120).describe('What the step does, in words: `log in`'),
  url: stepUrl().describe('The address'),
  ...requestShape,
  save: z.record(savedName, source).default({}).describe('Values of the answer for later steps'),
});

export type RequestOptions = z.infer<z.ZodObject<typeof requestShape>>;
export type Step = z.infer<typeof step>;
