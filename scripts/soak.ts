// The model test for minutes rather than seconds: `npm run test:soak [-- MINUTES [SEED]]`.
// Takes the minutes for each database (5 unless given), gives the counts and the exit code of the tests.

import { spawnSync } from 'node:child_process';

const [minutes = '5', seed] = process.argv.slice(2);
const env = {
  ...process.env,
  MODEL_MINUTES: minutes,
  ...(seed === undefined ? {} : { MODEL_SEED: seed }),
};
const { status } = spawnSync('vitest', ['run', 'test/exactly-once'], { env, stdio: 'inherit' });
process.exitCode = status ?? 1;
