/** Asking for a run, by a command or by a form: which checks are meant, the row that makes it happen once, and what is said at once. */
import type { Check } from '../core/check.ts';
import type { Config, Person } from '../core/config/model.ts';
import { spanInWords } from '../core/duration.ts';
import { insertAsk } from '../store/ask.ts';
import { audit } from '../store/audit.ts';
import type { Db } from '../store/db.ts';
import { data, type Message, sentence } from './render/blocks.ts';

export interface RunAsk {
  /** Two asks with one key are one. */
  key: string;
  checks: readonly Check[];
  /** Those of the check unless some are given. */
  locations?: readonly string[];
  person: Person | undefined;
  /** See bot/send/answer.ts. */
  answerTo: Record<string, unknown>;
}

/** Writes down that the runs are wanted. Returns whether this call did it: the same may have been asked for already. */
export async function askRun(db: Db, ask: RunAsk): Promise<boolean> {
  const { checks, key, answerTo, person } = ask;
  const targets = checks.map((check) => ({ check: check.id, locations: locationsOf(check, ask.locations) }));
  const id = await insertAsk(db, { purpose: 'manual', key, targets, answerTo });
  if (id === undefined) return false;
  const details = { ask: id, checks: checks.slice(0, 50).map((check) => check.id), ...(ask.locations ? { locations: ask.locations } : {}) };
  const subject = checks[0]?.template ?? '';
  await audit(db, { actor: person?.id ?? '', verb: 'run', subject, outcome: 'done', reason: 'allowed', data: details });
  return true;
}

/** The check's own locations, or those of them that were chosen. */
function locationsOf(check: Check, chosen: readonly string[] | undefined): string[] {
  return chosen ? check.locations.filter((location) => chosen.includes(location)) : check.locations;
}

/** "Running Post an invoice for 3 clinics from 3 locations; the answer comes here within 20 s." */
export function runStarted(config: Config, checks: readonly Check[], chosen?: readonly string[]): Message {
  const title = data(checks[0]?.title ?? '');
  const tenants = checks.flatMap((check) => (check.tenant ? [config.tenants[check.tenant]?.title ?? check.tenant] : []));
  const whom = tenants.length === 0 ? '' : tenants.length === 1 ? ` for ${data(tenants[0] ?? '')}` : ` for ${tenants.length} clinics`;
  const locations = new Set(checks.flatMap((check) => locationsOf(check, chosen))).size;
  const withinMs = Math.max(...checks.map((check) => check.timeoutMs * (1 + check.retries)));
  const from = `${locations} ${locations === 1 ? 'location' : 'locations'}`;
  return sentence(
    `Running *${title}*${whom} from ${from}; the answer comes here within ${spanInWords(Math.ceil(withinMs / 10_000) * 10_000)}.`,
  );
}
