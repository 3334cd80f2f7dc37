import type { ScheduledReport } from '../../core/config/model.ts';
import { audit } from '../../store/audit.ts';
import { inTransaction } from '../../store/db.ts';
import { wantAskedReport } from '../../store/report.ts';
import { reportNumbers } from '../../store/report-numbers.ts';
import type { CommandContext, CommandVerb } from '../contract.ts';
import { actorOf, nearest } from '../names.ts';
import { data, type Message, sentence } from '../render/blocks.ts';
import { notKnown, unknownPerson } from '../render/refusal.ts';
import { renderReport } from '../render/report.ts';

const DAY_MS = 86_400_000;

type Asked = Pick<ScheduledReport, 'id' | 'title' | 'timezone' | 'services' | 'windowMs'>;

const report: CommandVerb = {
  verb: 'report',
  arguments: '[REPORT] [--here]',
  summary: 'How the last 24 hours went, until now; with --here for everybody in this channel, with chart and table.',
  example: '/rounds report --here',
  changes: false,

  run: async (context) => {
    const { config, words } = context;
    const here = words.some((word) => word.toLowerCase() === '--here');
    const name = words.filter((word) => word.toLowerCase() !== '--here').join(' ');
    const asked = name ? namedReport(context, name) : onlyReport(context);
    if (!asked) {
      const known = Object.values(config.reports).flatMap(({ id, title }) => [id, title]);
      return notKnown('report', name, idOf(context, nearest(name, known)), (near) => `/rounds report ${near}`);
    }
    if (here && !context.person) return refuse(context, name);
    const numbers = await numbersOf(context, asked);
    if (!here) return renderReport({ numbers, note: 'Chart and table come with `--here`, for everybody in the channel' });
    const { call, pool, person } = context;
    await inTransaction(pool, async (db) => {
      await wantAskedReport(db, numbers, { by: call.user, channel: call.channel, responseUrl: call.responseUrl });
      const actor = actorOf(person, call.user);
      await audit(db, { actor, verb: 'report', subject: asked.id, outcome: 'done', reason: 'allowed', data: { channel: call.channel } });
    });
    return sentence(`${data(asked.title)} comes here in a moment.`);
  },
};

function namedReport({ config }: CommandContext, name: string): Asked | undefined {
  const lower = name.toLowerCase();
  return Object.values(config.reports).find((one) => one.id === lower || one.title.toLowerCase() === lower);
}

function idOf({ config }: CommandContext, name: string | undefined): string | undefined {
  return Object.values(config.reports).find((one) => one.id === name || one.title === name)?.id;
}

/** The one that there is; of none, or of several, everything that is watched. */
function onlyReport({ config }: CommandContext): Asked {
  const [only, ...others] = Object.values(config.reports);
  if (only && others.length === 0) return only;
  return { id: '', title: 'All services', timezone: config.timezone, services: Object.keys(config.services) };
}

async function numbersOf({ pool, config, clock }: CommandContext, { id, title, timezone, services, windowMs }: Asked) {
  const untilMs = clock.now();
  const frame = { id, title, timeZone: timezone, services, fromMs: untilMs - (windowMs ?? DAY_MS), untilMs };
  return inTransaction(pool, (db) => reportNumbers(db, config, frame));
}

/** A post that everybody sees is for people of the configuration; the figures alone are for whoever may type. */
async function refuse({ pool, person, call }: CommandContext, subject: string): Promise<Message> {
  await audit(pool, { actor: actorOf(person, call.user), verb: 'report', subject, outcome: 'refused', reason: 'unknown-person' });
  const typed = ['/rounds report', data(subject)].filter(Boolean).join(' ');
  return sentence(unknownPerson('post a report here', call.user), `For yourself alone: \`${typed}\``);
}

export default report;
