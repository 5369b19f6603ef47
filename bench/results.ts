// The figures of one run, as they are kept: bench/results/*.json. Types, and the description of the machine.

import { readFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import type { BurstFigures } from './burst.ts';
import type { Growth } from './growth.ts';
import type { CellResult } from './matrix.ts';
import type { PlanFigures } from './plan.ts';
import type { MemoryFigures, StartFigures } from './start.ts';

export interface Results {
  readonly at: string;
  readonly length: string;
  readonly machine: {
    readonly system: string;
    readonly processor: string;
    readonly cores: number;
    readonly memoryGigabytes: number;
    readonly node: string;
    /** Processes that wanted to run, over the last minute, when the run began. */
    readonly loadAtStart: number;
  };
  cells: CellResult[];
  /** What the goals are about: first purchases at 64 in flight, and one at a time with a slow Cryptlex. */
  plans: readonly PlanFigures[];
  growth: readonly Growth[];
  burst?: BurstFigures;
  start?: StartFigures;
  memory?: MemoryFigures;
}

export function newResults(length: string, loadAtStart: number): Results {
  const processors = cpus();
  return {
    at: new Date().toISOString(),
    length,
    machine: {
      system: `${type()} ${release()}`,
      processor: processors[0]?.model.trim() ?? 'unknown',
      cores: processors.length,
      memoryGigabytes: Math.round(totalmem() / 2 ** 30),
      node: process.version,
      loadAtStart: Math.round(loadAtStart * 10) / 10,
    },
    ...{ cells: [], plans: [], growth: [] },
  };
}

export const LATEST = new URL('./results/latest.json', import.meta.url);

export function readLatest(): Results {
  return JSON.parse(readFileSync(LATEST, 'utf8')) as Results;
}
