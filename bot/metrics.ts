/**
 * What the bot counts, on prom-client's default registry. Labels are bounded by this source: verbs, methods and outcomes. People,
 * channels and incidents are none; the audit log has those.
 */
import { Counter, Gauge, Histogram, register } from 'prom-client';
import { SlackTrouble } from './contract.ts';

export const posts = counter(
  'rounds_posts_total',
  'Rows of the outbox by kind and what became of a try at them: sent, refused, unclear, limited, not-sent, auth or gone.',
  ['kind', 'outcome'],
);
export const possibleDuplicates = counter(
  'rounds_possible_duplicates_total',
  'Posts that were sent again though nobody could look whether the first copy was there.',
  [],
);
export const outboxWaiting = gauge('rounds_outbox_waiting', 'Rows of the outbox that wait; the same from each bot.');
export const outboxOldest = gauge(
  'rounds_outbox_oldest_seconds',
  'How long the oldest row of the outbox has waited, 0 when none waits; the same from each bot.',
);

const POST_BUCKETS = [0.25, 0.5, 1, 2, 3, 5, 7.5, 10, 20, 30, 60, 120, 300];
export const firstFailureToPost = histogram(
  'rounds_first_failure_to_post_seconds',
  'From the time for which the first failing run was planned to the post of the incident in Slack.',
  POST_BUCKETS,
);
export const verdictToPost = histogram('rounds_verdict_to_post_seconds', 'From the opening of an incident to its post in Slack.', [
  0.05,
  0.1,
  ...POST_BUCKETS,
]);

export const slackRequests = counter(
  'rounds_slack_requests_total',
  'Requests to Slack by method and outcome: ok, not-sent, unclear, limited, auth, gone or refused.',
  ['method', 'outcome'],
);
export const slackSeconds = labelled('rounds_slack_request_duration_seconds', 'How long Slack took to answer a request.', {
  labelNames: ['method'],
  buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
});
/** Slack waits 3 s: https://docs.slack.dev/interactivity/handling-user-interaction */
export const ackSeconds = histogram(
  'rounds_slack_acknowledgement_duration_seconds',
  'How long a press, command or form took to be acknowledged; Slack waits 3 s.',
  [0.005, 0.02, 0.1, 0.5, 1, 2, 3],
);
/** A trigger is good for 3 s: https://docs.slack.dev/interactivity/handling-user-interaction */
export const formSeconds = histogram(
  'rounds_form_open_seconds',
  'From a press or command to the form that Slack shows; it must be under 3 s.',
  [0.05, 0.1, 0.25, 0.5, 1, 1.5, 2, 3],
);
export const socketConnections = gauge('rounds_socket_connections', 'Connections of Socket Mode that are up.');

export const presses = counter('rounds_presses_total', 'Presses of buttons, by verb and whether they were allowed.', ['verb', 'outcome']);
export const commands = counter('rounds_commands_total', 'Slash commands, by verb.', ['verb']);
export const forms = counter('rounds_forms_total', 'Forms that were sent, by verb and outcome.', ['verb', 'outcome']);
export const homes = counter('rounds_home_views_total', 'Home tabs that were published, by outcome.', ['outcome']);

// Of the process and not of the bot: a worker in the same process counts here too.
export const lastTurn: Gauge<'loop'> =
  (register.getSingleMetric('rounds_loop_last_turn_timestamp_seconds') as Gauge<'loop'> | undefined) ??
  new Gauge({
    name: 'rounds_loop_last_turn_timestamp_seconds',
    help: 'When a loop of the process last ended a turn without an error.',
    labelNames: ['loop'],
  });
export const failedTurns = counter('rounds_loop_failed_turns_total', 'Turns of a loop that ended with an error.', ['loop']);

/** Makes a request to Slack and counts what came of it. Throws what it throws. */
export async function slackRequest<T>(method: string, request: () => Promise<T>): Promise<T> {
  const end = slackSeconds.startTimer({ method });
  try {
    const answer = await request();
    slackRequests.inc({ method, outcome: 'ok' });
    return answer;
  } catch (error) {
    slackRequests.inc({ method, outcome: error instanceof SlackTrouble ? error.kind : 'unclear' });
    throw error;
  } finally {
    end();
  }
}

// The default register belongs to the process; a second bot in it, as in tests, counts with the first.
function counter<T extends string>(name: string, help: string, labelNames: T[]): Counter<T> {
  return (register.getSingleMetric(name) as Counter<T> | undefined) ?? new Counter({ name, help, labelNames });
}
function gauge(name: string, help: string): Gauge {
  return (register.getSingleMetric(name) as Gauge | undefined) ?? new Gauge({ name, help });
}
function histogram(name: string, help: string, buckets: number[]): Histogram {
  return labelled(name, help, { labelNames: [], buckets });
}
function labelled<T extends string>(name: string, help: string, options: { labelNames: T[]; buckets: number[] }): Histogram<T> {
  return (register.getSingleMetric(name) as Histogram<T> | undefined) ?? new Histogram({ name, help, ...options });
}
