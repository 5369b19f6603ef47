import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    environment: 'node',
    globalSetup: 'test/support/postgres-setup.ts',
    // Some tests start real processes; a slow machine must not turn that into a failure.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    passWithNoTests: false,
    // Most tests wait for something at some time, so there are more workers than processors.
    maxWorkers: Math.ceil(availableParallelism() * 1.5),
  },
});
