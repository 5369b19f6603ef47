// One thread of the playground, from the server's side. Takes messages, gives the thread's answers; ends the
// thread when an answer takes too long or it needs too much memory, and starts another one for what comes next.
// Ends it as well when nobody has asked for a while, so that a server at rest holds no memory for it.

import { Worker } from 'node:worker_threads';
import type { FromThread, ToThread } from './playground-thread.ts';

/** Loading the engine takes about half a second, several where the machine is busy. */
const START_MS_MAX = 20_000;
const IDLE_MS_MAX = 60_000;
const HEAP = { maxOldGenerationSizeMb: 192, maxYoungGenerationSizeMb: 32 };

export type ThreadAnswer =
  | FromThread
  | { readonly kind: 'too-slow' | 'too-large' }
  /** Something that nobody thought of. */
  | { readonly kind: 'broken'; readonly error: Error };

interface Started {
  readonly worker: Worker;
  /** Hears the next message of the thread. */
  hear: (answer: ThreadAnswer) => void;
}

export class BenchThread {
  #started: Started | undefined;
  #idle: NodeJS.Timeout | undefined;

  /** One message at a time. @param limitMs for the answer; the start of the thread does not count */
  async ask(message: ToThread, limitMs: number): Promise<ThreadAnswer> {
    clearTimeout(this.#idle);
    if (this.#started === undefined) {
      const first = await this.#answer(() => this.#start(), START_MS_MAX);
      if (first.kind !== 'ready') return first;
    }
    const answer = await this.#answer(() => this.#started?.worker.postMessage(message), limitMs);
    this.#idle = setTimeout(() => this.stop(), IDLE_MS_MAX).unref();
    return answer;
  }

  stop(): void {
    clearTimeout(this.#idle);
    const started = this.#started;
    this.#started = undefined;
    if (started === undefined) return;
    started.hear({ kind: 'too-slow' });
    void started.worker.terminate();
  }

  #answer(send: () => void, limitMs: number): Promise<ThreadAnswer> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.stop(), limitMs);
      send();
      if (this.#started === undefined) {
        clearTimeout(timer);
        resolve({ kind: 'too-slow' });
        return;
      }
      this.#started.hear = (answer) => {
        clearTimeout(timer);
        resolve(answer);
      };
    });
  }

  #start(): void {
    // In a bundle the thread is a file of its own beside it.
    const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'mjs';
    const script = new URL(`./playground-thread.${ending}`, import.meta.url);
    const worker = new Worker(script, { resourceLimits: HEAP });
    worker.unref();
    const started: Started = { worker, hear: () => undefined };
    this.#started = started;
    worker.on('message', (answer: FromThread) => started.hear(answer));
    worker.on('error', (error: NodeJS.ErrnoException) => {
      if (this.#started === started) this.#started = undefined;
      const isFull = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      started.hear(isFull ? { kind: 'too-large' } : { kind: 'broken', error });
    });
  }
}
