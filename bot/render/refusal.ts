/** Refusals and errors: who may, what was expected, what to do instead. Pure. */
import { timeOfDay } from '../../core/duration.ts';
import { type Facts, type Incident, incidentName } from '../../core/incident.ts';
import { listInWords } from '../../core/words.ts';
import { data, type Message, sentence } from './blocks.ts';

/** "On call now: Ana." Empty when nobody is. */
export function onCallNow(facts: Facts): string {
  return facts.onCall.length === 0 ? '' : ` On call now: ${listInWords(facts.onCall.map((one) => one.title))}.`;
}

/** Somebody whom the configuration does not list. `what`: `acknowledge this`, `run checks`. */
export function unknownPerson(what: string, user: string, facts?: Facts): string {
  const listed = `Only people listed in rounds.yaml can, and <@${user}> is not among them.`;
  return `You cannot ${what}. ${listed}${facts ? onCallNow(facts) : ' Ask whoever keeps it to add you under "people".'}`;
}

/** Somebody whose roles are not enough for a runbook. */
export function lacksRole(title: string, needed: readonly string[], has: readonly string[], facts: Facts): string {
  const need = needed.length === 0 ? 'nobody may run it yet' : `it needs the role ${orWords(needed)}`;
  const have = has.length === 0 ? 'you have none' : `you are ${listInWords(has)}`;
  return `You cannot run "${data(title)}": ${need}, and ${have}.${onCallNow(facts)}`;
}

function orWords(words: readonly string[]): string {
  return listInWords(words).replace(/ and (?=[^ ]*$)/, ' or ');
}

/** A button of an earlier state. */
export function staleButton(madeAtMs: number, timeZone: string): Message {
  const from = timeOfDay(madeAtMs, timeZone);
  return sentence(`This button is from ${from}; the incident has changed since. The current one is in the post above.`);
}

/** A button that was shown too long ago. */
export function expiredButton(madeAtMs: number, timeZone: string): Message {
  const from = timeOfDay(madeAtMs, timeZone);
  return sentence(`This button is from ${from} and no longer counts. The post above gets a fresh one now: look at it, then press again.`);
}

/** A button or form of an incident that is over. */
export function resolvedIncident(incident: Incident, timeZone: string, nowMs: number): Message {
  const name = incidentName(incident.id);
  const at = timeOfDay(incident.resolvedAtMs ?? nowMs, timeZone);
  return sentence(`${name} is resolved since ${at}: nothing is left to do. \`/rounds why ${name}\` tells its story.`);
}

/** A form that Slack did not open: usually because 3 s had passed. */
export function formNotOpened(why: string): Message {
  return sentence(`The form could not be opened in time, and nothing was done. ${data(why)} Press again.`);
}

/** Something that is not known, with what may have been meant. `words`: what to type then, with its command. */
export function notKnown(noun: string, asked: string, nearest: string | undefined, typed: (name: string) => string): Message {
  const shown = data(asked.slice(0, 80));
  if (!nearest) return sentence(`I know no ${noun} "${shown}".`);
  return sentence(`I know no ${noun} "${shown}". Did you mean *${data(nearest)}*? \`${data(typed(nearest))}\``);
}

/** What a person is told when Rounds itself failed at what they asked. */
export function failed(): Message {
  return sentence(
    'Rounds could not do that: something in it failed, and it is in the log of the bot. Look at the thread whether it took effect, then try again.',
  );
}

/** Stands in a form while what was sent with it takes longer than Slack waits. */
export function stillWorking(): Message {
  return sentence('This takes longer than usual. What comes of it is said here.');
}

/** A form that was delivered twice. */
export function cameTwice(): Message {
  return sentence('This form reached Rounds twice and counts once. When nothing is told where you asked, open it anew.');
}
