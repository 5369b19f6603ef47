// The words after `npm run bench --`. Takes them, gives what is to be measured and how long.

import { parseArgs } from 'node:util';
import { PROVIDERS, type Provider } from '../src/core/providers.ts';
import { CONTENDERS, type ContenderName } from './contenders.ts';
import { CASES, type Case } from './events.ts';
import type { GrowthSizes } from './growth.ts';
import type { CellSizes } from './matrix.ts';

export const HELP = `npm run bench -- [options]

Measures Keywright against two yardsticks (bench/yardsticks), all in one run and in turn, and prints tables.

  --short              what CI runs: a few rounds; ends with 1 only where a ratio is far out
  --full               the whole matrix and the longest curves; about an hour
  --only LIST          cases (${CASES.join(', ')})
                       or parts (work, plan, growth, burst, start, memory)
  --provider LIST      stripe, fastspring, paddle
  --contender LIST     ${CONTENDERS.join(', ')}
  --in-flight LIST     deliveries at the same time: 1,16,64,256
  --delay LIST         milliseconds until Cryptlex answers: 0,50
  --rounds N           rounds of each case
  --events N           events in a round
  --profile DIR        writes a processor profile of each server there
  --save FILE          keeps the figures as JSON, with a description of the machine
  --docs               writes the tables of docs/performance.md from bench/results/latest.json, measures nothing
  --help

Example:
  npm run bench -- --only first-purchase --provider stripe --in-flight 16,64 --contender hand-written,sqlite
`;

export const PARTS = ['work', 'plan', 'growth', 'burst', 'start', 'memory'] as const;
export type Part = (typeof PARTS)[number];
export type Length = 'short' | 'usual' | 'full';

export interface BenchOptions {
  readonly length: Length;
  readonly parts: ReadonlySet<Part>;
  readonly cases: readonly Case[];
  readonly providers: readonly Provider[];
  readonly contenders: readonly ContenderName[];
  readonly inFlight: readonly number[];
  readonly delaysMs: readonly number[];
  readonly sizes: CellSizes;
  readonly profileDir: string | undefined;
  readonly saveTo: string | undefined;
  readonly writesDocs: boolean;
}

const SIZES: Readonly<Record<Length, CellSizes>> = {
  short: { rounds: 3, events: 100, warmUp: 150 },
  usual: { rounds: 5, events: 400, warmUp: 800 },
  full: { rounds: 9, events: 600, warmUp: 1_500 },
};

export const GROWTH: Readonly<Record<Length, GrowthSizes>> = {
  short: {
    stored: [0, 2_000],
    waiting: [1, 1_000],
    licenses: [1, 20],
    bytes: [2_000, 50_000],
    rounds: 1,
    events: 30,
  },
  usual: {
    stored: [0, 10_000, 100_000],
    waiting: [1, 1_000, 10_000],
    licenses: [1, 10, 100, 1_000],
    bytes: [2_000, 20_000, 200_000, 900_000],
    ...{ rounds: 5, events: 150 },
  },
  full: {
    stored: [0, 10_000, 100_000, 1_000_000],
    waiting: [1, 1_000, 10_000, 100_000],
    licenses: [1, 10, 100, 1_000, 5_000],
    bytes: [2_000, 20_000, 200_000, 900_000],
    ...{ rounds: 5, events: 200 },
  },
};

/** @throws Error that says which word is not known */
export function readOptions(args: readonly string[]): BenchOptions | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...{ short: { type: 'boolean' }, full: { type: 'boolean' }, help: { type: 'boolean' } },
      ...{ docs: { type: 'boolean' }, only: { type: 'string' }, provider: { type: 'string' } },
      ...{ contender: { type: 'string' }, 'in-flight': { type: 'string' } },
      ...{ delay: { type: 'string' }, rounds: { type: 'string' }, events: { type: 'string' } },
      ...{ profile: { type: 'string' }, save: { type: 'string' } },
    } as const,
  });
  if (values.help === true) return 'help';
  const length: Length = values.short === true ? 'short' : values.full === true ? 'full' : 'usual';
  const only = listOf(values.only, [...CASES, ...PARTS]);
  const cases = CASES.filter((name) => only?.includes(name));
  const parts = PARTS.filter((part) => only?.includes(part));
  const defaults = DEFAULTS[length];
  const sizes = SIZES[length];
  return {
    length,
    parts: new Set(only === undefined ? PARTS : cases.length > 0 ? ['work', ...parts] : parts),
    cases: cases.length > 0 ? cases : defaults.cases,
    providers: listOf(values.provider, PROVIDERS) ?? defaults.providers,
    contenders: listOf(values.contender, CONTENDERS) ?? defaults.contenders,
    inFlight: numbersOf(values['in-flight']) ?? defaults.inFlight,
    delaysMs: numbersOf(values.delay) ?? [0],
    sizes: {
      ...sizes,
      rounds: numbersOf(values.rounds)?.[0] ?? sizes.rounds,
      events: numbersOf(values.events)?.[0] ?? sizes.events,
    },
    profileDir: values.profile,
    saveTo: values.save,
    writesDocs: values.docs === true,
  };
}

type Defaults = Pick<BenchOptions, 'cases' | 'providers' | 'contenders' | 'inFlight'>;

const DEFAULTS: Readonly<Record<Length, Defaults>> = {
  short: {
    cases: ['first-purchase', 'repeat-customer', 'renewal-10', 'duplicate'],
    providers: ['stripe'],
    contenders: ['bare', 'hand-written', 'sqlite'],
    inFlight: [16],
  },
  usual: {
    cases: CASES.filter((name) => name !== 'renewal-1000'),
    providers: PROVIDERS,
    contenders: ['bare', 'hand-written', 'memory', 'sqlite'],
    inFlight: [16],
  },
  full: {
    ...{ cases: CASES, providers: PROVIDERS, contenders: CONTENDERS },
    inFlight: [1, 16, 64, 256],
  },
};

function listOf<Word extends string>(
  text: string | undefined,
  known: readonly Word[],
): readonly Word[] | undefined {
  return text?.split(',').map((word) => {
    const found = known.find((candidate) => candidate === word);
    if (found === undefined) throw new Error(`"${word}" is none of ${known.join(', ')}`);
    return found;
  });
}

function numbersOf(text: string | undefined): readonly number[] | undefined {
  return text?.split(',').map((word) => {
    if (!/^\d+$/.test(word)) throw new Error(`"${word}" is no number`);
    return Number(word);
  });
}
