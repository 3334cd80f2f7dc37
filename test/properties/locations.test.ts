/** Of locations: what one of them says alone is never an outage. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CLASSES } from '../../core/check.ts';
import { anyCheckHistory, arrivalOf, endMs, foldAll, historyOf, PATIENTLY, runs } from './histories.ts';
import { anyLayout, anyTroubleAt, rank, systemOf, watch } from './systems.ts';

const SLOTS = 12;

it('whatever one of three or more locations says, the check is never down', PATIENTLY, () => {
  const anyGarbage = anyCheckHistory(SLOTS)
    .filter(({ check }) => check.locations.length >= 3)
    .map(({ check, sayings }) =>
      historyOf(
        check,
        sayings.map((one) => (one.location === check.locations[0] ? one : { ...one, word: 'up' as const })),
      ),
    );
  fc.assert(
    fc.property(anyGarbage, (history) => {
      const steps = foldAll(
        history.check,
        history.sayings.map((one) => arrivalOf(history, one)),
        endMs(history, SLOTS),
      );
      for (const { after } of steps) {
        if (after.held === 'down' || after.moment === 'down' || after.split) expect.fail(`held ${after.held}, ${after.moment} now`);
      }
    }),
    runs(500),
  );
});

it('whatever happens at one of three or more locations, no service is told to be out, and all of it ends', PATIENTLY, () => {
  const anySystem = anyLayout
    .filter(({ config }) => Object.values(config.checks).every((check) => check.locations.length >= 3))
    .chain((layout) =>
      fc
        .constantFrom(...Object.keys(layout.config.locations))
        .chain((place) => fc.array(anyTroubleAt(layout.config, place), { minLength: 1, maxLength: 4 }))
        .map((events) => systemOf(layout, events)),
    );
  fc.assert(
    fc.property(anySystem, (system) => {
      const { judging } = watch(system, ({ atMs, world, views }) => {
        const down = views.filter(({ state }) => state.held === 'down').map(({ check }) => check.id);
        const told = rank(world.judging.open.map((incident) => incident.class));
        if (down.length > 0) expect.fail(`at ${atMs / 1_000} s: down are ${down}`);
        if (told < CLASSES.indexOf('degradation')) expect.fail(`at ${atMs / 1_000} s: told is ${CLASSES[told]}`);
      });
      expect(judging.open).toEqual([]);
    }),
    runs(30),
  );
});
