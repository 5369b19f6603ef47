// `keywright serve` as a process, but for what no variable says: a clock that is wrong, a short lease, a short
// time-out. Takes them as JSON in its first argument and all else from the environment; for process.ts.

import { readFileSync } from 'node:fs';
import type { World } from '../../src/app/server-options.ts';

export interface Oddities extends Pick<World, 'lease' | 'cryptlexTimeoutMs'> {
  /** How far its clock is ahead. */
  readonly clockOffMs?: number;
}

if (process.argv[1] === import.meta.filename) await serve();

async function serve(): Promise<void> {
  const { clockOffMs = 0, ...world }: Oddities = JSON.parse(process.argv[2] ?? '{}');
  const trueNow = Date.now;
  Date.now = () => trueNow() + clockOffMs;
  const { composeServer } = await import('../../src/app/server.ts');
  const composition = await composeServer({
    ...world,
    env: process.env,
    readFile: (path) => readFileSync(path, 'utf8'),
    writeLog: (line) => process.stdout.write(line),
    stdoutIsTty: false,
  });
  if (composition.kind === 'refused') throw new Error(composition.problems.join('\n'));
  const { server } = composition;
  const stopped = new Promise<void>((resolve) => process.once('SIGTERM', () => resolve()));
  const { url } = await server.listen();
  server.start();
  process.stdout.write(`${JSON.stringify({ url })}\n`);
  await stopped;
  await server.stop();
}
