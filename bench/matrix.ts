// The work, case by case: the same events to each contender, round by round in turn (A B C A B C …), so that a
// machine that slows down slows all of them down. Takes which cases, gives processor time, events a second,
// latency and calls for each contender, and ratios made within each round.

import type { Provider } from '../src/core/providers.ts';
import { type Arena, type Contender, type ContenderName, isYardstick } from './contenders.ts';
import { type Case, createDeliveries } from './events.ts';
import { load } from './load.ts';
import { percentile, type Spread, spreadOf } from './stats.ts';

export interface Cell {
  readonly provider: Provider;
  readonly name: Case;
  readonly inFlight: number;
  readonly delayMs: number;
}

export interface CellSizes {
  readonly rounds: number;
  readonly events: number;
  readonly warmUp: number;
}

export interface ContenderFigures {
  readonly contender: ContenderName;
  /** Processor time of the server's process for each event. */
  readonly cpuMs: Spread;
  readonly eventsPerSecond: Spread;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly callsPerEvent: number;
  /** For each round, this contender's processor time by that of the yardstick in the same round. */
  readonly cpuByBare?: Spread;
  readonly cpuByHandWritten?: Spread;
  /** The same of events a second. */
  readonly speedByHandWritten?: Spread;
  readonly latencyByHandWritten?: Spread;
}

export interface CellResult extends Cell {
  readonly rounds: number;
  readonly events: number;
  readonly contenders: readonly ContenderFigures[];
}

interface Round {
  readonly cpuMs: number;
  readonly eventsPerSecond: number;
  readonly latenciesMs: readonly number[];
  readonly calls: number;
}

/** Statuses that answer a case when all is well. */
const REFUSED: readonly Case[] = ['unmatched', 'forged'];
const CUSTOMERS = 64;

let runs = 0;

export async function measureCell(arena: Arena, cell: Cell, sizes: CellSizes): Promise<CellResult> {
  const { cryptlex } = arena;
  // A yardstick would license a duplicate a second time, which is no work to compare with.
  const contenders = arena.contenders.filter(
    ({ name }) => cell.name !== 'duplicate' || !isYardstick(name),
  );
  const rounds = new Map<Contender, Round[]>(contenders.map((contender) => [contender, []]));
  await cryptlex.tell({ ask: 'delay', delayMs: 0 });
  const prepared = [];
  for (const contender of contenders) prepared.push(await prepare(arena, contender, cell, sizes));
  await cryptlex.tell({ ask: 'delay', delayMs: cell.delayMs });
  for (let round = 0; round < sizes.rounds; round += 1) {
    for (const { contender, make } of prepared) {
      const from = sizes.warmUp + round * sizes.events;
      rounds.get(contender)?.push(await oneRound(arena, { contender, make, from }, cell, sizes));
    }
    // What has been made is not needed any more, but for the customers who come again.
    if (cell.name !== 'repeat-customer') await cryptlex.tell({ ask: 'forget' });
  }
  const roundsOf = (name: ContenderName) =>
    rounds.get(contenders.find((contender) => contender.name === name) as Contender);
  const yardsticks = { bare: roundsOf('bare'), handWritten: roundsOf('hand-written') };
  return {
    ...cell,
    rounds: sizes.rounds,
    events: sizes.events,
    contenders: contenders.map((contender) =>
      figuresOf(contender.name, rounds.get(contender) ?? [], yardsticks, sizes.events),
    ),
  };
}

/** Warm, and with the customers that come again. */
async function prepare(arena: Arena, contender: Contender, cell: Cell, sizes: CellSizes) {
  runs += 1;
  const run = `r${process.pid}n${runs}`;
  const { provider, name } = cell;
  const make = createDeliveries(provider, name, { run, customers: CUSTOMERS });
  const status = REFUSED.includes(name) ? 400 : 200;
  if (name === 'repeat-customer') {
    const first = { from: 0, count: CUSTOMERS, inFlight: 8, status: 200 };
    await load(contender.sender, make, first);
  }
  if (name === 'duplicate')
    await load(contender.sender, make, { from: 0, count: 1, inFlight: 1, status });
  const inFlight = Math.max(8, cell.inFlight);
  await load(contender.sender, make, { from: 0, count: sizes.warmUp, inFlight, status });
  await arena.cryptlex.tell({ ask: 'calls' });
  return { contender, make };
}

async function oneRound(
  { cryptlex }: Arena,
  {
    contender,
    make,
    from,
  }: { contender: Contender; make: Parameters<typeof load>[1]; from: number },
  { name, inFlight }: Cell,
  { events }: CellSizes,
): Promise<Round> {
  const status = REFUSED.includes(name) ? 400 : 200;
  const callsBefore = (await cryptlex.tell({ ask: 'calls' })).calls;
  const before = await contender.usage();
  const { wallMs, latenciesMs } = await load(contender.sender, make, {
    ...{ from, count: events, inFlight, status },
  });
  const after = await contender.usage();
  const { calls } = await cryptlex.tell({ ask: 'calls' });
  return {
    cpuMs: (after.cpuMs - before.cpuMs) / events,
    eventsPerSecond: (events * 1000) / wallMs,
    latenciesMs,
    calls: (calls - callsBefore) / events,
  };
}

function figuresOf(
  contender: ContenderName,
  rounds: readonly Round[],
  yardsticks: { bare: readonly Round[] | undefined; handWritten: readonly Round[] | undefined },
  _events: number,
): ContenderFigures {
  const latencies = rounds.flatMap(({ latenciesMs }) => latenciesMs);
  const by = (other: readonly Round[] | undefined, value: (round: Round) => number) =>
    other === undefined
      ? undefined
      : spreadOf(rounds.map((round, index) => value(round) / value(other[index] ?? round)));
  const cpu = (round: Round): number => round.cpuMs;
  const speed = (round: Round): number => round.eventsPerSecond;
  const latency = (round: Round): number => percentile(round.latenciesMs, 0.5);
  const cpuByBare = by(yardsticks.bare, cpu);
  const cpuByHandWritten = by(yardsticks.handWritten, cpu);
  const speedByHandWritten = by(yardsticks.handWritten, speed);
  const latencyByHandWritten = by(yardsticks.handWritten, latency);
  return {
    contender,
    cpuMs: spreadOf(rounds.map(cpu)),
    eventsPerSecond: spreadOf(rounds.map(speed)),
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    callsPerEvent: spreadOf(rounds.map(({ calls }) => calls)).median,
    ...(cpuByBare === undefined ? {} : { cpuByBare }),
    ...(cpuByHandWritten === undefined ? {} : { cpuByHandWritten }),
    ...(speedByHandWritten === undefined ? {} : { speedByHandWritten }),
    ...(latencyByHandWritten === undefined ? {} : { latencyByHandWritten }),
  };
}
