/** More failing never lowers what is told: of a service's class, and of whole systems in which one thing more fails. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CLASSES } from '../../core/check.ts';
import { type CheckView, classifyService } from '../../core/classify.ts';
import { EMPTY_STATE, type HeldVerdict } from '../../core/evaluate.ts';
import { aCheck } from '../helpers/domain.ts';
import { PATIENTLY, runs } from './histories.ts';
import { anyLayout, anyOutage, classNow, rank, systemOf, watch } from './systems.ts';

interface Shape {
  held: HeldVerdict;
  /** How it is not well, where no quorum says so. */
  by: 'quorum' | 'one' | 'some';
}

const WORSE: readonly Shape[] = [
  { held: 'unknown', by: 'quorum' },
  { held: 'up', by: 'quorum' },
  { held: 'degraded', by: 'quorum' },
  { held: 'degraded', by: 'one' },
  { held: 'degraded', by: 'some' },
  { held: 'down', by: 'quorum' },
];

const anyService = fc.array(
  fc.record({
    template: fc.nat(2),
    tenant: fc.nat(2),
    critical: fc.boolean(),
    less: fc.nat(WORSE.length - 1),
    more: fc.nat(WORSE.length - 1),
  }),
  { minLength: 1, maxLength: 8 },
);

it('a check that is worse never makes the class of its service better', PATIENTLY, () => {
  fc.assert(
    fc.property(anyService, (checks) => {
      const views = (pick: (one: (typeof checks)[number]) => number) =>
        checks.map(({ template, tenant, critical, ...one }): CheckView => {
          const { held, by } = WORSE[pick({ template, tenant, critical, ...one })]!;
          const state = { ...EMPTY_STATE, held, lone: by === 'one', split: by === 'some' };
          return { check: aCheck({ template: `check-${template}`, tenant: `clinic-${tenant}`, critical }), state };
        });
      const less = classifyService(views((one) => Math.min(one.less, one.more)));
      const more = classifyService(views((one) => Math.max(one.less, one.more)));
      if (rank([more.class]) > rank([less.class])) expect.fail(`${less.class} became ${more.class}`);
    }),
    runs(2_000),
  );
});

/**
 * What fails, fails wherever it is looked at, so that all are asked the same in both. A location that alone fails is another matter: that others
 * are asked to confirm tells more of them, and one that fails at everything is not believed.
 */
it('of two systems, the one in which more fails is told as no less than what fails in the other', PATIENTLY, () => {
  const anyTwo = anyLayout.chain((layout) =>
    fc
      .tuple(
        fc.array(anyOutage(layout.config), { minLength: 1, maxLength: 3 }),
        fc.array(anyOutage(layout.config), { minLength: 1, maxLength: 2 }),
      )
      .map(([events, others]) => ({ less: systemOf(layout, events), more: systemOf(layout, [...events, ...others]) })),
  );
  fc.assert(
    fc.property(anyTwo, ({ less, more }) => {
      const fails = new Map<number, number>();
      watch(less, ({ atMs, views }) => fails.set(atMs, rank([classNow(less.layout.config, views)])));
      watch(more, ({ atMs, world }) => {
        const [now, told] = [fails.get(atMs) ?? 0, rank(world.judging.open.map((incident) => incident.class))];
        if (now < told)
          expect.fail(`at ${atMs / 1_000} s: ${CLASSES[now]} fails with less, and told with more is ${CLASSES[told] ?? 'nothing'}`);
      });
    }),
    runs(25),
  );
});
