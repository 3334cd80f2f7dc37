/** A slash command, from what was typed to the answer, which only the person who typed sees. */
import { audit } from '../store/audit.ts';
import { type CommandCall, type CommandContext, type CommandVerb, type FormRequest, SlackTrouble } from './contract.ts';
import * as metrics from './metrics.ts';
import { actorOf, nearest, personOf } from './names.ts';
import { makeForm, type OpenParts, openForm } from './open.ts';
import { data, type Message, sentence } from './render/blocks.ts';
import { unknownPerson } from './render/refusal.ts';

export interface CommandParts extends OpenParts {
  commands: ReadonlyMap<string, CommandVerb>;
}

/** More than anybody types. */
const MOST_CHARACTERS = 300;

/** Works on a command and answers it. Throws when Slack or the database fails. */
export async function handleCommand(parts: CommandParts, call: CommandCall): Promise<void> {
  const answer = await answerTo(parts, call);
  if (answer) await parts.slack.respond(call.responseUrl, answer);
}

async function answerTo(parts: CommandParts, call: CommandCall): Promise<Message | undefined> {
  const [typed = 'help', ...words] = call.text.slice(0, MOST_CHARACTERS).trim().split(/\s+/).filter(Boolean);
  const verb = parts.commands.get(typed.toLowerCase());
  metrics.commands.inc({ verb: verb?.verb ?? 'unknown' });
  if (!verb) return unknownVerb(parts, typed, words);
  const person = personOf(parts.config, call.user);
  if (verb.changes && !person) {
    const actor = actorOf(person, call.user);
    await audit(parts.pool, { actor, verb: verb.verb, subject: words.join(' '), outcome: 'refused', reason: 'unknown-person' });
    return sentence(unknownPerson(`use \`/rounds ${verb.verb}\``, call.user));
  }
  const { pool, config, log, clock } = parts;
  const context: CommandContext = { pool, config, log, clock, call, person, words, verbs: [...parts.commands.values()] };
  const form = verb.opens?.(context);
  return form && (await opened(parts, call, form)) ? undefined : verb.run(context);
}

/** Whether the form stands open. What could not be opened can still be typed, and the verb says how. */
async function opened(parts: CommandParts, call: CommandCall, request: FormRequest): Promise<boolean> {
  try {
    await openForm(parts, call, makeForm(parts, request, call.user));
    return true;
  } catch (error) {
    if (!(error instanceof SlackTrouble)) throw error;
    parts.log.warn({ slack: error.code }, 'A form could not be opened');
    return false;
  }
}

function unknownVerb(parts: CommandParts, typed: string, words: readonly string[]): Message {
  const near = nearest(typed, [...parts.commands.keys()]);
  const shown = data(typed.slice(0, 80));
  if (!near) return sentence(`I know no command "${shown}". \`/rounds help\` shows what can be typed.`);
  const whole = data(['/rounds', near, ...words].join(' '));
  return sentence(`I know no command "${shown}". Did you mean *${near}*? \`${whole}\``);
}
