/** What stands under `changedBy`: by which names the sources of changes call what changes a service, a component or a tenant. */
import * as z from 'zod';

/** The sources whose names may be told apart by a prefix. */
export const NAME_PREFIXES = ['github', 'gitlab', 'argocd', 'flux'] as const;
export type NamePrefix = (typeof NAME_PREFIXES)[number];

const NAME = `[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*`;
/** Names of environments may hold spaces and strokes: `Production EU`, `review/new-form`. */
const ENVIRONMENT = String.raw`[^\s@](?:[^@]{0,98}[^\s@])?`;
const FORM = new RegExp(`^(?:(?:(?:${NAME_PREFIXES.join('|')}):)?${NAME}(?:@${ENVIRONMENT})?|environment:${ENVIRONMENT})$`);
const EXPECTED = 'expected a name such as acme/billing, argocd:billing-prod, acme/billing@production or environment:production';

/** One entry, taken apart. Without a name it means every change of that environment. */
export interface ChangeName {
  prefix?: NamePrefix;
  name?: string;
  environment?: string;
}

/** The schema of one entry. */
export function changeNameSchema() {
  return z
    .string({ error: EXPECTED })
    .max(200, { error: EXPECTED })
    .regex(FORM, { error: EXPECTED })
    .meta({ patternErrorMessage: EXPECTED, examples: ['acme/billing'] });
}

/** Takes an entry of the configuration apart. */
export function readChangeName(entry: string): ChangeName {
  if (entry.startsWith('environment:')) return { environment: entry.slice('environment:'.length) };
  const [, prefix, name = '', environment] = /^(?:([a-z]+):)?([^@]+)(?:@(.*))?$/s.exec(entry) ?? [];
  return {
    ...(prefix === undefined ? {} : { prefix: prefix as NamePrefix }),
    name,
    ...(environment === undefined ? {} : { environment }),
  };
}
