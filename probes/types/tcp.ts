import * as z from 'zod';
import { sizeBytes } from '../../core/config/units.ts';
import { attempt } from '../attempt.ts';
import { TargetTrouble } from '../deadline.ts';
import { type Link, withLink } from '../net/connect.ts';
import { type Ear, hear } from '../net/hear.ts';
import { family, fitsFamily, host, OTHER_FAMILY, port } from '../net/options.ts';
import { holds, textOrPattern } from '../pattern.ts';
import { defineProbe, type Outcome, type ProbeContext } from '../probe.ts';
import { expectedInWords, hiding, quoted } from '../quote.ts';

/** A banner is a line or two; what asks for more is no greeting. */
const MAX_READ_BYTES = 16_384;

const schema = z
  .strictObject({
    host: host().describe('The host, by name or address'),
    port: port().describe('The port'),
    family: family(),
    // A line break alone is worth sending, so this is no text() of the configuration.
    send: z
      .string({ error: 'expected a text' })
      .min(1, { error: 'expected a text that is not empty' })
      .max(4000, { error: 'expected a text of at most 4000 characters' })
      .optional()
      .describe('What is sent once connected, such as "PING\\r\\n"; wants `expect`'),
    expect: textOrPattern(500, '/^220 /')
      .optional()
      .describe(
        'What the server must say: a text that its answer contains, or a regular expression between slashes such as /^220 /. Without it, a connection is enough',
      ),
    readLimit: sizeBytes()
      .refine((bytes) => bytes <= MAX_READ_BYTES, { error: 'expected a size of at most 16KiB' })
      .default(4096)
      .describe('How much of the answer is read; 4KiB unless said, at most 16KiB'),
  })
  .refine(({ send, expect }) => send === undefined || expect !== undefined, {
    path: ['expect'],
    error: 'expected what the server must answer, since to send alone proves nothing',
  })
  .refine((params) => fitsFamily(params.host, params.family), { path: ['host'], error: OTHER_FAMILY });
type Params = z.infer<typeof schema>;

export default defineProbe({
  type: 'tcp',
  summary: 'Opens a TCP connection, and looks at what the server says where that is wanted.',
  schema,
  failures: [
    { kind: 'timeout', means: 'no connection or no answer in time' },
    { kind: 'connection-refused', means: 'nothing listens at the address' },
    { kind: 'connection-reset', means: 'the server closed the connection without an answer, or broke it off' },
    { kind: 'unreachable', means: 'there is no route to the host' },
    { kind: 'dns', means: 'the name cannot be resolved, or has no address of the `family`' },
    { kind: 'assertion', means: 'the server said something, but not what `expect` asks for' },
  ],
  measurements: {
    dns_ms: 'looking up the name; absent for a bare address',
    connect_ms: 'opening the connection',
    first_byte_ms: 'from there (or from the end of `send`) to the first byte of the answer; absent without `expect`',
  },
  examples: [
    `dicom-port:
  title: The picture archive accepts connections
  component: picture-archive
  every: 30s
  locations: [north, south]
  tcp: { host: pacs.riverside.example, port: 104 }`,
    `mail-relay:
  title: The mail relay greets
  component: mail-relay
  every: 60s
  locations: [north]
  tcp:
    host: mail.riverside.example
    port: 25
    expect: /^220 .*ESMTP/`,
    `session-cache:
  title: The session cache answers
  component: session-cache
  every: 30s
  locations: [north]
  tcp:
    host: cache.riverside.example
    port: 6379
    send: "AUTH \${secret:CACHE_PASSWORD}\\r\\nPING\\r\\n"
    expect: "+PONG"`,
  ],
  run,
});

function run(params: Params, context: ProbeContext): Promise<Outcome> {
  return attempt(context, async (measurements) => {
    await withLink(params, context, measurements, (link) => converse(link, params, context, measurements));
    return { verdict: 'up' };
  });
}

async function converse(link: Link, { send, expect, readLimit }: Params, context: ProbeContext, measurements: Record<string, number>) {
  if (expect === undefined) return;
  const { monotonic, secrets } = context;
  if (send !== undefined) await link.during('the server did not take what was sent', written(link, send));
  const askedMs = monotonic();
  const ear = hear(link.socket, { enough: (said) => holds(said, expect), limitBytes: readLimit, monotonic });
  const heard = await link.during('no answer', ear.ended).catch((error: unknown) => silenceOf(error, ear));
  const firstByteMs = ear.firstByteMs();
  if (firstByteMs !== undefined) measurements.first_byte_ms = firstByteMs - askedMs;
  if (heard === 'enough') return;
  if (firstByteMs === undefined) throw new TargetTrouble('connection-reset', `${link.name} closed the connection without a word`);
  const hide = hiding(() => secrets);
  throw new TargetTrouble('assertion', `${link.name} answered ${quoted(ear.text(), hide)}, expected ${expectedInWords(expect, hide)}`);
}

function written(link: Link, send: string): Promise<void> {
  return new Promise((resolve, reject) => link.socket.write(send, (error) => (error ? reject(error) : resolve())));
}

/** Time that ran out on a server that said something else is no silence. */
function silenceOf(error: unknown, ear: Ear): 'late' {
  if (error instanceof TargetTrouble && error.kind === 'timeout' && ear.text() !== '') return 'late';
  throw error;
}
