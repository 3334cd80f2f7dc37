/** The words before the handshake, in protocols that begin in the clear. */
import { TargetTrouble } from '../deadline.ts';
import type { Link } from '../net/connect.ts';
import { hear } from '../net/hear.ts';
import type { ProbeContext } from '../probe.ts';
import { hiding, quoted } from '../quote.ts';

/** Longer than any greeting with all its extensions. */
const LIMIT_BYTES = 8192;

export const PROTOCOLS = ['smtp', 'imap', 'postgres'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

type Speaker = Pick<ProbeContext, 'monotonic' | 'secrets'>;
type Say = (request: string | Buffer, complete: RegExp) => Promise<string>;

/**
 * Brings the connection to the point where TLS begins. Throws {@link TargetTrouble} `starttls` when the server speaks another
 * protocol or offers no TLS, and whatever breaks the connection.
 */
export async function startTls(protocol: Protocol, link: Link, { monotonic, secrets }: Speaker): Promise<void> {
  const refused = (text: string) => refusal(protocol, link, text, secrets);
  const say: Say = async (request, complete) => {
    if (request.length > 0) link.socket.write(request);
    const ear = hear(link.socket, { enough: (text) => complete.test(text), limitBytes: LIMIT_BYTES, monotonic });
    const heard = await link.during(`no answer in ${WORDS[protocol]}`, ear.ended);
    if (heard !== 'enough') throw refused(ear.text());
    return ear.text();
  };
  await CONVERSATIONS[protocol](say, refused);
}

const WORDS: Readonly<Record<Protocol, string>> = { smtp: 'SMTP', imap: 'IMAP', postgres: "PostgreSQL's protocol" };

type Conversation = (say: Say, refused: (text: string) => TargetTrouble) => Promise<void>;

/** RFC 3207, RFC 9051 section 6.2.1, and PostgreSQL's SSLRequest, which is answered with one byte. */
const CONVERSATIONS: Readonly<Record<Protocol, Conversation>> = {
  async smtp(say, refused) {
    const line = /^\d{3} .*\r?\n/m;
    const greeting = await say('', line);
    if (!greeting.startsWith('220')) throw refused(greeting);
    const offers = await say('EHLO rounds\r\n', line);
    if (!/^250[ -]STARTTLS\s*$/im.test(offers)) throw refused(offers);
    const answer = await say('STARTTLS\r\n', line);
    if (!answer.startsWith('220')) throw refused(answer);
  },
  async imap(say, refused) {
    const greeting = await say('', /^\* .*\r?\n/m);
    if (!greeting.startsWith('* OK')) throw refused(greeting);
    const answer = await say('r1 STARTTLS\r\n', /^r1 .*\r?\n/m);
    if (!/^r1 OK/m.test(answer)) throw refused(answer);
  },
  async postgres(say, refused) {
    const answer = await say(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]), /^./s);
    if (answer !== 'S') throw refused(answer === 'N' ? '' : answer);
  },
};

function refusal(protocol: Protocol, link: Link, text: string, secrets: readonly string[]): TargetTrouble {
  const said =
    text === ''
      ? ''
      : ` and says ${quoted(
          text,
          hiding(() => secrets),
        )}`;
  return new TargetTrouble('starttls', `${link.name} does not offer TLS in ${WORDS[protocol]}${said}`);
}
