/** Run a runbook: exactly what was shown, once, by somebody who may, while the incident still offers it. With parameters: its form. */
import { useButton } from '../../store/button.ts';
import type { ButtonVerb, PressContext } from '../contract.ts';
import { data, sentence } from '../render/blocks.ts';
import { askRunbook, mayRun, paramsOf, runbookDigest, runbookParams } from '../runbook.ts';

/** What was true of a target an hour ago is no ground to act on; the post gets fresh buttons with every change. */
const EXPIRES_IN_MS = 3_600_000;

const runbook: ButtonVerb = {
  verb: 'runbook',
  expiresInMs: EXPIRES_IN_MS,
  singleUse: true,

  offered: (incident, executions, config) =>
    incident.facts.offers.map((offer) => {
      const params = { ...paramsOf(offer), attempt: executions.get(offer.runbook) ?? 0 };
      if (config.runbooks[offer.runbook]?.parameters) return { label: `${offer.title}…`, params, opens: true };
      return { label: offer.title, params, confirm: { title: offer.title, text: offer.preview, yes: 'Run it' } };
    }),

  permit: ({ config, button, person, user, incident }) =>
    mayRun(config, runbookParams.parse(button.params), { person, user, facts: incident.facts }),

  opens: ({ config, button, responseUrl }) => {
    const params = runbookParams.parse(button.params);
    const known = config.runbooks[params.runbook];
    if (!known?.parameters) return undefined;
    return { verb: 'runbook', params: { ...params, digest: runbookDigest(known) }, button, answerTo: { responseUrl } };
  },

  press: async (context) => {
    const outcome = await ask(context);
    return 'done' in outcome ? outcome.done : outcome.refused;
  },
};

async function ask(context: PressContext): ReturnType<typeof askRunbook> {
  const { config, button, person, incident } = context;
  const params = runbookParams.parse(button.params);
  const known = config.runbooks[params.runbook];
  if (!known) return { refused: sentence(`"${data(params.title)}" is not in the configuration any more.`) };
  return askRunbook(context, {
    person,
    incidentId: incident.id,
    incidentRevision: button.incidentRevision,
    madeAtMs: button.madeAtMs,
    params,
    known,
    actionParams: known.action.params,
    shown: params.preview,
    use: (db) => useButton(db, button.id, person?.id ?? ''),
  });
}

export default runbook;
