import { listIncidents } from '../../store/incident.ts';
import type { CommandVerb } from '../contract.ts';
import { nameIn } from '../names.ts';
import { renderIncidents } from '../render/incidents.ts';

const LOOK_BACK_MS = 24 * 3_600_000;

const incidents: CommandVerb = {
  verb: 'incidents',
  arguments: '',
  summary: 'What is open, and what was resolved in the last 24 hours.',
  example: '/rounds incidents',
  changes: false,

  run: async ({ pool, config, clock }) => {
    const nowMs = clock.now();
    const found = await listIncidents(pool, nowMs - LOOK_BACK_MS);
    return renderIncidents({ incidents: found, nowMs, timeZone: config.timezone, nameOf: nameIn(config) });
  },
};

export default incidents;
