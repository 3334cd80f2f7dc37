/**
 * Escalation by the clock: calls the next people while nobody acknowledges, and says who takes over when a shift ends. Any number of
 * workers may do so: a step is a row of its own, written with the incident's row locked, as acknowledging and judging do it.
 */
import type { Team } from '../core/config/model.ts';
import { decideSteps, settles } from '../core/escalate.ts';
import type { Incident } from '../core/incident.ts';
import { type OnCall, onCallOf, same, takesTurns, teamTitle } from '../core/oncall.ts';
import { momentInWords } from '../core/report/words.ts';
import { listInWords } from '../core/words.ts';
import { whileInForce } from '../store/config.ts';
import type { Db } from '../store/db.ts';
import { type Escalation, escalationsOf, forgetOnCall, knownOnCall, noteOnCall, settleStep, wasTaken } from '../store/escalation.ts';
import { incidentById, openIncidents } from '../store/incident.ts';
import { tellNotice } from '../store/notice.ts';
import { PRIORITY } from '../store/outbox.ts';
import { tellStory } from '../store/story.ts';
import type { JobsDeps } from './deps.ts';

type Deps = Pick<JobsDeps, 'pool' | 'config' | 'configSeq' | 'clock' | 'log'>;

/** Settles every step whose time has come. Returns whether somebody is to be told. Throws `NotInForce` when another configuration is. */
export async function escalateDue(deps: Deps): Promise<boolean> {
  const owners = new Set(Object.values(deps.config.teams).flatMap((team) => (team.escalation ? [team.id] : [])));
  if (owners.size === 0) return false;
  const open = (await openIncidents(deps.pool)).filter((incident) => owners.has(incident.facts.owner));
  const known = await escalationsOf(deps.pool, open);
  let told = false;
  for (const incident of open) {
    const escalation = known.get(incident.id);
    if (escalation && dueSteps(deps, incident, escalation).length > 0) told = (await escalate(deps, incident.id)) || told;
  }
  return told;
}

function dueSteps({ config, clock }: Deps, incident: Incident, { begunAtMs, settled }: Escalation) {
  const decisions = decideSteps({ config, incident, begunAtMs, settled: new Set(settled.keys()), nowMs: clock.now() });
  return decisions.flatMap(({ reason, ...one }) => (settles(reason) ? [{ ...one, reason }] : []));
}

/** Decides once more, with the incident locked: somebody may have acknowledged it, or another worker has been quicker. */
async function escalate(deps: Deps, incidentId: number): Promise<boolean> {
  return whileInForce(deps.pool, deps.configSeq, async (db) => {
    const incident = await incidentById(db, incidentId, 'for update');
    if (!incident) return false;
    const escalation = (await escalationsOf(db, [incident])).get(incident.id);
    if (!escalation) return false;
    let told = false;
    for (const { step, place, reason } of dueSteps(deps, incident, escalation)) {
      const nowMs = deps.clock.now();
      const did = await settleStep(db, { config: deps.config, incident, escalation, step, place, reason, nowMs });
      if (!did || !wasTaken({ reason })) continue;
      deps.log.info({ incident: incident.id, step: step.id, place }, 'a step of escalation was taken');
      told = true;
    }
    return told;
  });
}

/** Tells of every change of who is on call since somebody looked last. Returns whether there is something to post. */
export async function handOver(deps: Deps): Promise<boolean> {
  const teams = Object.values(deps.config.teams).filter(takesTurns);
  const known = await knownOnCall(deps.pool);
  const nowMs = deps.clock.now();
  const kept = teams.map((team) => team.id);
  if ([...known.keys()].some((team) => !kept.includes(team))) await forgetOnCall(deps.pool, kept);
  let told = false;
  for (const team of teams) {
    const before = known.get(team.id);
    const { people } = onCallOf(deps.config, team.id, nowMs);
    if (!before || !same(before, people)) told = (await handOverTeam(deps, team)) || told;
  }
  return told;
}

async function handOverTeam(deps: Deps, team: Team): Promise<boolean> {
  return whileInForce(deps.pool, deps.configSeq, async (db) => {
    const nowMs = deps.clock.now();
    const shift = onCallOf(deps.config, team.id, nowMs);
    const before = await noteOnCall(db, team.id, shift.people, nowMs);
    if (!before) return false;
    deps.log.info({ team: team.id, from: before, to: shift.people, by: shift.by }, 'somebody else is on call');
    const ofTeam = (await openIncidents(db)).filter((incident) => incident.facts.owner === team.id);
    const entry = { kind: 'handed-over' as const, team: teamTitle(team), from: before, to: shift.people };
    for (const { id } of ofTeam) {
      // Judging takes the same lock: the order in the thread is that of the commits.
      const incident = await incidentById(db, id, 'for update');
      if (incident?.state === 'open') await tellStory(db, incident, nowMs, entry, { priority: PRIORITY.answer });
    }
    const announced = team.announce ? await announce(deps, db, team, shift, nowMs) : false;
    return announced || ofTeam.length > 0;
  });
}

/** "On call for Billing operations until Mon 12 Jan 09:00: Ana", in the team's channel; it calls nobody. */
async function announce({ config }: Deps, db: Db, team: Team, shift: OnCall, nowMs: number): Promise<boolean> {
  const nameOf = (person: string) => config.people[person]?.name ?? person;
  const until = shift.untilMs === undefined ? '' : ` until ${momentInWords(shift.untilMs, config.timezone)}`;
  const who = shift.people.length === 0 ? 'nobody' : listInWords(shift.people.map(nameOf), 6);
  const payload = {
    mark: '',
    title: `On call for ${teamTitle(team)}${until}: ${who}`,
    lines: shift.reason === undefined ? [] : [`Stands in: ${shift.reason}`],
    ...(shift.untilMs === undefined ? {} : { untilMs: shift.untilMs }),
  };
  const key = `on-call/${team.id}/${new Date(nowMs).toISOString()}`;
  return tellNotice(db, { channel: team.channel, kind: 'on-call', payload, reason: 'handed-over', key });
}
