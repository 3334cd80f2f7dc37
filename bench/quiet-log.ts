import type { Log } from '../core/process.ts';

/** A log that says nothing: what matters here is thrown. */
export const quietLog: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => quietLog };
