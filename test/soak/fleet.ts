// The replicas of a soak, as processes of their own: some are killed with kill -9, some stand still by SIGSTOP
// past their lease, and their clocks are an hour apart. Takes what to start, gives whom to send to.

import { randomOf } from '../../src/authoring/simulator/random.ts';
import type { ServedSandbox } from '../../src/sandbox/compose-sandbox.ts';
import { type ServerProcess, startServerProcess } from '../resilience/process.ts';

const HOUR_MS = 3_600_000;
const SKEWS_MS = [0, HOUR_MS, -HOUR_MS] as const;
/** Shorter than the real one, so that a call that is lost does not hold one of the few at once for long. */
const CALL_TIMEOUT_MS = 1_500;
const PAUSE_MS_MIN = 8_000;
const PAUSE_MS_MAX = 40_000;
/** Within the lease of 20 s, and far beyond it. */
const DOWN_MS = [0, 2_000, 8_000, 25_000, 45_000] as const;

export interface FleetOptions {
  readonly cryptlex: ServedSandbox;
  readonly env: Readonly<Record<string, string>>;
  readonly replicas: number;
  readonly seed: number;
}

export class Fleet {
  readonly counts = { kills: 0, stops: 0 };
  readonly #options: FleetOptions;
  readonly #random: () => number;
  readonly #places: (ServerProcess | undefined)[] = [];
  readonly #ending = new AbortController();
  #troubling: Promise<unknown> = Promise.resolve();

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#random = randomOf(options.seed);
  }

  async start(): Promise<void> {
    const places = Array.from({ length: this.#options.replicas }, (_, place) => place);
    await Promise.all(places.map((place) => this.#startOne(place)));
  }

  async #startOne(place: number): Promise<void> {
    const { cryptlex, env } = this.#options;
    const clockOffMs = SKEWS_MS[place % SKEWS_MS.length] ?? 0;
    const oddities = { clockOffMs, cryptlexTimeoutMs: CALL_TIMEOUT_MS };
    this.#places[place] = await startServerProcess(cryptlex, env, oddities);
  }

  /** One of those that run; undefined while none does. */
  pick(): ServerProcess | undefined {
    const running = this.#places.filter((server) => server !== undefined);
    return running[Math.floor(this.#random() * running.length)];
  }

  beginTrouble(): void {
    this.#troubling = Promise.all(this.#places.map((_, place) => this.#trouble(place)));
  }

  async #trouble(place: number): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      await pause(PAUSE_MS_MIN + this.#random() * (PAUSE_MS_MAX - PAUSE_MS_MIN), signal);
      const server = this.#places[place];
      if (signal.aborted || server === undefined) return;
      const downMs = DOWN_MS[Math.floor(this.#random() * DOWN_MS.length)] ?? 0;
      if (this.#random() < 0.5) {
        this.counts.stops += 1;
        server.signal('SIGSTOP');
        await pause(downMs, signal);
        server.signal('SIGCONT');
      } else {
        this.counts.kills += 1;
        this.#places[place] = undefined;
        await server.end('SIGKILL');
        await pause(downMs, signal);
        await this.#startOne(place);
      }
    }
  }

  /** All run again, and go on. */
  async endTrouble(): Promise<void> {
    this.#ending.abort();
    await this.#troubling;
  }

  async stop(): Promise<void> {
    await this.endTrouble();
    await Promise.all(this.#places.map((server) => server?.end('SIGTERM')));
  }
}

/** Until the time is over, or the signal says that nothing is waited for any more. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}
