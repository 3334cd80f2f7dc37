/** The configuration that the pipeline is measured with: many HTTP checks of one location, as a `rounds.yaml`. */

/** Services are judged one by one, so nobody puts thousands of checks into one. */
const CHECKS_PER_SERVICE = 100;

export interface LoadOptions {
  checks: number;
  everySeconds: number;
  targetUrl: string;
}

/** The location of the only agent. */
export const LOCATION = 'north';

/** The text of the file. JSON is YAML, too; without line breaks, since a file may have 1 MB. */
export function loadConfigText({ checks, everySeconds, targetUrl }: LoadOptions): string {
  const numbers = Array.from({ length: checks }, (_, index) => index);
  const serviceOf = (index: number) => `service-${Math.floor(index / CHECKS_PER_SERVICE)}`;
  const config = {
    version: 1,
    timezone: 'UTC',
    locations: { [LOCATION]: { title: 'North' } },
    people: { ana: { name: 'Ana', slack: 'U0ANA' } },
    teams: { operations: { channel: '#operations', members: ['ana'] } },
    services: Object.fromEntries(numbers.map((index) => [serviceOf(index), { owner: 'operations' }])),
    checks: Object.fromEntries(
      numbers.map((index) => [
        `check-${index}`,
        {
          service: serviceOf(index),
          every: `${everySeconds}s`,
          locations: [LOCATION],
          http: { url: `${targetUrl}/status/${index}`, expect: { status: 200 } },
        },
      ]),
    ),
  };
  return JSON.stringify(config);
}
