// The time of one replica in the world's virtual time: it may be off, and it may stand still as by SIGSTOP.
// Takes the world's clock, gives the replica's. What stands still does not hear that time has passed.

import { AsyncLocalStorage } from 'node:async_hooks';
import type { Clock } from '../../src/core/model.ts';

const replicas = new AsyncLocalStorage<ReplicaClock>();

export class ReplicaClock implements Clock {
  readonly #world: Clock;
  readonly #offMs: number;
  #going: Promise<unknown> | undefined;

  constructor(world: Clock, offMs = 0) {
    this.#world = world;
    this.#offMs = offMs;
  }

  /** Whose work is being done; several replicas share a process here. */
  static get ofThisReplica(): ReplicaClock | undefined {
    return replicas.getStore();
  }

  /** What is done in the replica, and all that comes of it. */
  run<Result>(work: () => Result): Result {
    return replicas.run(this, work);
  }

  nowMs(): number {
    return this.#world.nowMs() + this.#offMs;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<boolean> {
    const slept = await this.#world.sleep(ms, signal);
    await this.whileItStands();
    return slept;
  }

  get stands(): boolean {
    return this.#going !== undefined;
  }

  /** Nothing goes on for so long. */
  async standStill(ms: number): Promise<void> {
    this.#going = this.#world.sleep(ms);
    await this.#going;
    this.#going = undefined;
  }

  /** Resolves when it goes on; at once where it does. */
  async whileItStands(): Promise<void> {
    while (this.#going !== undefined) await this.#going;
  }
}
