// Real servers under everything that may go wrong, for as long as one likes:
//   npm run test:soak -- [--database sqlite|postgres|both] [--deliveries N] [--seed S] [--minutes M]
// 100,000 deliveries on SQLite and 30,000 on PostgreSQL with three replicas unless said otherwise; whatever was
// not sent after the minutes is left out. Exit code 1 where anything was lost, doubled or wrong.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type SoakReport, soak } from '../test/soak/soak.ts';
import { startPostgres } from '../test/support/postgres.ts';

const text = { type: 'string' } as const;
const { values } = parseArgs({
  options: { database: text, deliveries: text, seed: text, minutes: text },
});
const { database = 'both' } = values;
if (!['sqlite', 'postgres', 'both'].includes(database)) {
  throw new Error(`--database takes sqlite, postgres or both, not ${database}`);
}
const seed = numberOf('seed', Date.now() % 1_000_000);
const minutes = numberOf('minutes', Number.POSITIVE_INFINITY);

if (database !== 'postgres') {
  const directory = mkdtempSync(join(tmpdir(), 'keywright-soak-'));
  const databaseUrl = `sqlite:${join(directory, 'journal.db')}`;
  try {
    await run('SQLite', databaseUrl, { replicas: 1, deliveries: 100_000 });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
if (database !== 'sqlite') {
  const postgres = await startPostgres();
  try {
    const databaseUrl = await postgres.createDatabase();
    await run('PostgreSQL', databaseUrl, { replicas: 3, deliveries: 30_000 });
  } finally {
    await postgres.stop();
  }
}

async function run(
  name: string,
  databaseUrl: string,
  size: { replicas: number; deliveries: number },
): Promise<void> {
  console.log(`${name}: seed ${seed}`);
  const report: SoakReport = await soak({
    ...{ databaseUrl, replicas: size.replicas, seed },
    deliveries: numberOf('deliveries', size.deliveries),
    untilMs: Date.now() + minutes * 60_000,
    onProgress: (line) => console.log(`${name}: ${line}`),
  });
  const { wrong, ...counts } = report;
  console.log(`${name}, seed ${seed}: ${JSON.stringify(counts)}`);
  for (const each of wrong.slice(0, 50)) console.log(`  ${each}`);
  console.log(`${name}: ${wrong.length} differences to the model`);
  if (wrong.length > 0) process.exitCode = 1;
}

function numberOf(name: 'deliveries' | 'seed' | 'minutes', otherwise: number): number {
  const number = Number(values[name] ?? otherwise);
  if (Number.isNaN(number) || number <= 0) throw new Error(`--${name} takes a number above 0`);
  return number;
}
