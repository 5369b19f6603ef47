// Faults on demand: which call goes wrong, and how. Takes the faults that were ordered and each call
// as it comes, gives the effect. Never carries one out; see fault-effects.ts.

import type { JsonValue } from '../core/model.ts';

/** What is sent where an answer should be. */
export type FaultBody =
  /** `{message}`, as the vendor refuses. */
  | 'json'
  /** Nothing, with `Content-Length: 0`. */
  | 'empty'
  | 'html'
  | 'text'
  /** Says it is JSON and breaks off. */
  | 'invalidJson'
  /** `{}`, whatever was asked for. */
  | 'emptyObject'
  /** The true answer, its id (or that of each item) left out. */
  | 'withoutId';

/** Whether the work was done when the fault strikes. */
export type FaultMoment = 'beforeCommit' | 'afterCommit';

export type FaultEffect =
  /** The connection is refused, lost on the way (nothing was done), or lost after the work was done. */
  | { readonly kind: 'disconnect'; readonly when?: FaultMoment | 'onTheWay' }
  /** There is never an answer; the call ends when the caller gives up. */
  | { readonly kind: 'timeout'; readonly when: FaultMoment }
  /** There is never an answer, and the work is done `afterMs` later. */
  | { readonly kind: 'lateCommit'; readonly afterMs: number }
  /** An answer with this status, instead of the true one. */
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly when?: FaultMoment;
      readonly body?: Exclude<FaultBody, 'withoutId'>;
      readonly retryAfterSeconds?: number;
      /** Writes `Retry-After` as a date. */
      readonly retryAfterAtMs?: number;
    }
  /** The work is done and the status is true; the body is not. */
  | { readonly kind: 'garble'; readonly body: FaultBody }
  /** The work is done `ms` later, even if the caller has left by then; then the true answer. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** This list does not show writes younger than `ms`. */
  | { readonly kind: 'staleList'; readonly ms: number };

export interface Fault {
  /** Any, unless given. */
  readonly method?: string;
  /** Such as `/v3/licenses/{id}/renew`: a name in braces is one part of the path, `*` is any rest. */
  readonly path?: string;
  /** Which of the matching calls, counted from 1. Each one unless given. */
  readonly call?: number | 'every';
  readonly effect: FaultEffect;
}

/** A call as faults see it. */
export interface FaultCall {
  readonly method: string;
  readonly path: string;
  readonly query: readonly (readonly [string, string])[];
  readonly body: JsonValue | undefined;
  /** Counts all calls of the sandbox since it was made or cleared, from 1. */
  readonly index: number;
}

type Decision = FaultEffect | undefined;
export type FaultHook = (call: FaultCall) => Decision | Promise<Decision>;

export interface Faults {
  add(...faults: readonly Fault[]): void;
  /** Asks `hook` at each call; its effect comes before any listed fault. Gives the way to take it back. */
  onCall(hook: FaultHook): () => void;
  /** Forgets faults, hooks and counts. Late commits still under way come in all the same. */
  clear(): void;
  /** How many late commits have not come in yet. */
  readonly pendingCommits: number;
  /** Resolves when no late commit is under way. */
  settled(): Promise<void>;
}

export interface FaultBook extends Faults {
  decide(call: FaultCall): Promise<Decision>;
  /** Holds work that goes on behind the caller's back, so that `settled` can wait for it. */
  track(work: Promise<unknown>): void;
}

interface Listed {
  readonly fault: Fault;
  readonly matches: (call: FaultCall) => boolean;
  count: number;
}

export function createFaultBook(faults: readonly Fault[] = []): FaultBook {
  let listed: Listed[] = faults.map(list);
  const hooks = new Set<FaultHook>();
  const pending = new Set<Promise<unknown>>();
  return {
    add(...more) {
      listed.push(...more.map(list));
    },
    onCall(hook) {
      hooks.add(hook);
      return () => hooks.delete(hook);
    },
    clear() {
      listed = [];
      hooks.clear();
    },
    get pendingCommits() {
      return pending.size;
    },
    async settled() {
      while (pending.size > 0) await Promise.allSettled(pending);
    },
    track(work) {
      const held = work.catch(() => undefined).finally(() => pending.delete(held));
      pending.add(held);
    },
    async decide(call) {
      // Every matching fault counts the call, so that "the second" means the same whatever else is listed.
      let decided: Decision;
      for (const entry of listed) {
        if (!entry.matches(call)) continue;
        entry.count += 1;
        const wanted = entry.fault.call ?? 'every';
        if (wanted === 'every' || wanted === entry.count) decided ??= entry.fault.effect;
      }
      let ofHook: Decision;
      for (const hook of hooks) ofHook ??= await hook(call);
      return ofHook ?? decided;
    },
  };
}

function list(fault: Fault): Listed {
  const { method, path } = fault;
  const pattern = path === undefined ? undefined : pathPattern(path);
  return {
    fault,
    count: 0,
    matches: (call) =>
      (method === undefined || method.toUpperCase() === call.method) &&
      (pattern === undefined || pattern.test(call.path)),
  };
}

function pathPattern(path: string): RegExp {
  const source = path
    .split(/(\{[^}]*\}|\*)/)
    .map((part) => {
      if (part === '*') return '.*';
      return part.startsWith('{') ? '[^/]+' : part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
    })
    .join('');
  return new RegExp(`^${source}$`);
}
