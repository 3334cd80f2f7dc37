import type { CommandContext, CommandVerb } from '../contract.ts';
import { nearest } from '../names.ts';
import { renderOnCall } from '../render/oncall.ts';
import { notKnown } from '../render/refusal.ts';

const oncall: CommandVerb = {
  verb: 'oncall',
  arguments: '[team]',
  summary: 'Who is on call, until when, and who is next.',
  example: '/rounds oncall billing-ops',
  changes: false,

  run: async (context) => {
    const { config, clock, words } = context;
    const typed = words.join(' ').toLowerCase();
    const all = Object.values(config.teams);
    if (typed === '') return renderOnCall({ config, teams: all, nowMs: clock.now() });
    const team = all.find((one) => one.id === typed || one.title?.toLowerCase() === typed);
    if (!team) return notKnown('team', words.join(' '), meant(context, typed), (near) => `/rounds oncall ${near}`);
    return renderOnCall({ config, teams: [team], nowMs: clock.now() });
  },
};

function meant({ config }: CommandContext, typed: string): string | undefined {
  return nearest(typed, Object.keys(config.teams));
}

export default oncall;
