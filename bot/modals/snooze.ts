/** The form of "Snooze…": for how long, and why. */
import * as z from 'zod';
import { parseDurationMs } from '../../core/duration.ts';
import { incidentName } from '../../core/incident.ts';
import { inTransaction } from '../../store/db.ts';
import { useModal } from '../../store/modal.ts';
import type { FormContext, FormOutcome, FormVerb } from '../contract.ts';
import { nameIn } from '../names.ts';
import { sentence } from '../render/blocks.ts';
import { renderSnoozeForm, SNOOZE_FIELDS, silenceBegun } from '../render/quiet.ts';
import { beginSilence, MOST_REASON_CHARACTERS, maySilence, targetOfIncident } from '../silence.ts';

/** Long enough to write a sentence, short enough that the incident is still the one that was looked at. */
const EXPIRES_IN_MS = 15 * 60_000;

/** When the form was made, and when the next morning is: what was shown holds, also a minute after midnight. */
const boundSchema = z.object({ nowMs: z.number(), morningMs: z.number() });

const snooze: FormVerb = {
  verb: 'snooze',
  expiresInMs: EXPIRES_IN_MS,

  view: ({ config, modalId, request }) => {
    const incident = incidentName(request.button?.incidentId ?? 0);
    const bound = boundSchema.parse(request.params);
    return renderSnoozeForm({ modalId, incident, timeZone: config.timezone, ...bound, mostReasonCharacters: MOST_REASON_CHARACTERS });
  },

  permit: ({ config, person, user, incident }) =>
    incident
      ? maySilence(config, person, user, `snooze ${incidentName(incident.id)}`)
      : { allowed: false, reason: 'unknown-form', text: 'Rounds does not know the incident of this form any more.' },

  submit: async (context, values) => {
    const { config, incident, person, modal } = context;
    const reason = (values[SNOOZE_FIELDS.reason]?.[0] ?? '').trim();
    if (reason === '') return { errors: { [SNOOZE_FIELDS.reason]: 'Expected a reason: whoever finds it quiet wants to know.' } };
    const lasts = values[SNOOZE_FIELDS.lasts]?.[0] ?? '';
    const afterMs = parseDurationMs(lasts);
    const ends = afterMs === undefined ? { atMs: boundSchema.parse(modal.params).morningMs } : { afterMs };
    const target = incident && targetOfIncident(config, incident);
    if (!target || !person) return { refused: sentence('Nothing is left in this incident that could be silenced.') };
    return begin(context, { target, person, reason: reason.slice(0, MOST_REASON_CHARACTERS), ends });
  },
};

async function begin(context: FormContext, ask: Parameters<typeof beginSilence>[2]): Promise<FormOutcome> {
  const { pool, modal, config, clock } = context;
  const made = await inTransaction(pool, async (db) => ((await useModal(db, modal.id)) ? beginSilence(db, context, ask) : undefined));
  if (!made) return { refused: sentence('This form was sent already. `/rounds silence list` shows what is silenced.') };
  return { done: silenceBegun(made, { config, nowMs: clock.now(), nameOf: nameIn(config) }) };
}

export default snooze;
