// The tables of a run. Takes figures, gives rows: as text for a terminal, as Markdown for docs/performance.md.

import { readFileSync, writeFileSync } from 'node:fs';
import { goalLines } from './goals.ts';
import type { Growth } from './growth.ts';
import type { CellResult } from './matrix.ts';
import type { PlanFigures } from './plan.ts';
import { type Results, readLatest } from './results.ts';
import { digits, type Spread, withSpread } from './stats.ts';

export type Rows = readonly (readonly string[])[];

export const CELL_HEADINGS = [
  'case',
  'server',
  'processor µs',
  'by bare',
  'by hand-written',
  'events/s',
  'p50 ms',
  'p99 ms',
  'calls',
] as const;

export function cellRows({ contenders, ...cell }: CellResult): Rows {
  const delay = cell.delayMs === 0 ? '' : `, ${cell.delayMs} ms a call`;
  const name = `${cell.provider} ${cell.name}, ${cell.inFlight} in flight${delay}`;
  return contenders.map((figures) => [
    name,
    figures.contender,
    withSpread(times(figures.cpuMs, 1000)),
    ratioText(figures.cpuByBare),
    ratioText(figures.cpuByHandWritten),
    digits(figures.eventsPerSecond.median),
    digits(figures.p50Ms),
    digits(figures.p99Ms),
    digits(figures.callsPerEvent),
  ]);
}

function ratioText(spread: Spread | undefined): string {
  return spread === undefined ? '–' : withSpread(spread);
}

function times({ median, low, high }: Spread, factor: number): Spread {
  return { median: median * factor, low: low * factor, high: high * factor };
}

export function planRows(plans: readonly PlanFigures[]): Rows {
  const headings = ['rules', 'µs for an event', 'by the shipped ones', 'ms to load'];
  return [
    headings,
    ...plans.map(({ provider, size, microseconds, ratio, loadMs }) => [
      `${provider}, ${sizeText(size)}`,
      withSpread(microseconds),
      withSpread(ratio),
      digits(loadMs),
    ]),
  ];
}

function sizeText({ rules, rulesOfType, catalog }: PlanFigures['size']): string {
  const text = (count: number): string => count.toLocaleString('en');
  if (rules !== undefined) return `${text(rules)} rules more`;
  if (rulesOfType !== undefined) return `${text(rulesOfType)} rules more for this type`;
  return catalog === undefined ? 'as shipped' : `${text(catalog)} catalog lines`;
}

export function growthRows(growth: readonly Growth[]): Rows {
  const headings = ['what grows', 'how many', 'processor µs for each event', 'p50 ms', 'calls'];
  return [
    headings,
    ...growth.flatMap(({ name, unit, points }) =>
      points.map(({ size, cpuMs, p50Ms, callsPerEvent }) => [
        `${name} (${unit})`,
        size.toLocaleString('en'),
        withSpread(times(cpuMs, 1000)),
        digits(p50Ms),
        digits(callsPerEvent),
      ]),
    ),
  ];
}

export function goalRows(results: Results): Rows {
  return [
    ['what', 'goal', 'seen', ''],
    ...goalLines(results).map(({ what, goal, seen, isMet }) => [
      what,
      goal,
      seen,
      isMet ? 'met' : 'missed',
    ]),
  ];
}

export function otherLines({ burst, start, memory }: Results): readonly string[] {
  return [
    burst &&
      `burst: ${burst.sales} sales, ${burst.lost} lost, ${burst.calls} calls; ${digits(burst.tookMs / 1000)} s on its clock, ${digits(burst.neededMs / 1000)} s are what the calls need`,
    start &&
      `start to ready: ${withSpread(start.bundleMs)} ms from the bundle, ${withSpread(start.sourceMs)} ms from the sources; Lambda: ${withSpread(start.lambdaMs)} ms`,
    memory &&
      `heap: ${digits(memory.heapBytesLate / 2 ** 20)} MB after ${memory.events} first purchases, ${digits(memory.heapBytesEarly / 2 ** 20)} MB after a tenth of them`,
  ].filter((line) => typeof line === 'string');
}

function markdown([headings = [], ...rows]: Rows): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(headings), `|${headings.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}

const PAGE = new URL('../docs/performance.md', import.meta.url);

/** Writes the tables between their marks; everything else on the page stays. */
export function writeDocs(): void {
  const results = readLatest();
  const { machine, at } = results;
  const parts: Readonly<Record<string, string>> = {
    machine: `${machine.processor}, ${machine.cores} cores, ${machine.memoryGigabytes} GB, ${machine.system}, Node ${machine.node}; ${at.slice(0, 10)}, with a load of ${machine.loadAtStart} when the run began.`,
    goals: markdown(goalRows(results)),
    work: markdown([CELL_HEADINGS, ...results.cells.flatMap(cellRows)]),
    plan: markdown(planRows(results.plans)),
    growth: markdown(growthRows(results.growth)),
    other: otherLines(results)
      .map((line) => `- ${line}`)
      .join('\n'),
  };
  let page = readFileSync(PAGE, 'utf8');
  for (const [name, text] of Object.entries(parts)) {
    const mark = new RegExp(`(<!-- bench:${name} -->\n)[^]*?(\n<!-- /bench -->)`);
    page = page.replace(mark, (_, open: string, close: string) => `${open}${text}${close}`);
  }
  writeFileSync(PAGE, page);
}
