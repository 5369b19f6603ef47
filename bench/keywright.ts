// Keywright as a process that is measured: put together as `keywright serve` does it, with its journal, log,
// metrics and port. Takes its environment; tells its parent where it listens (probe.ts).

import { readFileSync } from 'node:fs';
import { composeServer } from '../src/app/server.ts';
import { reportToParent } from './probe.ts';

const composition = await composeServer({
  env: process.env,
  readFile: (path) => readFileSync(path, 'utf8'),
  writeLog: (line) => process.stdout.write(line),
  stdoutIsTty: false,
});
if (composition.kind === 'refused') throw new Error(composition.problems.join('\n'));
const { server } = composition;
const { url } = await server.listen();
server.start();
reportToParent(url, () => server.stop());
