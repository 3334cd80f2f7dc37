/** Logging: pino, as lines of JSON for machines and in plain words on a terminal. */
import { type DestinationStream, type Logger, pino } from 'pino';

/** Whatever bears one of these names is never written, at the top of a log line or one level down. */
const SECRET_KEYS = ['password', 'passwd', 'token', 'secret', 'authorization', 'cookie', 'apiKey', 'connectionString', 'databaseUrl'];

export interface LogOptions {
  /** The process, in every line. */
  name: string;
  /** `debug`, `info`, `warn`, `error` or `silent`. */
  level: string;
  terminal: boolean;
}

/** Returns the logger of a process; its lines are written before the call returns, so that none is lost at exit. */
export async function makeLog({ name, level, terminal }: LogOptions): Promise<Logger> {
  const redact = { paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`]), censor: '[hidden]' };
  const options = {
    name,
    level: knownLevel(level),
    redact,
    formatters: { level: (label: string) => ({ level: label }) },
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  return pino(options, terminal ? await prettyStream() : pino.destination({ fd: 1, sync: true }));
}

function knownLevel(level: string): string {
  return level === 'silent' || level in pino.levels.values ? level : 'info';
}

/** Loaded only where a person looks on. */
async function prettyStream(): Promise<DestinationStream> {
  const { default: pretty } = await import('pino-pretty');
  return pretty({ sync: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss' });
}
