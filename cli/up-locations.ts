/** The queue's address for each location's agent of `rounds up`: with credentials of its own, as it would have on a machine of its own. */
import { join } from 'node:path';
import { addLocation, NoSuchUser } from '../jobs/location.ts';
import type { Log } from './context.ts';
import { secretOnce } from './secret-files.ts';

export interface AgentQueues {
  queueUrl: string;
  locations: readonly string[];
  /** Where passwords are kept from start to start. */
  secretsFolder: string;
  log: Log;
}

/**
 * Makes what is missing and returns the addresses. Where the server lets us make no users, the agents share ours, and the log says so.
 * Throws one sentence when it is away: that is no reason to give an agent what is ours.
 */
export async function agentQueueUrls({ queueUrl, locations, secretsFolder, log }: AgentQueues): Promise<Record<string, string>> {
  const urls: Record<string, string> = {};
  for (const location of locations) {
    const password = secretOnce(join(secretsFolder, 'queue'), location);
    try {
      urls[location] = (await addLocation({ url: queueUrl, location, password })).url;
    } catch (error) {
      if (!(error instanceof NoSuchUser)) throw error;
      log.warn({ location }, `The agent shares the queue's own credentials: ${error.message}`);
      urls[location] = queueUrl;
    }
  }
  return urls;
}
