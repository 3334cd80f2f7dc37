/** Who and what is meant: people by their Slack id, and names that are almost right. */
import { closest, distance } from 'fastest-levenshtein';
import type { Config, Person } from '../core/config/model.ts';

/** The person of the configuration with that Slack id. */
export function personOf(config: Config, slackUser: string): Person | undefined {
  return Object.values(config.people).find((person) => person.slack === slackUser);
}

/** How a person is named in the audit log. */
export function actorOf(person: Person | undefined, slackUser: string): string {
  return person?.id ?? `slack:${slackUser}`;
}

/** The name for a person's id; what is no id is a name already. */
export function nameIn(config: Config): (person: string) => string {
  return (person) => config.people[person]?.name ?? person;
}

/** What calls a person in a message, by the person's id; empty for nobody. */
export function mentionIn(config: Config): (person: string) => string {
  return (person) => {
    const slack = config.people[person]?.slack;
    return slack ? `<@${slack}>` : '';
  };
}

/** The candidate that was probably meant, or `undefined` when none is near: at most half of its letters differ. */
export function nearest(asked: string, candidates: readonly string[]): string | undefined {
  if (candidates.length === 0 || asked === '') return undefined;
  const lower = asked.toLowerCase();
  const begins = candidates.find((one) => one.toLowerCase().startsWith(lower));
  if (begins) return begins;
  const found = closest(lower, candidates);
  return distance(lower, found.toLowerCase()) <= Math.max(1, Math.floor(found.length / 2)) ? found : undefined;
}
