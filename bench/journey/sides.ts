/** What the two sides of the comparison have in common, and how they are told what to do. */
export type SideName = 'ours' | 'bare';

/** From the benchmark: told once, before the first turn. The password travels here, so that it stands in no argument list. */
export interface Begin {
  type: 'begin';
  side: SideName;
  baseUrl: string;
  user: string;
  password: string;
}

/** From the benchmark: so many journeys, one after the other. */
export interface Turn {
  type: 'turn';
  journeys: number;
}

/** From a side: a turn is over; the time of each journey, from before its context was opened until after it was closed. */
export interface TurnDone {
  type: 'done';
  wallMs: number[];
}

/** One journey that must succeed. */
export interface Side {
  run(): Promise<void>;
  browserVersion?: string;
  close(): Promise<void>;
}

/** The journey of the sample clinic that both sides do. */
export const JOURNEY_FILE = 'journeys/post-invoice.ts';
export const VIEWPORT = { width: 1280, height: 800 };
