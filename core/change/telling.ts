/** What one delivery tells of a change, before it is held against the configuration. */
import type * as z from 'zod';
import type { ChangeKind, ChangeOutcome } from '../change.ts';
import { Problems } from '../config/problems.ts';
import { read as readValue } from '../config/reader.ts';
import { eachScalar, isWrittenSecret } from '../config/secrets.ts';
import type { Named } from './touches.ts';

/** As it came: texts are not cleaned, times not read. */
export interface Telling {
  source: 'github' | 'gitlab' | 'argo-cd' | 'flux' | 'cli' | 'api';
  kind: ChangeKind;
  title: string;
  outcome: ChangeOutcome;
  /** When it began, or happened. */
  at?: string | null | undefined;
  /** When it was done or failed. */
  ended?: string | null | undefined;
  by?: string | null | undefined;
  url?: string | null | undefined;
  version?: string | null | undefined;
  named: Named;
  /** Without the source. */
  key: string;
  repeats?: true;
  onlyEnds?: true;
}

/** A delivery that was understood and is no change, with the reason in a sentence. */
export interface Nothing {
  nothing: string;
}

/** What a reader of one source makes of a body, in most cases one; `undefined` when it is not of its shape, which is then reported. */
export type Told = readonly Telling[] | Telling | Nothing | undefined;

/** Collects what is wrong with a body; places in JSON have no lines. */
export function bodyProblems(): Problems {
  const nowhere = () => ({ line: 1, column: 1 });
  return new Problems({ valueAt: nowhere, keyAt: nowhere });
}

/** The body as the schema reads it; what does not fit is reported. */
export function readBody<S extends z.ZodType>(schema: S, body: unknown, problems: Problems): z.output<S> | undefined {
  const read = readValue(schema, body, { path: [], problems });
  if (read === undefined && !problems.any) {
    // Of what looks like a secret the reader says nothing: of a file it is said elsewhere.
    eachScalar(body, [], (path, key, value) => {
      if (isWrittenSecret(key, value)) problems.atValue(path, 'expected no password or key; leave it out');
    });
  }
  return read;
}
