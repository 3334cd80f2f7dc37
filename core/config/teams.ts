/** Teams: who is on call, and who is called when nobody acknowledges. */
import * as z from 'zod';
import { CLASSES } from '../check.ts';
import type { Config, EscalationStep, EscalationTo, Team } from './model.ts';
import type { Path, Problems } from './problems.ts';
import { overrideSchema, readOverrides, readRotation, rotationSchema } from './turns.ts';
import { durationMs } from './units.ts';
import { didYouMean, shown } from './words.ts';

/** Later nobody waits for anybody any more. */
const LONGEST_WAIT = '7d';
const MOST_STEPS = 12;
const MOST_OVERRIDES = 200;

/** Steps are of tiers 1 and 2, and of what people are hurt by, unless a step says else. */
const USUAL_TIERS = [1, 2] as const;
const USUAL_CLASSES = ['full interruption', 'partial outage', 'degradation'] as const;

const CHANNEL = /^#[\p{Ll}\p{Lo}\p{N}_-]{1,80}$/u;

interface Schemas {
  /** The id of a person, of a team. */
  person: z.ZodType<string>;
  /** A list without anything twice. */
  listOf(entry: z.ZodType<string>): z.ZodType<string[]>;
  role: z.ZodType<string>;
  people: readonly string[];
  teams: readonly string[];
}

/** What a team may have beside its channel and its members. */
export function teamFields({ person, listOf, role, people, teams }: Schemas) {
  const step = z.object({
    after: durationMs({ max: LONGEST_WAIT, zero: true }).describe(
      'Since the opening or the latest raise, while nobody acknowledges; 0s for at once',
    ),
    to: targetSchema(people, teams).describe(
      "on-call, team, a person's id, another team's id (who is on call there), or a channel in quotes",
    ),
    tiers: unique(z.literal([1, 2, 3]))
      .optional()
      .describe('Tiers of services it is for; 1 and 2 unless said'),
    classes: unique(z.enum(CLASSES))
      .optional()
      .describe('Classes it is for; full interruption, partial outage and degradation unless said'),
  });
  return {
    escalation: z.array(step).min(1).max(MOST_STEPS).optional().describe('Who is called when nobody acknowledges, in order'),
    mayEscalate: listOf(role).optional().describe('Roles that may go to the next step at once; responder unless said'),
    rotation: rotationSchema(person, listOf).optional().describe('Who is on call, by turns; all members with a role unless said'),
    overrides: z.array(overrideSchema(person)).max(MOST_OVERRIDES).optional().describe('Somebody else for a while'),
    announce: z.boolean().optional().describe("Tells each change of who is on call in the team's channel; false unless said"),
  };
}

const EXPECTED_TO = "expected on-call, team, the id of a person or of another team, or a channel such as '#operations' in quotes";

function targetSchema(people: readonly string[], teams: readonly string[]) {
  const known = ['on-call', 'team', ...people, ...teams];
  return z.string({ error: EXPECTED_TO }).superRefine((value, context) => {
    const complain = (message: string) => context.addIssue({ code: 'custom', message, input: value });
    if (value.startsWith('#')) {
      if (!CHANNEL.test(value)) complain("expected a channel such as '#operations', in quotes");
    } else if (!known.includes(value)) complain(`${EXPECTED_TO}${didYouMean(value, known)}`);
    else if (people.includes(value) && teams.includes(value))
      complain(`expected one meaning; there is a person and a team of this id, rename one`);
  });
}

function unique<T extends z.ZodType>(entry: T) {
  const distinct = (values: unknown[]) => new Set(values).size === values.length;
  return z
    .array(entry)
    .min(1, { error: 'expected at least one entry' })
    .refine(distinct, { error: 'expected each entry once; remove what stands there twice' })
    .meta({ uniqueItems: true });
}

type Fields = z.output<z.ZodObject<ReturnType<typeof teamFields>>> & { title?: string | undefined; channel: string; members: string[] };

