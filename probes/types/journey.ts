import * as z from 'zod';
import { text, urlOrSecret } from '../../core/config/units.ts';
import { loadJourney } from '../journey/load.ts';
import { runJourney } from '../journey/run.ts';
import { AgentFault, defineProbe, type Outcome, type ProbeContext } from '../probe.ts';

const schema = z.strictObject({
  file: text(300).describe('The journey’s file, from the folder of `rounds.yaml`'),
  baseUrl: urlOrSecret().describe('Where it begins; handed to the journey as `baseUrl`'),
  account: z
    .strictObject({ user: text(200).describe('Its name'), password: text(500).describe('Its password, as a secret') })
    .optional()
    .describe('A monitoring account, `{ user, password }`'),
  with: z
    .record(z.string().regex(/^[A-Za-z][A-Za-z0-9_]*$/), text(4000))
    .default({})
    .describe('Further values for the journey, as texts'),
  mask: z.array(text(300)).max(50).default([]).describe('Selectors that are covered in pictures, besides every field and `[data-private]`'),
  viewport: z
    .strictObject({
      width: z.int().min(320).max(1280).describe('In pixels, from 320 to 1280'),
      height: z.int().min(240).max(1600).describe('In pixels, from 240 to 1600'),
    })
    .default({ width: 1280, height: 800 })
    .describe('Size of the window; 1280 by 800 unless said'),
});
type Params = z.infer<typeof schema>;

export default defineProbe({
  type: 'journey',
  summary: 'Does in a real browser what a user does, in named steps.',
  schema,
  failures: [
    { kind: 'timeout', means: 'a step or the journey took longer than allowed, or something did not appear' },
    { kind: 'assertion', means: 'the page is not what the journey expects' },
    { kind: 'connection-refused', means: 'nothing listens at the address' },
    { kind: 'connection-reset', means: 'the server closed the connection before the page was there' },
    { kind: 'unreachable', means: 'there is no route to the host' },
    { kind: 'dns', means: 'the name cannot be resolved' },
    { kind: 'tls', means: 'the handshake failed, or the certificate is not valid' },
    { kind: 'protocol', means: 'the answer is not HTTP' },
    { kind: 'redirect', means: 'the pages redirect in a circle' },
    { kind: 'navigation', means: 'a page could not be opened for another reason' },
    { kind: 'page-error', means: 'a script of the page failed under the journey' },
    { kind: 'journey-error', means: 'the journey’s own code is wrong or cannot be loaded: a fault' },
    { kind: 'no-browser', means: 'the agent has no browser: a fault' },
    { kind: 'browser-crashed', means: 'the agent’s browser crashed: a fault' },
  ],
  measurements: {},
  examples: [
    `post-invoice:
  title: Post an invoice
  service: billing
  critical: true
  forEach: tenants
  every: 60s
  timeout: 20s
  locations: [north, south, cloud]
  journey:
    file: journeys/post-invoice.ts
    baseUrl: \${tenant.url}
    account: { user: rounds-monitor, password: '\${secret:MONITOR_PASSWORD}' }
    mask: ['.patient-name']
  degraded: { above: 4s }`,
  ],
  browser: true,
  run,
});

async function run(params: Params, context: ProbeContext): Promise<Outcome> {
  if (!context.browser) throw new AgentFault('no-browser', 'This agent has no browser, so it runs no journeys.');
  const journey = await loadJourney(params.file, context.filesFolder);
  return await context.browser.withContext((browser) => runJourney(journey, params, browser, context), context.signal);
}
