/** Everything that deciding stands on, read in one statement: for checkpoints, and to be held against a replay. */
import type { Incident } from '../core/incident.ts';
import type { JudgeInputs, World } from '../core/replay/entry.ts';
import { type StateRow, unpacked } from './check.ts';

/** As PostgreSQL hands it out. */
export interface RawWorld {
  states: (StateRow & { scope: string })[];
  incidents: Record<string, unknown>[];
  scopes: { id: string; memory: World['scopes'][string]['memory']; logged: JudgeInputs }[];
  troubles: World['troubles'];
}

/** The same, as everybody else has it. */
export function worldFrom({ states, incidents, scopes, troubles }: RawWorld): World {
  const present = (one: Record<string, unknown>) => Object.fromEntries(Object.entries(one).filter(([, value]) => value !== null));
  return {
    states: Object.fromEntries(states.map((row) => [row.check_id, { scope: row.scope, state: unpacked(row)[1] }])),
    incidents: incidents.map((one) => present(one) as unknown as Incident),
    scopes: Object.fromEntries(scopes.map(({ id, memory, logged }) => [id, { memory, logged }])),
    troubles,
  };
}

/** Everything that deciding stands on, with the incidents of that condition. */
export function worldSql(incidents: string): string {
  const ms = (column: string) => `round(extract(epoch from ${column}) * 1000)`;
  return `json_build_object(
  'states', (select coalesce(json_agg(json_build_object('check_id', check_id, 'scope', scope, 'state', state)), '[]') from check_state),
  'incidents', (select coalesce(json_agg(json_build_object('id', id, 'scope', scope, 'root', root, 'class', class, 'peak', peak, 'state', state,
    'revision', revision, 'channel', channel, 'facts', facts, 'beganAtMs', ${ms('began_at')}, 'openedAtMs', ${ms('opened_at')},
    'acknowledgedBy', acknowledged_by, 'resolvedAtMs', ${ms('resolved_at')}, 'resolution', resolution, 'pictureId', picture_id)), '[]')
    from incident where ${incidents}),
  'scopes', (select coalesce(json_agg(json_build_object('id', id, 'memory', memory, 'logged', logged)), '[]') from scope),
  'troubles', (select coalesce(json_agg(trouble order by location), '[]') from location_trouble))`;
}
