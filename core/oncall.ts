/**
 * Who is on call for a team, at any instant. The members of a rotation take turns, at a time on the wall of its zone, so that a shift
 * is an hour longer or shorter when the clocks are changed; an override stands before the rotation; without either all members with a
 * role are on call. Pure: the configuration and the instant go in.
 *
 * The rotation goes on without end in both directions, so that there is no instant at which nobody's turn it is.
 */
import { wordsOf } from './config/checks.ts';
import type { Config, Override, Rotation, Team } from './config/model.ts';
import { DAY_MS, instantOfWall, wallOfInstant } from './wall.ts';

export interface OnCall {
  /** Ids; empty when the team has nobody. */
  people: string[];
  /** When somebody else takes over; absent when nobody ever does. */
  untilMs?: number;
  /** The first of those who take over then. */
  next?: string;
  by: 'rotation' | 'override' | 'members';
  /** Why somebody else stands in, when that was said. */
  reason?: string;
}

export interface Handover {
  atMs: number;
  from: string[];
  to: string[];
  by: OnCall['by'];
}

/** Shifts that are looked through for the next that is somebody else's: more than any rotation has members and overrides. */
const MOST_SHIFTS = 400;

/** Who is on call for that team at that instant. A team that is not configured has nobody. */
export function onCallOf(config: Pick<Config, 'teams' | 'people'>, teamId: string, atMs: number): OnCall {
  const team = config.teams[teamId];
  if (!team) return { people: [], by: 'members' };
  const { people, by, reason, untilMs } = shiftAt(config, team, atMs);
  const now: OnCall = { people, by, ...(reason === undefined ? {} : { reason }) };
  const after = untilMs === undefined ? undefined : nextChange(config, team, people, untilMs);
  if (!after) return now;
  const [next] = after.people;
  return { ...now, untilMs: after.atMs, ...(next === undefined ? {} : { next }) };
}

/** The changes of who is on call in `(fromMs, toMs]`, oldest first; at most 400 shifts are looked through. */
export function handoversBetween(config: Pick<Config, 'teams' | 'people'>, teamId: string, fromMs: number, toMs: number): Handover[] {
  const team = config.teams[teamId];
  const found: Handover[] = [];
  let shift = team && shiftAt(config, team, fromMs);
  for (let count = 0; team && shift?.untilMs !== undefined && shift.untilMs <= toMs && count < MOST_SHIFTS; count++) {
    const next = shiftAt(config, team, shift.untilMs);
    if (!same(next.people, shift.people)) found.push({ atMs: shift.untilMs, from: shift.people, to: next.people, by: next.by });
    shift = next;
  }
  return found;
}

/** What people are shown of a team. */
export function teamTitle(team: Pick<Team, 'id' | 'title'>): string {
  return team.title ?? wordsOf(team.id);
}

/** Whether it can change who is on call without anybody changing the configuration. */
export function takesTurns(team: Pick<Team, 'rotation' | 'overrides'>): boolean {
  return team.rotation !== undefined || (team.overrides?.length ?? 0) > 0;
}

/** Whether the same people are on call, in whatever order. */
export function same(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((one) => b.includes(one));
}

interface Shift {
  people: string[];
  by: OnCall['by'];
  reason?: string;
  /** When this shift ends, by whatever: the next may be the same person's. Absent: never. */
  untilMs?: number;
}

function nextChange(
  config: Pick<Config, 'people'>,
  team: Team,
  people: string[],
  fromMs: number,
): { atMs: number; people: string[] } | undefined {
  let atMs: number | undefined = fromMs;
  for (let count = 0; atMs !== undefined && count < MOST_SHIFTS; count++) {
    const shift = shiftAt(config, team, atMs);
    if (!same(shift.people, people)) return { atMs, people: shift.people };
    atMs = shift.untilMs;
  }
  return undefined;
}

function shiftAt(config: Pick<Config, 'people'>, team: Team, atMs: number): Shift {
  const override = team.overrides?.find((one) => one.fromMs <= atMs && atMs < one.untilMs);
  if (override) return ofOverride(override);
  const begins = (team.overrides ?? []).filter((one) => one.fromMs > atMs).map((one) => one.fromMs);
  const { people, by, untilMs } = team.rotation ? turnAt(team.rotation, atMs) : ofMembers(config, team);
  const ends = [...begins, ...(untilMs === undefined ? [] : [untilMs])];
  return { people, by, ...(ends.length === 0 ? {} : { untilMs: Math.min(...ends) }) };
}

function ofOverride({ person, untilMs, reason }: Override): Shift {
  return { people: [person], by: 'override', untilMs, ...(reason === undefined ? {} : { reason }) };
}

function ofMembers(config: Pick<Config, 'people'>, team: Team): Shift {
  return { people: team.members.filter((id) => (config.people[id]?.roles.length ?? 0) > 0), by: 'members' };
}

function turnAt(rotation: Rotation, atMs: number): Shift {
  const { anchorMs, everyDays, timezone, members } = rotation;
  const beginOf = (turn: number) => instantOfWall(anchorMs + turn * everyDays * DAY_MS, timezone);
  let turn = Math.floor((wallOfInstant(atMs, timezone) - anchorMs) / (everyDays * DAY_MS));
  // Where the clocks are changed the wall is up to some hours away from the instant that counts.
  while (beginOf(turn) > atMs) turn--;
  while (beginOf(turn + 1) <= atMs) turn++;
  const person = members[((turn % members.length) + members.length) % members.length];
  return { people: person === undefined ? [] : [person], by: 'rotation', untilMs: beginOf(turn + 1) };
}
