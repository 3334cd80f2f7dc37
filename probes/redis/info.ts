/** What `INFO` tells: lines of `field:value`. A value that is absent or no number is told as such and never taken for zero. */
import type { Reading } from '../signs.ts';

export type Info = ReadonlyMap<string, string>;

/** A replica as its primary sees it. */
export interface Replica {
  /** `online` once it has the whole data; before that `wait_bgsave` or `send_bulk`. */
  state: string;
  /** How much of the replication stream it has acknowledged, in bytes. */
  offset: number;
  /** Since its last acknowledgement, which comes every second. */
  lagS: number;
}

/** Reads the answer to `INFO`. */
export function parseInfo(answer: string): Info {
  const fields = answer.split(/\r?\n/).flatMap((line) => {
    const colon = line.indexOf(':');
    return colon > 0 && !line.startsWith('#') ? [[line.slice(0, colon), line.slice(colon + 1).trim()] as const] : [];
  });
  return new Map(fields);
}

/** The field as a number. */
export function numberOf(info: Info, field: string): Reading {
  const text = info.get(field);
  if (text === undefined) return { unreadable: `INFO tells no ${field}` };
  return /^-?\d+(\.\d+)?$/.test(text) ? { value: Number(text) } : { unreadable: `INFO tells no number in ${field}` };
}

/** The replicas that a server tells of; `undefined` when a line is not as it should be. */
export function replicasOf(info: Info): Replica[] | undefined {
  const lines = [...info].filter(([field]) => /^slave\d+$/.test(field)).map(([, value]) => value);
  const replicas = lines.map((line) => {
    const parts = new Map(line.split(',').map((part) => part.split('=', 2) as [string, string]));
    return { state: parts.get('state') ?? '', offset: wholeOf(parts.get('offset')), lagS: wholeOf(parts.get('lag')) };
  });
  return replicas.every(({ state, offset, lagS }) => state !== '' && offset >= 0 && lagS >= 0) ? replicas : undefined;
}

function wholeOf(text: string | undefined): number {
  return /^\d+$/.test(text ?? '') ? Number(text) : Number.NaN;
}
