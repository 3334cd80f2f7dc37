import { windowsBetween } from '../../core/maintenance.ts';
import { openSilences } from '../../store/silence.ts';
import type { CommandVerb } from '../contract.ts';
import { nameIn } from '../names.ts';
import { renderMaintenance } from '../render/quiet.ts';

const LOOK_AHEAD_MS = 7 * 86_400_000;

const maintenance: CommandVerb = {
  verb: 'maintenance',
  arguments: '',
  summary: 'Which maintenance windows are on, and which come in the next 7 days.',
  example: '/rounds maintenance',
  changes: false,

  run: async ({ pool, config, clock }) => {
    const nowMs = clock.now();
    const windows = windowsBetween(config, nowMs, nowMs + LOOK_AHEAD_MS);
    return renderMaintenance(windows, (await openSilences(pool, nowMs)).length, { config, nowMs, nameOf: nameIn(config) });
  },
};

export default maintenance;
