// A whole comparison. Takes versions and a stream of items, gives the tally of all. What is little is done at once;
// for more, threads are started, one for each core, and each gets a portion when it has done the one before.
// Holds a few portions at a time, however much was recorded.

import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type Comparison, comparePortion, type Portion } from './compare.ts';
import type { FromThread, ThreadData, ToThread } from './comparison-thread.ts';
import type { TrafficItem } from './read-item.ts';
import { Tally } from './tally.ts';
import { textsOf } from './versions.ts';

export interface RunOptions {
  /** How many ids are kept of each group of differences. */
  readonly idsMax: number;
  /** How many threads at most; 0 for none. Default: one for each core, 8 at most. */
  readonly threads?: number;
  /** Hears how many items were handed out so far. */
  readonly onProgress?: (items: number) => void;
}

const PORTION_ITEMS = 200;
/** A thread takes about half a second to start; until then one could have done so many. */
const ITEMS_WITHOUT_THREADS = 1_000;
const THREADS_MAX = 8;
/** One portion in work, and one that waits for it to be done. */
const PORTIONS_OF_THREAD_MAX = 2;
/**
 * A thread holds a portion and a tally. Left to itself, V8 would let its garbage grow to several hundred
 * megabytes first. With ids of all events there is more to hold, so no limit is set.
 */
const SMALL_HEAP = { maxOldGenerationSizeMb: 192, maxYoungGenerationSizeMb: 32 };

export async function compareAll(
  items: AsyncIterable<TrafficItem>,
  comparison: Comparison,
  options: RunOptions,
): Promise<Tally> {
  const tally = new Tally(options.idsMax);
  const threadCount = options.threads ?? Math.min(availableParallelism(), THREADS_MAX);
  const threads: Thread[] = [];
  try {
    for await (const portion of portionsOf(items)) {
      options.onProgress?.(portion.firstPlace + portion.items.length);
      if (threadCount === 0 || portion.firstPlace < ITEMS_WITHOUT_THREADS) {
        await comparePortion(portion, comparison, tally);
        continue;
      }
      if (threads.length === 0) {
        for (let index = 0; index < threadCount; index += 1)
          threads.push(new Thread(comparison, options.idsMax));
      }
      await idle(threads);
      leastBusy(threads).give(portion);
    }
    for (const data of await Promise.all(threads.map((thread) => thread.finish()))) {
      tally.merge(data);
    }
    return tally;
  } finally {
    await Promise.all(threads.map((thread) => thread.end()));
  }
}

async function* portionsOf(items: AsyncIterable<TrafficItem>): AsyncGenerator<Portion> {
  let firstPlace = 0;
  let portion: TrafficItem[] = [];
  for await (const item of items) {
    portion.push(item);
    if (portion.length < PORTION_ITEMS) continue;
    yield { firstPlace, items: portion };
    firstPlace += portion.length;
    portion = [];
  }
  if (portion.length > 0) yield { firstPlace, items: portion };
}

/** Resolves when one of the threads can take a portion. */
async function idle(threads: readonly Thread[]): Promise<void> {
  while (threads.every(({ open }) => open >= PORTIONS_OF_THREAD_MAX)) {
    await Promise.race(threads.map((thread) => thread.nextDone()));
  }
}

function leastBusy(threads: readonly Thread[]): Thread {
  return threads.reduce((best, thread) => (thread.open < best.open ? thread : best));
}

class Thread {
  readonly #worker: Worker;
  readonly #tally: Promise<ReturnType<Tally['data']>>;
  #wake: () => void = () => undefined;
  #done: Promise<void>;
  open = 0;

  constructor({ before, after, env }: Comparison, idsMax: number) {
    const texts = { before: textsOf(before), after: textsOf(after) };
    const workerData: ThreadData = { ...texts, env, idsMax };
    // In a bundle the thread is a file of its own beside it.
    const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'mjs';
    const script = new URL(`./comparison-thread.${ending}`, import.meta.url);
    const resourceLimits = Number.isFinite(idsMax) ? SMALL_HEAP : {};
    this.#worker = new Worker(script, { workerData, resourceLimits });
    this.#done = this.#renew();
    this.#tally = new Promise((resolve, reject) => {
      this.#worker.on('error', reject);
      this.#worker.on('message', (message: FromThread) => {
        if (message.kind === 'tally') return resolve(message.data);
        this.open -= 1;
        this.#wake();
        this.#done = this.#renew();
      });
    });
    // Told to whoever waits; until then it is not forgotten, only late.
    this.#tally.catch(() => this.#wake());
  }

  give(portion: Portion): void {
    this.open += 1;
    this.#post({ kind: 'portion', portion });
  }

  /** Resolves when a portion is done; rejects when the thread has died. */
  nextDone(): Promise<unknown> {
    return Promise.race([this.#done, this.#tally]);
  }

  finish(): Promise<ReturnType<Tally['data']>> {
    this.#post({ kind: 'end' });
    return this.#tally;
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #renew(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #post(message: ToThread): void {
    this.#worker.postMessage(message);
  }
}
