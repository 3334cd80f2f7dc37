import type { Touched } from '../../core/change.ts';
import { reachable } from '../../core/config/scopes.ts';
import { parseDurationMs } from '../../core/duration.ts';
import { changesBetween, changesFor } from '../../store/change.ts';
import type { CommandContext, CommandVerb } from '../contract.ts';
import { nearest } from '../names.ts';
import { type Message, sentence } from '../render/blocks.ts';
import { renderChanges } from '../render/changes.ts';
import { notKnown } from '../render/refusal.ts';

const DAY_MS = 86_400_000;
/** More is for `rounds change list`. */
const MOST_MS = 31 * DAY_MS;

const changes: CommandVerb = {
  verb: 'changes',
  arguments: '[service|component|clinic] [24h]',
  summary: 'What was deployed, migrated or changed of late, the latest first.',
  example: '/rounds changes billing 7d',
  changes: false,

  run: async (context) => {
    const { config, words, pool, clock } = context;
    const spanMs = parseDurationMs(words.at(-1)?.toLowerCase() ?? '');
    const asked = (spanMs === undefined ? words : words.slice(0, -1)).join(' ');
    if (spanMs !== undefined && spanMs > MOST_MS) return sentence('I look back 31 days at most: `/rounds changes 31d`');
    const nowMs = clock.now();
    const view = { config, nowMs, spanMs: spanMs ?? DAY_MS };
    if (!asked) return renderChanges({ ...view, changes: await changesBetween(pool, nowMs - view.spanMs, nowMs) });
    const subject = find(context, asked);
    if (!subject) return unknown(context, asked);
    const found = await changesFor(pool, subject.touched, nowMs - view.spanMs, nowMs);
    return renderChanges({ ...view, changes: found, subject: subject.title });
  },
};

interface Subject {
  id: string;
  title: string;
  /** With what it stands on, since a change there is felt here. */
  touched: Touched;
}

function subjects({ config }: CommandContext): Subject[] {
  const below = (from: readonly string[]) => [...reachable(from, config.components)];
  const none = { services: [], components: [], tenants: [] };
  return [
    ...Object.values(config.services).map(({ id, title, dependsOn }) => ({
      id,
      title,
      touched: { ...none, services: [id], components: below(dependsOn) },
    })),
    ...Object.values(config.components).map(({ id, title }) => ({ id, title, touched: { ...none, components: below([id]) } })),
    ...Object.values(config.tenants).map(({ id, title }) => ({ id, title, touched: { ...none, tenants: [id] } })),
  ];
}

function find(context: CommandContext, asked: string): Subject | undefined {
  const lower = asked.toLowerCase();
  return subjects(context).find(({ id, title }) => id === lower || title.toLowerCase() === lower);
}

function unknown(context: CommandContext, asked: string): Message {
  const all = subjects(context);
  const near = nearest(
    asked,
    all.flatMap(({ id, title }) => [id, title]),
  );
  const meant = all.find(({ id, title }) => id === near || title === near)?.id;
  return notKnown('service, component or clinic', asked, meant, (name) => `/rounds changes ${name}`);
}

export default changes;
