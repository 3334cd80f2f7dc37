/** Who is on call for each team, until when, and who is next. Pure. */
import type { Config, Team } from '../../core/config/model.ts';
import { type OnCall, onCallOf, teamTitle } from '../../core/oncall.ts';
import { momentInWords } from '../../core/report/words.ts';
import { listInWords } from '../../core/words.ts';
import { context, data, few, type Message, message, section } from './blocks.ts';

const MOST_TEAMS = 30;

export interface OnCallView {
  config: Config;
  /** Those that are asked about, in their order. */
  teams: readonly Team[];
  nowMs: number;
}

/** One line for each team. */
export function renderOnCall({ config, teams, nowMs }: OnCallView): Message {
  const lines = teams.map((team) => teamLine(config, team, onCallOf(config, team.id, nowMs)));
  const [only] = lines;
  const first = lines.length === 1 && only !== undefined ? only.replaceAll(/[*\u200b]/g, '') : `On call for ${teams.length} teams`;
  if (lines.length === 0) return message('No team is configured.', [section('No team is configured: `teams:` in rounds.yaml.')]);
  return message(first, [section(...few(lines, MOST_TEAMS, 'teams')), context(`Times of ${data(config.timezone)}`)]);
}

/** `*Billing operations*: Ana until Mon 12 Jan 09:00, then Ben`. */
function teamLine(config: Config, team: Team, shift: OnCall): string {
  const nameOf = (person: string) => data(config.people[person]?.name ?? person);
  const title = `*${data(teamTitle(team))}* (${data(team.channel)})`;
  if (shift.people.length === 0) return `${title}: nobody. Give the team a rotation, or its members a role.`;
  const who = data(
    listInWords(
      shift.people.map((id) => config.people[id]?.name ?? id),
      6,
    ),
  );
  const until = shift.untilMs === undefined ? '' : ` until ${momentInWords(shift.untilMs, config.timezone)}`;
  const next = shift.untilMs === undefined || shift.next === undefined ? '' : `, then ${nameOf(shift.next)}`;
  return `${title}: ${who}${until}${next}.${basis(shift)}`;
}

function basis({ by, reason }: OnCall): string {
  if (by === 'override') return reason === undefined ? ' Stands in.' : ` Stands in: ${data(reason)}${/[.!?]$/.test(reason) ? '' : '.'}`;
  return by === 'members' ? ' No rotation: all members with a role.' : '';
}
