// The brake as the journal keeps it: which licenses an event is about to take away, and whether that is too many.
// Types, and the one decision; the count is made where things are stored.

import { type BrakeLimit, type BrakeLimits, formatBrakeLimit } from '../core/brake.ts';

/** What an event is about to do; each operation counts once, however often it is asked about. */
export interface BrakeQuestion {
  readonly eventKey: string;
  readonly source: string;
  readonly operations: readonly { readonly key: string; readonly action: string }[];
  readonly limits: BrakeLimits;
}

export type BrakeAnswer =
  /** They count from now on. */
  | { readonly kind: 'free' }
  /** None of them counts; the event is held whole. */
  | { readonly kind: 'held'; readonly reason: string };

/** How a person sees an event that was held: it is held, was let go, or was dropped. */
export type BrakeMark = 'held' | 'released' | 'dropped';

/** @param counted how many licenses of the source the action took within its limit's time */
export function decideBrake(
  action: string,
  wanted: number,
  counted: number,
  limit: BrakeLimit,
): BrakeAnswer {
  if (counted + wanted <= limit.licenses) return { kind: 'free' };
  const name = action.slice(action.indexOf('.') + 1);
  const reason = `it would ${name} ${wanted} ${wanted === 1 ? 'license' : 'licenses'}, ${counted} were counted before, and the brake of this source is ${name}: ${formatBrakeLimit(limit)}`;
  return { kind: 'held', reason };
}

/** Counts in the memory of a process, for as long as it lives. */
export class BrakeCounts {
  readonly #counted = new Map<string, { eventKey: string; name: string; atMs: number }>();

  ask({ eventKey, source, operations, limits }: BrakeQuestion, nowMs: number): BrakeAnswer {
    const wanted = operations.filter(({ key }) => !this.#counted.has(key));
    for (const [action, limit] of Object.entries(limits)) {
      const count = wanted.filter((operation) => operation.action === action).length;
      const name = `${source} ${action}`;
      const counted = [...this.#counted.values()].filter(
        (one) => one.name === name && one.atMs > nowMs - limit.periodMs,
      );
      if (count === 0) continue;
      const answer = decideBrake(action, count, counted.length, limit);
      if (answer.kind === 'held') return answer;
    }
    for (const { key, action } of wanted) {
      this.#counted.set(key, { eventKey, name: `${source} ${action}`, atMs: nowMs });
    }
    return { kind: 'free' };
  }

  uncount(eventKey: string, done: ReadonlySet<string>): void {
    for (const [key, { eventKey: of }] of this.#counted) {
      if (of === eventKey && !done.has(key)) this.#counted.delete(key);
    }
  }
}
