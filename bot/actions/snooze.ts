/** Snooze: nothing is posted of what fails in an incident now, for a while and with a reason. Opens a form. */
import { incidentName } from '../../core/incident.ts';
import { nextHour } from '../../core/wall.ts';
import type { ButtonVerb } from '../contract.ts';
import { sentence } from '../render/blocks.ts';
import { maySilence } from '../silence.ts';

/** As long as a night and a day: an incident that nobody took is still there in the morning. */
const EXPIRES_IN_MS = 24 * 3_600_000;
/** When people are at work again. At night that is the same day's. */
const MORNING_HOUR = 8;
/** The shorter choices go so far. */
const AT_LEAST_MS = 2 * 3_600_000;

const snooze: ButtonVerb = {
  verb: 'snooze',
  expiresInMs: EXPIRES_IN_MS,
  // The form is what counts once.
  singleUse: false,

  offered: (incident) => (incident.state === 'open' ? [{ label: 'Snooze…', params: {}, opens: true }] : []),

  permit: ({ config, person, user, incident }) => maySilence(config, person, user, `snooze ${incidentName(incident.id)}`),

  opens: ({ config, clock, button, responseUrl }) => {
    const nowMs = clock.now();
    const params = { nowMs, morningMs: nextHour(MORNING_HOUR, config.timezone, nowMs, AT_LEAST_MS) };
    return { verb: 'snooze', params, button, answerTo: { responseUrl } };
  },

  press: async ({ incident }) => sentence(`Type it instead: \`/rounds silence ${incidentName(incident.id)} 2h why\``),
};

export default snooze;
