/** What all that the desk sends to the bot has in common. */

import { APP, TEAM } from './identity.ts';
import type { Person } from './settings.ts';
import type { Channel, Json } from './shapes.ts';

/** Deprecated at Slack, still sent by it. Bolt checks the signature, never this. */
export const VERIFICATION_TOKEN = 'desk';

/** Who acted and for which app, as every interaction begins. */
export function interactionOf(type: string, person: Person): Json {
  return {
    type,
    user: { id: person.id, username: userName(person), name: userName(person), team_id: TEAM.id },
    api_app_id: APP.id,
    token: VERIFICATION_TOKEN,
    team: { id: TEAM.id, domain: TEAM.domain },
    enterprise: null,
    is_enterprise_install: false,
  };
}

/** The name of a channel in a payload: a direct conversation has none of its own. */
export function channelName(channel: Channel): string {
  return channel.kind === 'direct' ? 'directmessage' : channel.name;
}

/** The short name of a person. */
export function userName(person: Person): string {
  return person.name.toLowerCase();
}
