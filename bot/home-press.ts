/** Presses in the Home tab. They are bound to nothing but the person: each opens a form or an answer of its own. */
import { audit } from '../store/audit.ts';
import { type CommandContext, type CommandVerb, SlackTrouble, type ViewPress } from './contract.ts';
import * as metrics from './metrics.ts';
import { actorOf, personOf } from './names.ts';
import { makeForm, type OpenParts, openForm, tellDirectly } from './open.ts';
import { sentence } from './render/blocks.ts';
import { HOME_ACTIONS } from './render/home.ts';
import { type ModalView, messageModal } from './render/modal.ts';
import { formNotOpened, unknownPerson } from './render/refusal.ts';

const TITLE = 'Rounds';

export interface HomePressParts extends OpenParts {
  commands: ReadonlyMap<string, CommandVerb>;
}

/** Works on a press and shows what came of it. Throws when Slack or the database fails. */
export async function handleHomePress(parts: HomePressParts, press: ViewPress): Promise<void> {
  const making = answerTo(parts, press);
  if (!making) return;
  try {
    await openForm(parts, press, making);
  } catch (error) {
    if (!(error instanceof SlackTrouble)) throw error;
    parts.log.warn({ slack: error.code }, 'A form could not be opened');
    await tellDirectly(parts, press.user, formNotOpened(error.message));
  }
}

function answerTo(parts: HomePressParts, press: ViewPress): Promise<ModalView> | undefined {
  if (press.actionId === HOME_ACTIONS.run) return runForm(parts, press);
  const report = press.actionId === HOME_ACTIONS.report ? parts.commands.get('report') : undefined;
  return report && answerOf(parts, press, report);
}

async function runForm(parts: HomePressParts, press: ViewPress): Promise<ModalView> {
  const { user } = press;
  metrics.presses.inc({ verb: 'home-run', outcome: personOf(parts.config, user) ? 'allowed' : 'refused' });
  if (personOf(parts.config, user)) return makeForm(parts, { verb: 'run', params: {}, answerTo: {} }, user);
  await audit(parts.pool, { actor: actorOf(undefined, user), verb: 'run', subject: 'home', outcome: 'refused', reason: 'unknown-person' });
  return messageModal(TITLE, sentence(unknownPerson('run checks', user)));
}

/** What the command would answer, shown where it was asked for. */
async function answerOf(parts: HomePressParts, press: ViewPress, verb: CommandVerb): Promise<ModalView> {
  const { pool, config, log, clock } = parts;
  const { user, triggerId, arrivedMs } = press;
  metrics.presses.inc({ verb: `home-${verb.verb}`, outcome: 'allowed' });
  const call = { text: verb.verb, user, channel: '', responseUrl: '', triggerId, arrivedMs };
  const context: CommandContext = { pool, config, log, clock, call, person: personOf(config, user), words: [], verbs: [] };
  return messageModal(verb.verb.charAt(0).toUpperCase() + verb.verb.slice(1), await verb.run(context));
}
