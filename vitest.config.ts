import { defineConfig } from 'vitest/config';

const shared = {
  globalSetup: ['test/setup/global.ts'],
  pool: 'forks' as const,
  testTimeout: 30_000,
  hookTimeout: 30_000,
  teardownTimeout: 20_000,
};

/** Parts first, two files at once. Then the whole system, alone: it needs both cores to itself to keep its slots; `.ci/run` adds what is heavy. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...shared,
          name: 'parts',
          include: ['test/**/*.test.ts'],
          exclude: ['test/acceptance/**', 'test/heavy/**'],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...shared,
          name: 'acceptance',
          include: ['test/acceptance/**/*.test.ts'],
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
      // Only where it is asked for: `npm test -- --project heavy`.
      {
        test: {
          ...shared,
          name: 'heavy',
          include: ['test/heavy/**/*.test.ts'],
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
    ],
    // A test run without tests proves nothing.
    passWithNoTests: false,
    reporters: ['default'],
  },
});
