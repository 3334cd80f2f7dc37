/** What the bot counts. Names are the same whatever the process. */
import { Counter, Gauge, Histogram, register } from 'prom-client';

/** Posts by kind and by what became of them: `sent`, `refused`, `unclear`, `limited`, `not-sent`, `auth`. */
export const posts = counter('rounds_posts_total', 'Requests to Slack by kind and outcome', ['kind', 'outcome']);
/** Sent again though nobody could look whether the first copy was there. */
export const possibleDuplicates = counter('rounds_possible_duplicates_total', 'Posts that may be there twice', []);
export const presses = counter('rounds_presses_total', 'Presses of buttons by verb and outcome', ['verb', 'outcome']);
export const commands = counter('rounds_commands_total', 'Slash commands by verb', ['verb']);
export const outboxWaiting = gauge('rounds_outbox_waiting', 'Rows of the outbox that wait');
export const outboxOldest = gauge('rounds_outbox_oldest_seconds', 'How long the oldest row of the outbox has waited');
export const ackSeconds = histogram('rounds_ack_seconds', 'From Bolt to the acknowledgement', [0.005, 0.02, 0.1, 0.5, 1, 2, 3]);
/** A trigger is good for 3 s: https://docs.slack.dev/interactivity/handling-user-interaction */
export const formSeconds = histogram(
  'rounds_form_open_seconds',
  'From a press to the form that Slack shows',
  [0.05, 0.1, 0.25, 0.5, 1, 1.5, 2, 3],
);
export const forms = counter('rounds_forms_total', 'Forms that were sent, by verb and outcome', ['verb', 'outcome']);
export const homes = counter('rounds_home_views_total', 'Home tabs published, by outcome', ['outcome']);
export const socketConnections = gauge('rounds_socket_connections', 'Connections of Socket Mode that are up');
/** From the row of the outbox to Slack's answer. */
export const postSeconds = histogram('rounds_post_seconds', 'How long Slack took to accept a post', [0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 120]);

// The default register belongs to the process; a second bot in it, as in tests, counts with the first.
function counter<T extends string>(name: string, help: string, labelNames: T[]): Counter<T> {
  return (register.getSingleMetric(name) as Counter<T> | undefined) ?? new Counter({ name, help, labelNames });
}
function gauge(name: string, help: string): Gauge {
  return (register.getSingleMetric(name) as Gauge | undefined) ?? new Gauge({ name, help });
}
function histogram(name: string, help: string, buckets: number[]): Histogram {
  return (register.getSingleMetric(name) as Histogram | undefined) ?? new Histogram({ name, help, buckets });
}
