/** Bolt's and the client's own words, in our log: their warnings are details of what we report ourselves. */
import type { Log } from '../core/process.ts';

/** What `@slack/logger` asks of a logger. The level is a string of its enum. */
export interface SlackLogger {
  debug(...words: unknown[]): void;
  info(...words: unknown[]): void;
  warn(...words: unknown[]): void;
  error(...words: unknown[]): void;
  setLevel(): void;
  getLevel(): never;
  setName(): void;
}

/** A logger for Slack's packages. Their debug lines hold whole requests, so they are dropped. */
export function slackLogger(log: Log): SlackLogger {
  const say = (words: unknown[]) =>
    words
      .map((word) => (word instanceof Error ? word.message : String(word)))
      .join(' ')
      .slice(0, 500);
  return {
    debug() {},
    info: (...words) => log.debug({}, say(words)),
    warn: (...words) => log.debug({}, say(words)),
    error: (...words) => log.warn({}, say(words)),
    setLevel() {},
    getLevel: () => 'info' as never,
    setName() {},
  };
}
