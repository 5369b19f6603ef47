// npm run bench: how fast Keywright is, and how frugal, against two yardsticks. Prints tables; ratios are made
// within one run. Ends with 1 only where something is far out. See options.ts, and docs/performance.md for how
// each figure is made.

import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { startPostgres, type TestPostgres } from '../test/support/postgres.ts';
import { measureBurst } from './burst.ts';
import { type Arena, openArena } from './contenders.ts';
import { missingCase } from './events.ts';
import { goalLines } from './goals.ts';
import { measureGrowth } from './growth.ts';
import { type Cell, type CellSizes, measureCell } from './matrix.ts';
import { type BenchOptions, GROWTH, HELP, readOptions } from './options.ts';
import { measurePlans, type PlanFigures, type RulesOfSize } from './plan.ts';
import {
  CELL_HEADINGS,
  cellRows,
  goalRows,
  growthRows,
  otherLines,
  planRows,
  writeDocs,
} from './report.ts';
import { newResults, type Results } from './results.ts';
import { measureMemory, measureStarts } from './start.ts';
import { table } from './stats.ts';

function cellsOf({ length, cases, providers, inFlight, delaysMs }: BenchOptions): readonly Cell[] {
  const delays = length === 'full' ? [0, 50] : delaysMs;
  const cells = providers.flatMap((provider) =>
    cases
      .filter((name) => missingCase(provider, name) === undefined)
      .flatMap((name) =>
        inFlight.flatMap((count) =>
          delays.map((delayMs) => ({ provider, name, inFlight: count, delayMs })),
        ),
      ),
  );
  return cells;
}

/** What the goals ask for beside the chosen cells. */
function goalCells({ length, cases, providers }: BenchOptions): readonly Cell[] {
  if (length === 'full' || !cases.includes('first-purchase') || !providers.includes('stripe'))
    return [];
  const sale = { provider: 'stripe', name: 'first-purchase' } as const;
  return [
    { ...sale, inFlight: 64, delayMs: 0 },
    { ...sale, inFlight: 1, delayMs: 50 },
  ];
}

/** Cells that take long get fewer events: 1,000 calls for each, or 150 ms of waiting. */
function sizesFor({ name, delayMs, inFlight }: Cell, sizes: CellSizes): CellSizes {
  if (name === 'renewal-1000') return { ...sizes, events: 6, warmUp: 6 };
  if (name === 'order-50') return { ...sizes, events: Math.ceil(sizes.events / 8), warmUp: 40 };
  if (delayMs > 0) return { ...sizes, events: Math.min(sizes.events, inFlight * 10), warmUp: 300 };
  return sizes;
}

async function runWork(options: BenchOptions, results: Results): Promise<void> {
  let postgres: TestPostgres | undefined;
  let arena: Arena | undefined;
  try {
    if (options.contenders.includes('postgres')) postgres = await startPostgres();
    arena = await openArena({
      names: options.contenders,
      profileDir: options.profileDir,
      postgresUrl: await postgres?.createDatabase(),
    });
    for (const cell of [...cellsOf(options), ...goalCells(options)]) {
      const result = await measureCell(arena, cell, sizesFor(cell, options.sizes));
      results.cells.push(result);
      console.log(`\n${table([CELL_HEADINGS, ...cellRows(result)])}`);
    }
  } finally {
    await arena?.close();
    await postgres?.stop();
  }
}

const PLAN_SIZES: readonly RulesOfSize[] = [
  {},
  { rules: 10 },
  { rules: 1_000 },
  { rules: 10_000 },
  { rulesOfType: 10 },
  { rulesOfType: 100 },
  { rulesOfType: 1_000 },
  { catalog: 10 },
  { catalog: 1_000 },
  { catalog: 100_000 },
];

async function runPlans({ length, providers }: BenchOptions): Promise<readonly PlanFigures[]> {
  const isShort = length === 'short';
  const plans: PlanFigures[] = [];
  for (const provider of providers) {
    const sizes = PLAN_SIZES.filter(
      ({ rules = 0, rulesOfType = 0, catalog = 0 }) =>
        (provider !== 'stripe' || catalog === 0) &&
        (!isShort || Math.max(rules, rulesOfType, catalog) <= 1_000),
    );
    const amount = isShort ? { rounds: 5, events: 50 } : { rounds: 15, events: 200 };
    plans.push(...(await measurePlans(provider, sizes, amount)));
  }
  return plans;
}

async function run(options: BenchOptions): Promise<boolean> {
  const { length, parts, saveTo } = options;
  const results = newResults(length, loadavg()[0] ?? 0);
  const { machine } = results;
  console.log(
    `Node ${machine.node}, ${machine.cores} cores, ${machine.processor}, ${machine.system}`,
  );
  if (parts.has('work')) await runWork(options, results);
  if (parts.has('plan')) {
    results.plans = await runPlans(options);
    console.log(`\n${table(planRows(results.plans))}`);
  }
  if (parts.has('growth')) {
    results.growth = await measureGrowth(GROWTH[length]);
    console.log(`\n${table(growthRows(results.growth))}`);
  }
  if (parts.has('burst'))
    results.burst = length === 'short' ? await measureBurst(60, 4) : await measureBurst(1_000, 20);
  if (parts.has('start')) results.start = await measureStarts(length === 'short' ? 1 : 7);
  if (parts.has('memory')) {
    results.memory = await measureMemory({ short: 1_000, usual: 10_000, full: 100_000 }[length]);
  }
  console.log(['', ...otherLines(results)].join('\n'));
  console.log(`\n${table(goalRows(results))}`);
  if (saveTo !== undefined) writeFileSync(saveTo, `${JSON.stringify(results, null, 1)}\n`);
  const farOut = goalLines(results).filter(({ isFarOut }) => isFarOut);
  for (const { what, goal, seen } of farOut) console.log(`\nfar out: ${what}: ${seen}, ${goal}`);
  return farOut.length > 0;
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') process.stdout.write(HELP);
  else if (options.writesDocs) writeDocs();
  else if (await run(options)) process.exitCode = 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
