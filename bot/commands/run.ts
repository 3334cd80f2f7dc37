import type { Check } from '../../core/check.ts';
import type { Config } from '../../core/config/model.ts';
import { listInWords } from '../../core/words.ts';
import { inTransaction } from '../../store/db.ts';
import type { CommandContext, CommandVerb } from '../contract.ts';
import { nearest } from '../names.ts';
import { sentence } from '../render/blocks.ts';
import { notKnown } from '../render/refusal.ts';
import { askRun, runStarted } from '../run.ts';

/** The same check asked for again by the same person within this is the same ask. */
const SAME_ASK_MS = 5_000;

const run: CommandVerb = {
  verb: 'run',
  arguments: '[CHECK]',
  summary: 'Runs a check now, from all its locations, and tells you how it went. Without a check it asks which, for whom and from where.',
  example: '/rounds run post-invoice',
  changes: true,

  opens: ({ words, call }) =>
    words.length === 0 ? { verb: 'run', params: {}, answerTo: { responseUrl: call.responseUrl, channel: call.channel } } : undefined,

  run: async (context) => {
    const { config, words } = context;
    const asked = words.join(' ');
    if (!asked) return sentence(`Which check? ${examples(config)}`);
    const checks = findChecks(config, asked);
    if (checks.length === 0) return notKnown('check', asked, nearestCheck(config, asked), (name) => `/rounds run ${name}`);
    return (await write(context, checks)) ? runStarted(config, checks) : sentence('That runs already; its answer comes here.');
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

async function write({ pool, call, person, clock }: CommandContext, checks: readonly Check[]): Promise<boolean> {
  const name = checks.length === 1 ? checks[0]?.id : checks[0]?.template;
  const key = `manual/${call.user}/${name}@${Math.floor(clock.now() / SAME_ASK_MS)}`;
  const answerTo = { responseUrl: call.responseUrl, user: call.user, channel: call.channel };
  return inTransaction(pool, (db) => askRun(db, { key, checks, person, answerTo }));
}

export default run;
