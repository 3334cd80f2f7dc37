/** The load that each tenant puts on what all share, against its own usual level. */

export const LOAD_MEASURES = [
  'statement-time',
  'blocks-read',
  'temp-bytes',
  'locks-held',
  'connections',
  'rows-grown',
  'bytes-grown',
  'jobs-queued',
] as const;
export type LoadMeasure = (typeof LOAD_MEASURES)[number];

/** A tenant that puts far more load on a component than it usually does. */
export interface NoisyTenant {
  tenant: string;
  component: string;
  measure: LoadMeasure;
  /** A second; of locks, connections and jobs: at that moment. */
  value: number;
  /** What it keeps below most of the time: the median while little is known of it, four fifths of a longer history. */
  usual: number;
  /** Of what all tenants together put on it, 0 to 1. */
  share: number;
  sinceMs: number;
  /** Sessions of others that wait for its locks, where that was seen. */
  blocks?: number;
  /** Said to people: "Hillcrest Dental: 41 s of statements a second of 44, usually 2". */
  text: string;
}
