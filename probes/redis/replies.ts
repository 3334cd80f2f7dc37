/** What a Redis says when it refuses, as failure kinds. Its own words may quote keys and are never passed on. */
import { TargetTrouble } from '../deadline.ts';

/** By how the answer begins. Sorted so that the first that fits is the right one. */
const REPLIES: readonly [begins: RegExp, kind: string, words: string][] = [
  [/^NOAUTH/, 'authentication', 'wants a user and a password'],
  [/^(WRONGPASS|ERR invalid password)/, 'authentication', 'refuses the user or the password'],
  [/^ERR AUTH .*without any password/, 'authentication', 'wants no password: it lets everybody in'],
  [/^DENIED/, 'authentication', 'is in protected mode: it takes connections of its own machine only'],
  [/^LOADING/, 'not-accepting', 'is starting up: it is loading its data'],
  [/^MASTERDOWN/, 'replication-broken', 'has lost its primary and answers nothing until it is back'],
  [/^READONLY/, 'readonly', 'is a replica and takes no writes'],
  [/^MISCONF.*AOF/, 'misconf', 'refuses writes: it cannot write its append-only file'],
  [/^MISCONF/, 'misconf', 'refuses writes: it could not store its last snapshot'],
  [/^OOM/, 'oom', 'refuses writes: its memory is full'],
  [/^NOREPLICAS/, 'too-few-replicas', 'refuses writes: too few of its replicas keep up'],
  [
    /^(CLUSTERDOWN|MOVED|ASK|TRYAGAIN)/,
    'cluster',
    'does not serve the key of `canary`: its cluster is not complete, or the key is of another node',
  ],
  [/^BUSY /, 'busy', 'answers nobody: a script runs for too long'],
  [/^ERR max number of clients/, 'connections', 'has no connection left'],
  [/^ERR DB index is out of range/, 'no-database', 'has no database of that number'],
  [/^ERR SELECT is not allowed in cluster mode/, 'no-database', 'is a cluster, which has database 0 only'],
];

/** A refusal as trouble of the target `host`. `command` is what was asked, such as `INFO`. */
export function replyTrouble(reply: string, command: string, host: string): TargetTrouble {
  const known = REPLIES.find(([begins]) => begins.test(reply));
  if (known) return new TargetTrouble(known[1], `${host} ${known[2]}`);
  if (/^NOPERM.*\bkeys?\b/.test(reply))
    return new TargetTrouble('permission', `${host} does not let this user touch the key of \`canary\``);
  if (/^NOPERM/.test(reply))
    return new TargetTrouble('permission', `${host} does not let this user run ${command} (${rule(command)} is missing)`);
  if (/^ERR unknown (sub)?command/.test(reply))
    return new TargetTrouble('permission', `${host} knows no ${command}: renamed, disabled, or too old`);
  return new TargetTrouble('command', `${host} answered ${command} with the error ${/^[A-Z]+/.exec(reply)?.[0] ?? 'ERR'}`);
}

/** As it stands in an ACL: `+info`, `+slowlog|get`. */
function rule(command: string): string {
  return `+${command.toLowerCase().replace(' ', '|')}`;
}
