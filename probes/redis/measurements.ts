/** What is kept of the vital signs as numbers. What cannot be read is absent. */
import { type Reading, readable, times } from '../signs.ts';
import { type Info, numberOf } from './info.ts';
import { connectionsRatio, memoryRatio, onlineReplicas, replicationLagBytes, replicationLagMs, unsavedMs } from './signs.ts';
import type { Vitals } from './vitals.ts';

export const MEASUREMENTS = {
  login_ms: 'connecting and logging in',
  ping_p50_ms: 'a PING, the median of five',
  ping_max_ms: 'the slowest of the five',
  write_ms: 'writing the `canary`, reading it back and removing it',
  memory_used_bytes: 'memory used',
  memory_used_ratio: 'memory used, of `maxmemory`; absent without one',
  memory_fragmentation_ratio: 'memory taken from the system, of memory used',
  memory_fragmentation_bytes: 'memory taken from the system and not used',
  connections_count: 'connections taken, those of replicas not counted',
  connections_ratio: 'connections taken, of `maxclients`',
  blocked_clients_count: 'clients that wait in a blocking command',
  evicted_keys_count: 'keys thrown out for want of memory since the server was started',
  evictions_per_s: 'keys thrown out within the window; when `evictions` or `rejections` is set',
  rejected_connections_count: 'connections turned away since the server was started',
  rejections_per_s: 'connections turned away within the window; when `evictions` or `rejections` is set',
  unsaved_s: 'age of the last snapshot that lacks changes; 0 when it lacks none',
  replicas_count: 'replicas that follow',
  replication_lag_s: 'the slowest replica; asked of a replica, since it heard of its primary',
  replication_lag_bytes: 'what the slowest replica has not acknowledged',
  slow_commands_count: 'commands in the slow log that are recent; when `slowCommands` is set',
  commands_per_s: 'commands a second, as the server tells it',
  uptime_s: 'since the server was started',
};

/** All that could be read, by its name in {@link MEASUREMENTS}. */
export function measurementsOf(vitals: Vitals): Record<string, number> {
  return readable([
    ...ofInfo(vitals.info),
    ['ping_p50_ms', { value: vitals.pingMedianMs }],
    ['ping_max_ms', { value: vitals.pingMaxMs }],
    ['evictions_per_s', vitals.evictionsPerS],
    ['rejections_per_s', vitals.rejectionsPerS],
    ['slow_commands_count', vitals.slowCommands],
  ] satisfies [name: keyof typeof MEASUREMENTS, reading: Reading | undefined][]);
}

function ofInfo(info: Info): [name: keyof typeof MEASUREMENTS, reading: Reading][] {
  return [
    ['memory_used_bytes', numberOf(info, 'used_memory')],
    ['memory_used_ratio', memoryRatio(info)],
    ['memory_fragmentation_ratio', numberOf(info, 'mem_fragmentation_ratio')],
    ['memory_fragmentation_bytes', numberOf(info, 'mem_fragmentation_bytes')],
    ['connections_count', numberOf(info, 'connected_clients')],
    ['connections_ratio', connectionsRatio(info)],
    ['blocked_clients_count', numberOf(info, 'blocked_clients')],
    ['evicted_keys_count', numberOf(info, 'evicted_keys')],
    ['rejected_connections_count', numberOf(info, 'rejected_connections')],
    ['unsaved_s', times(unsavedMs(info), 0.001)],
    ['replicas_count', onlineReplicas(info)],
    ['replication_lag_s', times(replicationLagMs(info), 0.001)],
    ['replication_lag_bytes', replicationLagBytes(info)],
    ['commands_per_s', numberOf(info, 'instantaneous_ops_per_sec')],
    ['uptime_s', numberOf(info, 'uptime_in_seconds')],
  ];
}
