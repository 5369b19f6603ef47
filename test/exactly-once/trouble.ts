// What goes wrong on the way, drawn from a seed: answers that fail, calls that are lost or come late,
// processes that die or stand still between two steps, clocks that are wrong. Takes a plan of the trouble,
// gives decisions one by one.

import { randomOf } from '../../src/authoring/simulator/random.ts';
import type { Point } from '../../src/core/failpoints.ts';
import type { FaultCall, FaultEffect } from '../../src/sandbox/faults.ts';

export interface Trouble {
  readonly seed: number;
  /** Of each call, 0 to 1. */
  readonly faultRate: number;
  /** Calls after this number are not struck any more. */
  readonly faultCalls: number;
  /** Cryptlex refuses every connection for so long, from so long after the start. */
  readonly outage: { readonly afterMs: number; readonly lengthMs: number } | undefined;
  /** What befalls a process at the n-th time that one comes to the point, one after the other. */
  readonly crashes: readonly {
    readonly point: Point;
    readonly nth: number;
    /** Until it is started again, or goes on. */
    readonly downMs: number;
    /** It stands still, as by SIGSTOP, in place of dying. */
    readonly stands?: boolean;
  }[];
  /** A list may show Cryptlex as it was so long ago, at most; always as it is where nothing is said. */
  readonly staleMsMax?: number;
  /** How far the clock of each replica is from the database's, by its number. */
  readonly skewsMs?: readonly number[];
}

/**
 * A request is carried out within this time after it was sent, or never; what it did is seen in every list
 * as much later as lists may be stale. Together they are less than a call's time-out and its margin.
 */
const SEEN_WITHIN_MS = 14_500;

const STATUSES = [500, 502, 503, 504] as const;
const BODIES = ['empty', 'html', 'text', 'invalidJson', 'emptyObject', 'withoutId'] as const;

/** Decides about each call; `sinceMs` is the time since the start. */
export function faultsOf(
  trouble: Trouble,
): (call: FaultCall, sinceMs: number) => FaultEffect | undefined {
  const random = randomOf(trouble.seed);
  const oneOf = <Item>(items: readonly Item[]): Item =>
    items[Math.floor(random() * items.length)] as Item;
  const when = () => oneOf(['beforeCommit', 'afterCommit'] as const);
  const { outage, faultRate, faultCalls, staleMsMax = 0 } = trouble;
  const latestCommitMs = SEEN_WITHIN_MS - staleMsMax;
  return ({ index, method }, sinceMs) => {
    if (
      outage !== undefined &&
      sinceMs > outage.afterMs &&
      sinceMs < outage.afterMs + outage.lengthMs
    ) {
      return { kind: 'disconnect' };
    }
    if (index > faultCalls || random() >= faultRate) {
      const isStale = staleMsMax > 0 && method === 'GET' && random() < 0.5;
      return isStale ? { kind: 'staleList', ms: Math.floor(random() * staleMsMax) } : undefined;
    }
    switch (Math.floor(random() * 7)) {
      case 0:
        return { kind: 'disconnect', when: when() };
      case 1:
        return { kind: 'timeout', when: when() };
      case 2:
        return { kind: 'lateCommit', afterMs: Math.floor(random() * latestCommitMs) };
      case 3:
        return { kind: 'status', status: 429, ...oneOf([{}, { retryAfterSeconds: 2 }]) };
      case 4:
        return {
          kind: 'status',
          status: oneOf(STATUSES),
          when: when(),
          body: oneOf(['json', 'empty', 'html']),
        };
      case 5:
        return { kind: 'garble', body: oneOf(BODIES) };
      default:
        return { kind: 'slow', ms: Math.floor(random() * 9_000) };
    }
  };
}
