/** DNS servers on the loopback, by UDP and TCP as real ones. */
import { createSocket } from 'node:dgram';
import dns2 from 'dns2';

const { Packet } = dns2;

/** A record as dns2 writes it, without what the question says already. */
export type Data = Record<string, unknown>;

/** What a name is answered with, by type; or an error by the name of its code, such as `REFUSED`. */
export type Zone = Record<string, keyof typeof Packet.RCODE | Partial<Record<keyof typeof Packet.TYPE, Data[]>>>;

export interface DnsServer {
  /** `127.0.0.1:53535` */
  address: string;
  port: number;
  close(): Promise<void>;
}

/** Answers from the zone; a name that is not in it does not exist. */
export async function dnsServer(zone: Zone): Promise<DnsServer> {
  const handle: dns2.DnsHandler = (request, send) => send(answerTo(request, zone));
  for (;;) {
    const tcp = dns2.createServer({ tcp: true, handle });
    const { port = 0 } = (await tcp.listen({ tcp: { port: 0, address: '127.0.0.1' } })).tcp ?? {};
    const udp = dns2.createServer({ udp: true, handle });
    const taken = new Promise<false>((resolve) => udp.on('error', () => resolve(false)));
    // Both need one port, and what is free for TCP may be somebody's for UDP.
    if (await Promise.race([udp.listen({ udp: { port, address: '127.0.0.1' } }), taken])) {
      const close = async () => void (await Promise.all([tcp.close(), udp.close()]));
      return { address: `127.0.0.1:${port}`, port, close };
    }
    await tcp.close();
  }
}

function answerTo(request: InstanceType<typeof Packet>, zone: Zone) {
  const answer = Packet.createResponseFromRequest(request);
  const [question] = request.questions;
  const found = zone[question?.name.toLowerCase() ?? ''] ?? 'NXDOMAIN';
  if (typeof found === 'string') {
    answer.header.rcode = Packet.RCODE[found];
    return answer;
  }
  for (const [type, records] of Object.entries(found)) {
    const code = Packet.TYPE[type as keyof typeof Packet.TYPE];
    // An alias is told whatever was asked for.
    if (code !== question?.type && type !== 'CNAME') continue;
    for (const data of records ?? []) {
      answer.answers.push({ name: question?.name, type: code, class: Packet.CLASS.IN, ttl: 60, ...data } as never);
    }
  }
  return answer;
}

export interface Datagrams {
  address: string;
  port: number;
  /** How many came. */
  count(): number;
  close(): Promise<void>;
}

/** Takes datagrams and answers none, or with these bytes. */
export async function datagrams(port = 0, reply?: (question: Buffer) => Buffer | undefined): Promise<Datagrams> {
  const socket = createSocket('udp4');
  let count = 0;
  socket.on('message', (question, from) => {
    count++;
    const answer = reply?.(question);
    if (answer) socket.send(answer, from.port, from.address);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, '127.0.0.1', resolve);
  });
  const bound = socket.address().port;
  return {
    address: `127.0.0.1:${bound}`,
    port: bound,
    count: () => count,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}
