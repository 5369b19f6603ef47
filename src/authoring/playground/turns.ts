// Who may use a process next. Takes work of several owners, runs one after the other, the owners by turns, so
// that nobody who asks often makes the others wait for all of it.

import type { NotAnswered } from './playground.ts';

/** Owners that may wait at the same time, and pieces of work that wait of one of them. */
const OWNERS_MAX = 20;
const WAITING_OF_ONE_MAX = 10;

type Start = (mayGo: boolean) => void;

export class Turns {
  readonly #waiting = new Map<string, Start[]>();
  #isBusy = false;

  /** @param keepsOlder false: of this owner only the newest waits, which is how people type */
  async take<Answer>(
    owner: string,
    keepsOlder: boolean,
    work: () => Promise<Answer | NotAnswered>,
  ): Promise<Answer | NotAnswered> {
    const own = this.#waiting.get(owner) ?? [];
    if (!keepsOlder) for (const start of own.splice(0)) start(false);
    if (own.length === 0) this.#waiting.delete(owner);
    if (own.length >= WAITING_OF_ONE_MAX || this.#waiting.size >= OWNERS_MAX) {
      return { kind: 'busy' };
    }
    if (this.#isBusy) {
      this.#waiting.set(owner, own);
      const mayGo = await new Promise<boolean>((resolve) => own.push(resolve));
      if (!mayGo) return { kind: 'superseded' };
    }
    this.#isBusy = true;
    try {
      return await work();
    } finally {
      this.#startNext();
    }
  }

  #startNext(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#isBusy = false;
      return;
    }
    const [owner, [start, ...later]] = next;
    this.#waiting.delete(owner);
    // Behind all others: it is their turn now.
    if (later.length > 0) this.#waiting.set(owner, later);
    start?.(true);
  }
}
