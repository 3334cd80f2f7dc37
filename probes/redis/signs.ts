/** The signs that have limits: what is read for each, and how it is said. */
import { counted, percentInWords, shortNumber, sizeInWords } from '../../core/quantity.ts';
import { both, type Limits, type Reading, type Sign } from '../signs.ts';
import { limitInWords } from '../words.ts';
import { type Info, numberOf, replicasOf } from './info.ts';
import { serverTimeS, type Vitals } from './vitals.ts';

/** Ratios, bytes, milliseconds and counts, as the schema hands them out. */
export interface Thresholds {
  memory?: Limits | undefined;
  memoryUsed?: Limits | undefined;
  fragmentation?: (Limits & { above: number }) | undefined;
  evictions?: Limits | undefined;
  rejections?: Limits | undefined;
  connections?: Limits | undefined;
  blockedClients?: Limits | undefined;
  lastSave?: Limits | undefined;
  replicas?: Limits | undefined;
  replicationLag?: Limits | undefined;
  replicationLagBytes?: Limits | undefined;
  latency?: Limits | undefined;
  latencyMax?: Limits | undefined;
  slowCommands?: Limits | undefined;
}

type RedisSign = Sign & { option: keyof Thresholds };

const NOT_ASKED: Reading = { unreadable: 'it was not read' };

/** Every sign, the most urgent first. */
export function signsOf(vitals: Vitals, thresholds: Thresholds): RedisSign[] {
  return [...memorySigns(vitals, thresholds), ...clientSigns(vitals), ...dataSigns(vitals.info), ...paceSigns(vitals)];
}

function memorySigns({ info, evictionsPerS = NOT_ASKED }: Vitals, { fragmentation }: Thresholds): RedisSign[] {
  return [
    {
      kind: 'memory',
      option: 'memory',
      reading: memoryRatio(info),
      show: percentInWords,
      words: (value, limit) => `${value} of its memory is used, limit ${limit}`,
    },
    {
      kind: 'memory',
      option: 'memoryUsed',
      reading: numberOf(info, 'used_memory'),
      show: sizeInWords,
      words: (value, limit) => `${value} of memory are used, limit ${limit}`,
    },
    {
      kind: 'evictions',
      option: 'evictions',
      reading: evictionsPerS,
      show: shortNumber,
      words: (value, limit) => `its memory is full: ${counted(value, 'key is', 'keys are')} thrown out each second, limit ${limit}`,
    },
    {
      kind: 'fragmentation',
      option: 'fragmentation',
      reading: fragmentationRatio(info, fragmentation?.above ?? 0),
      show: shortNumber,
      words: (value, limit) => `it takes ${value} times the memory that its data needs, limit ${limit}`,
    },
  ];
}

/** Of `maxmemory`. Without one there is nothing to be a part of, so it cannot be judged. */
export function memoryRatio(info: Info): Reading {
  return both(numberOf(info, 'used_memory'), numberOf(info, 'maxmemory'), (used, most) =>
    most > 0 ? used / most : 'the server has no maxmemory (set one, or limit memoryUsed instead)',
  );
}

/** A server of a few MB always looks fragmented, so what is lost in bytes must be worth a word: then the ratio, else 1. */
function fragmentationRatio(info: Info, aboveBytes: number): Reading {
  return both(numberOf(info, 'mem_fragmentation_ratio'), numberOf(info, 'mem_fragmentation_bytes'), (ratio, bytes) =>
    bytes > aboveBytes ? ratio : Math.min(ratio, 1),
  );
}

function clientSigns({ info, rejectionsPerS = NOT_ASKED }: Vitals): RedisSign[] {
  return [
    {
      kind: 'connections',
      option: 'connections',
      reading: connectionsRatio(info),
      show: percentInWords,
      words: (value, limit) => `${value} of its connections are taken, limit ${limit}`,
    },
    {
      kind: 'rejections',
      option: 'rejections',
      reading: rejectionsPerS,
      show: shortNumber,
      words: (value, limit) => `${counted(value, 'connection is', 'connections are')} turned away each second, limit ${limit}`,
    },
    {
      kind: 'blocked-clients',
      option: 'blockedClients',
      reading: numberOf(info, 'blocked_clients'),
      show: shortNumber,
      words: (value, limit) => `${counted(value, 'client waits', 'clients wait')} in a blocking command, limit ${limit}`,
    },
  ];
}

