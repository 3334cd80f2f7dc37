/** Records as text, in the form that zone files and `dig +short` show, so that what is expected can be copied from there. */
import type { CaaRecord, SoaRecord } from 'node:dns';
import type { Resolver } from 'node:dns/promises';
import { isIPv4, isIPv6 } from 'node:net';
import { isName } from '../net/options.ts';

export interface Answer {
  /** Canonical and sorted. Never trusted to hold anything: resolvers answer with nothing, too. */
  records: string[];
  /** The shortest time to live; only told for addresses. */
  ttlS?: number;
}

interface RecordForm {
  /** What one record looks like, after "expected". */
  words: string;
  fits(text: string): boolean;
  ask(resolver: Resolver, name: string): Promise<Answer>;
}

const plainRecords = (records: string[]): Answer => ({ records });
const namesForm = (ask: (resolver: Resolver, name: string) => Promise<string[]>): RecordForm => ({
  words: 'a host name such as ns1.example.org',
  fits: isName,
  ask: async (resolver, name) => plainRecords(await ask(resolver, name)),
});

/** How each type is asked for and how its records look. */
const FORMS = {
  A: {
    words: 'an IPv4 address such as 192.0.2.10',
    fits: isIPv4,
    ask: async (resolver, name) => addresses(await resolver.resolve4(name, { ttl: true })),
  },
  AAAA: {
    words: 'an IPv6 address such as 2001:db8::10',
    fits: isIPv6,
    ask: async (resolver, name) => addresses(await resolver.resolve6(name, { ttl: true })),
  },
  CAA: {
    words: 'a record such as 0 issue letsencrypt.org',
    fits: (text) => /^\d+ \w+ \S/.test(text),
    ask: async (resolver, name) => plainRecords((await resolver.resolveCaa(name)).map(caaText)),
  },
  CNAME: namesForm((resolver, name) => resolver.resolveCname(name)),
  MX: {
    words: 'a record such as 10 mail.example.org',
    fits: (text) => /^\d+ \S+$/.test(text),
    ask: async (resolver, name) => plainRecords((await resolver.resolveMx(name)).map((mx) => `${mx.priority} ${mx.exchange || '.'}`)),
  },
  NS: namesForm((resolver, name) => resolver.resolveNs(name)),
  PTR: namesForm((resolver, name) => resolver.resolvePtr(name)),
  SOA: {
    words: 'a record such as ns1.example.org hostmaster.example.org 2026010101 7200 3600 1209600 3600',
    fits: (text) => /^\S+ \S+( \d+){5}$/.test(text),
    ask: async (resolver, name) => plainRecords([soaText(await resolver.resolveSoa(name))]),
  },
  SRV: {
    words: 'a record such as 10 5 5060 sip.example.org',
    fits: (text) => /^\d+ \d+ \d+ \S+$/.test(text),
    ask: async (resolver, name) =>
      plainRecords((await resolver.resolveSrv(name)).map((srv) => `${srv.priority} ${srv.weight} ${srv.port} ${srv.name}`)),
  },
  TXT: {
    words: 'a text',
    fits: () => true,
    ask: async (resolver, name) => plainRecords((await resolver.resolveTxt(name)).map((parts) => parts.join(''))),
  },
} as const satisfies Record<string, RecordForm>;

export type RecordType = keyof typeof FORMS;
export const RECORD_TYPES = Object.keys(FORMS) as RecordType[];

/** What a record of the type looks like when `text` does not; `undefined` when it fits. */
export function misfit(type: RecordType, text: string): string | undefined {
  return FORMS[type].fits(canonical(type, text)) ? undefined : FORMS[type].words;
}

/** Asks for the records of a name. Throws the resolver's error. */
export async function ask(resolver: Resolver, type: RecordType, name: string): Promise<Answer> {
  const answer = await FORMS[type].ask(resolver, type === 'PTR' ? reverseName(name) : name);
  return { ...answer, records: answer.records.map((record) => canonical(type, record)).sort() };
}

/** A record so that two that mean the same are the same: names in small letters without their last dot, addresses shortened. */
export function canonical(type: RecordType, record: string): string {
  if (type === 'TXT') return record;
  const parts = record.trim().split(/\s+/);
  // What a certificate authority is called is quoted in zone files.
  if (type === 'CAA') return parts.join(' ').replaceAll('"', '');
  if (type === 'AAAA' && isIPv6(record.trim())) return new URL(`http://[${record.trim()}]/`).hostname.slice(1, -1);
  return parts.map((part) => part.toLowerCase().replace(/(?<=.)\.$/, '')).join(' ');
}

/** Under which name an address is looked up: `10.2.0.192.in-addr.arpa`. Names are returned as they are. */
export function reverseName(address: string): string {
  if (isIPv4(address)) return `${address.split('.').reverse().join('.')}.in-addr.arpa`;
  if (!isIPv6(address)) return address;
  const [head = '', tail] = canonical('AAAA', address).split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':'));
  const [front, back] = [groups(head), groups(tail ?? '')];
  const all = [...front, ...Array<string>(8 - front.length - back.length).fill('0'), ...back];
  const digits = all.map((group) => group.padStart(4, '0')).join('');
  return `${[...digits].reverse().join('.')}.ip6.arpa`;
}

function addresses(found: { address: string; ttl: number }[]): Answer {
  const records = found.map(({ address }) => address);
  return found.length === 0 ? { records } : { records, ttlS: Math.min(...found.map(({ ttl }) => ttl)) };
}

function soaText(soa: SoaRecord): string {
  return [soa.nsname, soa.hostmaster, soa.serial, soa.refresh, soa.retry, soa.expire, soa.minttl].join(' ');
}

const CAA_TAGS = ['issue', 'issuewild', 'iodef', 'contactemail', 'contactphone'] as const;

function caaText(caa: CaaRecord): string {
  const tag = CAA_TAGS.find((one) => caa[one] !== undefined);
  return `${caa.critical} ${tag ?? 'unknown'} ${tag === undefined ? '' : caa[tag]}`;
}