/** The team, with its times as instants. Reports what fits by itself and not together. */
export function readTeam(id: string, fields: Fields, at: { timezone: string; problems: Problems }): Team {
  const path = ['teams', id];
  const { title, channel, members, escalation, mayEscalate, rotation, overrides, announce } = fields;
  const zone = { problems: at.problems, timezone: rotation?.timezone ?? at.timezone };
  return {
    id,
    ...(title === undefined ? {} : { title }),
    channel,
    members,
    ...(escalation ? { escalation: readSteps(escalation, id, [...path, 'escalation'], at.problems) } : {}),
    ...(mayEscalate ? { mayEscalate } : {}),
    ...(rotation ? { rotation: readRotation(rotation, [...path, 'rotation'], zone) } : {}),
    ...(overrides ? { overrides: readOverrides(overrides, [...path, 'overrides'], zone) } : {}),
    ...(announce ? { announce } : {}),
  };
}

function readSteps(written: NonNullable<Fields['escalation']>, team: string, path: Path, problems: Problems): EscalationStep[] {
  let longestMs = 0;
  const ids = new Set<string>();
  return written.map(({ after, to, tiers, classes }, index) => {
    const id = `${after / 1000}s ${to}`;
    const here = [...path, index];
    if (after < longestMs) problems.atValue([...here, 'after'], 'expected no less than the step before; sort the steps by their times');
    if (ids.has(id))
      problems.atValue([...here, 'to'], 'this step stands in the list a second time; remove it, or list its tiers and classes in one');
    if (to === team) problems.atValue([...here, 'to'], 'expected another team; write team for this one, or on-call');
    longestMs = Math.max(longestMs, after);
    ids.add(id);
    return { id, afterMs: after, to: targetOf(to, team), tiers: tiers ?? [...USUAL_TIERS], classes: classes ?? [...USUAL_CLASSES] };
  });
}

/** Which of the two a plain id is, a person's or a team's, is settled once all entries are known: see {@link nameTargets}. */
function targetOf(to: string, team: string): EscalationTo {
  if (to === 'on-call') return { kind: 'on-call' };
  if (to === 'team' || to === team) return { kind: 'team' };
  return to.startsWith('#') ? { kind: 'channel', channel: to } : { kind: 'person', person: to };
}

/** Settles which steps name a team, and reports steps that would call nobody and people on call who could do nothing. */
export function finishTeams(config: Pick<Config, 'teams' | 'people'>, problems: Problems): void {
  for (const team of Object.values(config.teams)) {
    for (const step of team.escalation ?? []) {
      if (step.to.kind === 'person' && config.teams[step.to.person]) step.to = { kind: 'other-team', team: step.to.person };
    }
  }
  const roles = new Set(Object.values(config.people).flatMap((person) => person.roles));
  for (const team of Object.values(config.teams)) {
    reportWithoutRole(config, team, problems);
    team.mayEscalate?.forEach((role, index) => {
      if (roles.has(role)) return;
      const meant = didYouMean(role, roles) || '; give it to somebody under people';
      problems.atValue(['teams', team.id, 'mayEscalate', index], `nobody has the role ${shown(role)}${meant}`);
    });
    team.escalation?.forEach((step, index) => {
      const nobody = emptyTarget(config, team, step.to);
      if (nobody !== undefined) problems.atValue(['teams', team.id, 'escalation', index, 'to'], nobody);
    });
  }
}

/** Whoever is on call must be able to acknowledge, for which any role will do. */
function reportWithoutRole(config: Pick<Config, 'people'>, team: Team, problems: Problems): void {
  const report = (person: string, path: Path) => {
    if (config.people[person]?.roles.length === 0) {
      problems.atValue(path, `expected somebody with a role, since ${person} could not acknowledge; add roles: [responder] under people`);
    }
  };
  team.rotation?.members.forEach((person, index) => {
    report(person, ['teams', team.id, 'rotation', 'members', index]);
  });
  team.overrides?.forEach(({ person }, index) => {
    report(person, ['teams', team.id, 'overrides', index, 'person']);
  });
}

function emptyTarget(config: Pick<Config, 'teams' | 'people'>, own: Team, to: EscalationTo): string | undefined {
  if (to.kind === 'team') return own.members.length > 0 ? undefined : 'expected a team with members; this step would call nobody';
  if (to.kind !== 'on-call' && to.kind !== 'other-team') return undefined;
  const team = to.kind === 'other-team' ? config.teams[to.team] : own;
  if (!team || team.rotation || team.members.some((id) => (config.people[id]?.roles.length ?? 0) > 0)) return undefined;
  return `expected a team with a rotation, or with members who have a role; nobody is on call for ${team.id}`;
}
