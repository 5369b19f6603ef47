import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    environment: 'node',
    globalSetup: 'test/support/postgres-setup.ts',
    // A test waits for facts. These limits only end what hangs, and are long enough for a machine that has
    // ten times more to do than it can; no test has one of its own.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 300_000, interval: 25 } },
    passWithNoTests: false,
    // Most tests wait for something at some time, so there are more workers than processors.
    maxWorkers: Math.ceil(availableParallelism() * 1.5),
  },
});