/** Of `maxclients`. */
export function connectionsRatio(info: Info): Reading {
  return both(numberOf(info, 'connected_clients'), numberOf(info, 'maxclients'), (connected, most) =>
    most > 0 ? connected / most : 'the server tells no maxclients',
  );
}

function dataSigns(info: Info): RedisSign[] {
  return [
    {
      kind: 'persistence',
      option: 'lastSave',
      reading: unsavedMs(info),
      show: limitInWords,
      words: (value, limit) => `the last snapshot is ${value} old and lacks changes, limit ${limit}`,
    },
    {
      kind: 'too-few-replicas',
      option: 'replicas',
      reading: onlineReplicas(info),
      below: true,
      show: shortNumber,
      words: (value, limit) => `${counted(value, 'replica is', 'replicas are')} connected, expected at least ${limit}`,
    },
    {
      kind: 'replication-lag',
      option: 'replicationLag',
      reading: replicationLagMs(info),
      show: limitInWords,
      words: (value, limit) => `${lagging(info)} ${value} behind, limit ${limit}`,
    },
    {
      kind: 'replication-lag',
      option: 'replicationLagBytes',
      reading: replicationLagBytes(info),
      show: sizeInWords,
      words: (value, limit) => `a replica is ${value} behind, limit ${limit}`,
    },
  ];
}

function lagging(info: Info): string {
  return info.get('role') === 'slave' ? 'the replica has heard nothing of its primary and is' : 'a replica is';
}

/** How old the snapshot is that lacks changes, in ms; 0 when it lacks none. */
export function unsavedMs(info: Info): Reading {
  const ageMs = both(serverTimeS(info), numberOf(info, 'rdb_last_save_time'), (nowS, savedS) => Math.max(0, nowS - savedS) * 1000);
  return both(ageMs, numberOf(info, 'rdb_changes_since_last_save'), (age, changes) => (changes > 0 ? age : 0));
}

/** Replicas that have the whole data and follow. */
export function onlineReplicas(info: Info): Reading {
  const replicas = replicasOf(info);
  if (!info.has('connected_slaves') || !replicas) return { unreadable: 'INFO tells nothing of replicas' };
  return { value: replicas.filter(({ state }) => state === 'online').length };
}

/** Asked of a primary: its slowest replica. Of a replica: since it heard of its primary. */
export function replicationLagMs(info: Info): Reading {
  if (info.get('role') !== 'slave') return slowestReplica(info, ({ lagS }) => lagS * 1000);
  const silentS = numberOf(info, 'master_last_io_seconds_ago');
  return both(silentS, silentS, (seconds) => (seconds >= 0 ? seconds * 1000 : 'the replica hears nothing of its primary'));
}

/** Asked of a primary: how much of its stream its slowest replica has not acknowledged. */
export function replicationLagBytes(info: Info): Reading {
  if (info.get('role') === 'slave') return { unreadable: 'a replica does not know what it lacks: ask its primary' };
  const offset = numberOf(info, 'master_repl_offset');
  if ('unreadable' in offset) return offset;
  return slowestReplica(info, (replica) => Math.max(0, offset.value - replica.offset));
}

function slowestReplica(info: Info, lag: (replica: { lagS: number; offset: number }) => number): Reading {
  const replicas = replicasOf(info)?.filter(({ state }) => state === 'online');
  if (!replicas) return { unreadable: 'INFO tells nothing of replicas' };
  return replicas.length > 0 ? { value: Math.max(...replicas.map(lag)) } : { unreadable: 'no replica follows' };
}

function paceSigns({ pingMedianMs, pingMaxMs, slowCommands = NOT_ASKED }: Vitals): RedisSign[] {
  return [
    {
      kind: 'latency',
      option: 'latency',
      reading: { value: pingMedianMs },
      show: limitInWords,
      words: (value, limit) => `a PING takes ${value} (median), limit ${limit}`,
    },
    {
      kind: 'latency',
      option: 'latencyMax',
      reading: { value: pingMaxMs },
      show: limitInWords,
      words: (value, limit) => `a PING took ${value}, limit ${limit}`,
    },
    {
      kind: 'slow-commands',
      option: 'slowCommands',
      reading: slowCommands,
      show: shortNumber,
      words: (value, limit) => `${counted(value, 'slow command', 'slow commands')} ran lately, limit ${limit}`,
    },
  ];
}
