// The goals, and what was seen of them. Takes the figures of a run, gives a line for each goal. A goal whose
// figure is missing is left out; one that is missed says so.

import type { Provider } from '../src/core/providers.ts';
import type { ContenderName } from './contenders.ts';
import type { Case } from './events.ts';
import type { ContenderFigures } from './matrix.ts';
import type { Results } from './results.ts';
import { digits } from './stats.ts';

export interface GoalLine {
  readonly what: string;
  readonly goal: string;
  readonly seen: string;
  readonly isMet: boolean;
  /** Something is broken, not only slower than it should be; what CI looks at. */
  readonly isFarOut: boolean;
}

interface Bound {
  readonly what: string;
  readonly value: number | undefined;
  /** The figure has to be at most, or at least, this. */
  readonly most?: number;
  readonly least?: number;
  readonly unit?: string;
  /** How many times worse than the goal is far out: 1 for counts, never for what depends on the machine. */
  readonly slack?: number;
}

/** A machine that does other things as well is not blamed. */
const SLACK = 10;
const MEGABYTE = 2 ** 20;

export function goalLines(results: Results): readonly GoalLine[] {
  return boundsOf(results).flatMap((bound) => {
    const { what, value, most, least, unit = '', slack = SLACK } = bound;
    if (value === undefined || Number.isNaN(value)) return [];
    const goal = most === undefined ? `at least ${least}${unit}` : `at most ${most}${unit}`;
    const isMet = most === undefined ? value >= (least ?? 0) : value <= most;
    const isFarOut =
      most === undefined ? value * slack < (least ?? 0) : value > Math.max(most * slack, most);
    return [{ what, goal, seen: `${digits(value)}${unit}`, isMet, isFarOut }];
  });
}

function boundsOf(results: Results): readonly Bound[] {
  const { plans, start, memory, burst } = results;
  const busy = figuresOf(results, 'first-purchase', { inFlight: 64, delayMs: 0 });
  const cpu = busy ?? figuresOf(results, 'first-purchase', { inFlight: 16, delayMs: 0 });
  const slow = figuresOf(results, 'first-purchase', { inFlight: 1, delayMs: 50 });
  const calls = (name: Case) => figuresOf(results, name, {})?.callsPerEvent;
  const plan = plans.filter(({ size }) => Object.keys(size).length === 0);
  const grown = (member: 'rules' | 'catalog', count: number) =>
    plans.filter(({ size }) => size[member] === count).map(({ ratio }) => ratio.median);
  return [
    bound(
      'processor time of a first purchase, by hand-written',
      cpu?.cpuByHandWritten?.median,
      0.6,
    ),
    bound('processor time of a first purchase, by bare', cpu?.cpuByBare?.median, 1.6),
    {
      what: 'first purchases a second at 64 in flight, by hand-written',
      ...{ value: busy?.speedByHandWritten?.median, least: 1.5 },
    },
    bound(
      'latency of a first purchase, 50 ms for each call, by hand-written',
      slow?.latencyByHandWritten?.median,
      0.7,
    ),
    ...plan.map(({ provider, microseconds }) =>
      bound(
        `verify, match and plan of a first purchase (${provider})`,
        microseconds.median,
        80,
        ' µs',
      ),
    ),
    bound('the same with 10,000 rules, by the shipped ones', greatest(grown('rules', 10_000)), 1.2),
    bound('the same with 100,000 catalog lines', greatest(grown('catalog', 100_000)), 1.2),
    count('calls of a first purchase', calls('first-purchase'), 2),
    count('calls of a repeat customer', calls('repeat-customer'), 1),
    count('calls of a renewal of 10 licenses', calls('renewal-10'), 11),
    count('calls of a duplicate', calls('duplicate'), 0),
    count('sales of a burst that were lost or refused', burst && burst.lost + burst.refused, 0),
    bound('time of a burst, by what its calls alone need', burst?.ratio, 1.1),
    bound('start to ready, from the bundle', start?.bundleMs.median, 300, ' ms'),
    bound('memory at rest', start?.restBytes && start.restBytes / MEGABYTE, 120, ' MB'),
    bound(`heap after ${memory?.events} events, by a tenth of them`, memory?.ratio, 1.1),
    bound('Lambda: process to first answer', start?.lambdaMs.median, 400, ' ms'),
  ];
}

/** With a unit it is a figure of this machine; without, a ratio made within one run. */
function bound(what: string, value: number | undefined, most: number, unit = ''): Bound {
  return { what, value, most, unit, slack: unit === '' ? SLACK : Number.POSITIVE_INFINITY };
}

/** Depends on no machine, so one more is far out. */
function count(what: string, value: number | undefined, most: number): Bound {
  return { what, value, most, slack: 1 };
}

function greatest(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : Math.max(...values);
}

/** Stripe's, with SQLite, as the goals have it; the first cell that fits. */
function figuresOf(
  { cells }: Results,
  name: Case,
  wanted: { inFlight?: number; delayMs?: number },
): ContenderFigures | undefined {
  const provider: Provider = 'stripe';
  const contender: ContenderName = 'sqlite';
  const cell = cells.find(
    (candidate) =>
      candidate.provider === provider &&
      candidate.name === name &&
      (wanted.inFlight === undefined || candidate.inFlight === wanted.inFlight) &&
      (wanted.delayMs === undefined || candidate.delayMs === wanted.delayMs),
  );
  return cell?.contenders.find((candidate) => candidate.contender === contender);
}
