/**
 * While `rounds up` runs: the configuration in force decides which agents there are, whoever applied it; and SIGHUP puts the file in
 * force again.
 */
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../core/config/model.ts';
import { openPool } from '../store/db.ts';
import { watchConfig } from '../store/in-force.ts';
import { applyAgain } from './apply.ts';
import { readWritten } from './config.ts';
import type { Log } from './context.ts';
import type { ChildSpec, Supervisor } from './supervisor.ts';
import { agentsOf, isAgent, type UpPlan } from './up-children.ts';
import { secretNames } from './up-config.ts';
import { agentQueueUrls } from './up-locations.ts';

const RETRY_MS = 2_000;

export interface FollowOptions {
  plan: UpPlan;
  children: readonly ChildSpec[];
  supervisor: Pick<Supervisor, 'update'>;
  secretsFolder: string;
  /** Writes the configuration anew where it is made from another file, and returns its path. */
  writeConfig(): string;
  log: Log;
  /** How long to wait before agents that could not be started are tried again; 2 s unless told. */
  retryMs?: number;
}

export interface Following {
  /** Reads the file again and puts it in force; what is wrong with it is logged. */
  reload(): Promise<void>;
  stop(): Promise<void>;
}

/** Begins to follow. The worker must have put a configuration in force. */
export async function followConfig(options: FollowOptions): Promise<Following> {
  const { plan, log } = options;
  const pool = openPool({ url: plan.databaseUrl, name: 'up', max: 1, log });
  let fitting = Promise.resolve();
  let wanted: Config | undefined;
  const onChange = (config: Config) => {
    wanted = config;
    fitting = fitting.then(() => fitUntilDone(options, config, () => wanted === config));
  };
  const watch = await watchConfig({ pool, log, read: readWritten, onChange });
  onChange(watch.config);
  return {
    reload: async () => {
      try {
        await applyAgain({ pool, file: options.writeConfig(), by: `up@${hostname()}/${process.pid}`, log });
        await watch.refreshConfig();
      } catch (error) {
        log.error({ err: error }, `The configuration could not be read again: ${(error as Error).message}`);
      }
    },
    stop: async () => {
      wanted = undefined;
      await watch.stop();
      await fitting;
      await pool.end();
    },
  };
}

/** The queue may be away while a location is added: nobody else would start its agent. */
async function fitUntilDone(options: FollowOptions, config: Config, isWanted: () => boolean): Promise<void> {
  while (isWanted()) {
    try {
      return await fitAgents(options, config);
    } catch (error) {
      options.log.error({ err: error }, `The agents do not fit the configuration yet: ${(error as Error).message}`);
      await sleep(options.retryMs ?? RETRY_MS);
    }
  }
}

/** Starts the agents of new locations and stops those of locations that are gone; all else goes on. */
async function fitAgents({ plan, children, supervisor, secretsFolder, log }: FollowOptions, config: Config): Promise<void> {
  const locations = Object.keys(config.locations);
  const fresh = locations.filter((location) => plan.agentQueueUrls[location] === undefined);
  const made = await agentQueueUrls({ queueUrl: plan.queueUrl, locations: fresh, secretsFolder, log });
  Object.assign(plan.agentQueueUrls, made);
  const facts = { ...plan.facts, locations, secrets: secretNames(JSON.stringify(config)) };
  await supervisor.update([...children.filter(({ name }) => !isAgent(name)), ...agentsOf({ ...plan, facts })]);
}
