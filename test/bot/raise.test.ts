import { expect, it } from 'vitest';
import { renderThread } from '../../bot/render/thread.ts';
import type { TimelineEntry } from '../../core/incident.ts';
import { NOON_MS } from '../helpers/domain.ts';

const raised: TimelineEntry = {
  kind: 'class-raised',
  from: 'risk',
  to: 'full interruption',
  headline: 'Patient billing: full interruption.',
  reason: 'no-critical-journey-succeeds',
  onCall: ['ana'],
};

it('calls who is on call when an incident is raised, and nobody else', () => {
  const mention = (person: string) => `<@U0${person.toUpperCase()}>`;
  const line = (entry: TimelineEntry) => JSON.stringify(renderThread(entry, NOON_MS, 'UTC', (id) => id, mention).blocks);
  expect(line(raised)).toContain('<@U0ANA>');
  expect(line({ ...raised, kind: 'class-lowered' })).not.toContain('<@');
});
