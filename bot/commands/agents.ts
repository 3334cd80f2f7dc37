import { listAgents, runsEndedSince } from '../../store/agent.ts';
import { readStates } from '../../store/check.ts';
import type { CommandVerb } from '../contract.ts';
import { renderAgents } from '../render/agents.ts';

const HOUR_MS = 3_600_000;

const agents: CommandVerb = {
  verb: 'agents',
  arguments: '',
  summary: 'Who runs checks from where, when they were heard, and what was late or missed in the last hour.',
  example: '/rounds agents',
  changes: false,

  run: async ({ pool, config, clock }) => {
    const nowMs = clock.now();
    const [known, runs, states] = await Promise.all([
      listAgents(pool),
      runsEndedSince(pool, nowMs - HOUR_MS),
      readStates(pool, Object.keys(config.checks)),
    ]);
    return renderAgents({ config, nowMs, agents: known, runs, states });
  },
};

export default agents;
