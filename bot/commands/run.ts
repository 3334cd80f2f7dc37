import type { Check } from '../../core/check.ts';
import type { Config } from '../../core/config/model.ts';
import { spanInWords } from '../../core/duration.ts';
import { listInWords } from '../../core/words.ts';
import { insertAsk } from '../../store/ask.ts';
import { audit } from '../../store/audit.ts';
import { inTransaction } from '../../store/db.ts';
import type { CommandContext, CommandVerb } from '../contract.ts';
import { nearest } from '../names.ts';
import { data, type Message, sentence } from '../render/blocks.ts';
import { notKnown } from '../render/refusal.ts';

/** The same check asked for again by the same person within this is the same ask. */
const SAME_ASK_MS = 5_000;

const run: CommandVerb = {
  verb: 'run',
  arguments: 'CHECK',
  summary: 'Runs a check now, from all its locations, and tells you how it went.',
  example: '/rounds run post-invoice',
  changes: true,

  run: async (context) => {
    const { config, words } = context;
    const asked = words.join(' ');
    if (!asked) return sentence(`Which check? ${examples(config)}`);
    const checks = findChecks(config, asked);
    if (checks.length === 0) return notKnown('check', asked, nearestCheck(config, asked), (name) => `/rounds run ${name}`);
    return (await write(context, checks)) ? started(config, checks) : sentence('That runs already; its answer comes here.');
  },
};

function examples(config: Config): string {
  const templates = [...new Set(Object.values(config.checks).map((check) => check.template))];
  return templates.length === 0 ? 'None are configured.' : `There are ${listInWords(templates, 12)}: \`/rounds run ${templates[0]}\``;
}

/** By id, by template (then for all tenants), or by title. */
function findChecks(config: Config, asked: string): Check[] {
  const lower = asked.toLowerCase();
  const all = Object.values(config.checks);
  const exact = all.filter((check) => check.id.toLowerCase() === lower);
  return exact.length > 0 ? exact : all.filter((check) => check.template.toLowerCase() === lower || check.title.toLowerCase() === lower);
}

function nearestCheck(config: Config, asked: string): string | undefined {
  const all = Object.values(config.checks);
  const near = nearest(asked, [...new Set(all.flatMap((check) => [check.template, check.id, check.title]))]);
  const found = all.find((check) => check.title === near);
  return found ? found.template : near;
}

async function write(context: CommandContext, checks: readonly Check[]): Promise<boolean> {
  const { pool, call, person, clock } = context;
  const ids = checks.map((check) => check.id);
  const targets = checks.map((check) => ({ check: check.id, locations: check.locations }));
  const template = checks[0]?.template ?? '';
  const key = `manual/${call.user}/${ids.length === 1 ? ids[0] : template}@${Math.floor(clock.now() / SAME_ASK_MS)}`;
  return inTransaction(pool, async (db) => {
    const answerTo = { responseUrl: call.responseUrl, user: call.user, channel: call.channel };
    const ask = await insertAsk(db, { purpose: 'manual', key, targets, answerTo });
    if (ask === undefined) return false;
    const details = { ask, checks: ids.slice(0, 50) };
    await audit(db, { actor: person?.id ?? '', verb: 'run', subject: template, outcome: 'done', reason: 'allowed', data: details });
    return true;
  });
}

/** "Running Post an invoice for 3 clinics from 3 locations; the answer comes here within 20 s." */
function started(config: Config, checks: readonly Check[]): Message {
  const title = data(checks[0]?.title ?? '');
  const tenants = checks.flatMap((check) => (check.tenant ? [config.tenants[check.tenant]?.title ?? check.tenant] : []));
  const whom = tenants.length === 0 ? '' : tenants.length === 1 ? ` for ${data(tenants[0] ?? '')}` : ` for ${tenants.length} clinics`;
  const locations = new Set(checks.flatMap((check) => check.locations)).size;
  const withinMs = Math.max(...checks.map((check) => check.timeoutMs * (1 + check.retries)));
  const from = `${locations} ${locations === 1 ? 'location' : 'locations'}`;
  return sentence(
    `Running *${title}*${whom} from ${from}; the answer comes here within ${spanInWords(Math.ceil(withinMs / 10_000) * 10_000)}.`,
  );
}

export default run;
