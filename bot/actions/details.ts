/** Details: the latest runs of what is not well, step by step and location by location. Changes nothing, so anybody may look. */
import { latestResults } from '../../store/query.ts';
import type { ButtonVerb } from '../contract.ts';
import { renderDetails } from '../render/details.ts';

const EXPIRES_IN_MS = 24 * 3_600_000;

const details: ButtonVerb = {
  verb: 'details',
  expiresInMs: EXPIRES_IN_MS,
  singleUse: false,
  offered: () => [{ label: 'Details', params: {} }],
  permit: () => ({ allowed: true }),

  press: async ({ pool, config, clock, incident }) => {
    const { facts } = incident;
    const symptoms = facts.services.flatMap((service) => service.symptoms);
    const checks = [...new Set([...symptoms.flatMap((symptom) => symptom.checks), ...facts.components.map((one) => one.check)])];
    return renderDetails({ incident, config, nowMs: clock.now(), results: await latestResults(pool, checks) });
  },
};

export default details;
