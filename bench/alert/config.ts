/** The configuration that alerts are measured with: many services, each with a check, a team and a channel of its own, as a `rounds.yaml`. */

export const LOCATIONS = ['north', 'south', 'cloud'] as const;

export interface AlertConfigOptions {
  services: number;
  everySeconds: number;
  /** What one attempt may take. */
  timeoutMs: number;
  targetUrl: string;
}

/** The channel of a service, without its `#`. Its own, since Slack takes one post a second and channel. */
export function channelOf(service: number): string {
  return `alerts-${service}`;
}

/** The check of a service. */
export function checkOf(service: number): string {
  return `check-${service}`;
}

/** The text of the file. JSON is YAML, too. */
export function alertConfigText({ services, everySeconds, timeoutMs, targetUrl }: AlertConfigOptions): string {
  const numbers = Array.from({ length: services }, (_, index) => index);
  const each = <T>(keyOf: (index: number) => string, make: (index: number) => T) =>
    Object.fromEntries(numbers.map((index) => [keyOf(index), make(index)]));
  return JSON.stringify({
    version: 1,
    timezone: 'UTC',
    locations: Object.fromEntries(LOCATIONS.map((location) => [location, {}])),
    people: { ana: { name: 'Ana', slack: 'U0ANA' } },
    teams: each(
      (index) => `team-${index}`,
      (index) => ({ channel: `#${channelOf(index)}`, members: ['ana'] }),
    ),
    services: each(
      (index) => `service-${index}`,
      (index) => ({ tier: 1, owner: `team-${index}` }),
    ),
    checks: each(checkOf, (index) => ({
      service: `service-${index}`,
      critical: true,
      every: `${everySeconds}s`,
      timeout: `${timeoutMs}ms`,
      http: { url: `${targetUrl}/${index}`, expect: { status: 200 } },
    })),
  });
}
