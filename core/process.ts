/**
 * What every process of Rounds has in common: what it is handed, and what it hands back.
 * A `main.ts` is the only place that reads the environment; it is handed in here by `cli/`.
 */

/** The part of a pino logger that Rounds uses. Structured fields first, then one short sentence. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: Record<string, unknown>): Log;
}

/** What a process is started with. */
export interface ProcessContext {
  /** The environment, read once by `cli/main.ts`. */
  env: Readonly<Record<string, string | undefined>>;
  log: Log;
  /** Options of the command line, by their long name in camelCase. */
  options: Readonly<Record<string, string | undefined>>;
}

/** A process that runs. */
export interface Started {
  /** Resolves to `undefined` when the process can do its work, else to one sentence saying why not. Must settle within 2 s. */
  ready(): Promise<string | undefined>;
  /** Reads its configuration again, where it has a file of its own. Never ends the process: what cannot be taken over is logged. */
  reload?(): Promise<void>;
  /** Answers on its own port what is asked beside health and metrics; 404 where there is nothing. */
  handle?(request: Request): Promise<Response>;
  /** Finishes or hands back the work in hand, then closes everything. Called once. */
  stop(): Promise<void>;
}

/** Starts one kind of process. Throws with one clear sentence when it cannot. */
export type Start = (context: ProcessContext) => Promise<Started>;
