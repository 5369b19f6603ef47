// Whether Cryptlex works, for everybody who asks: the worker, readiness, metrics, the console. Hears of every
// call, and of whose event it was. Open means down for all: several events fail, and so do two routes that have
// nothing to do with them. Never takes the trouble of one event or of one route for an outage.

import { AsyncResource } from 'node:async_hooks';
import type { Logger } from '../core/log.ts';
import type { Clock } from '../core/model.ts';
import type { CallRecord } from './call-record.ts';
import type { CryptlexClient } from './client.ts';
import { isFailure, probe, probeRoute, type Reach } from './probe.ts';

export type CryptlexHealth =
  | { readonly kind: 'works' }
  /** No route answers, by the last probe. */
  | { readonly kind: 'away'; readonly status: number | undefined }
  /** It refuses our token (401), or lets it do less than an event needs (403). */
  | { readonly kind: 'refuses-token'; readonly status: number | undefined };

export interface CircuitBreaker {
  /** @param eventKey on whose behalf it was made; undefined for calls of nobody's event */
  onCall(call: Pick<CallRecord, 'status' | 'error'>, eventKey: string | undefined): void;
  health(): CryptlexHealth;
  /** Events are not worked on while this is true: each of them would only fail as well. */
  isOpen(): boolean;
  stop(): void;
}

interface CircuitBreakerParts {
  /** Without repetitions: the probe is repeated by itself. */
  readonly client: Pick<CryptlexClient, 'getUser' | 'getLicense'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Makes due what was put off since then. */
  wake(sinceMs: number): Promise<void>;
}

/** One failed call is an accident. */
const FAILURES_UNTIL_PROBE = 2;
/** One event that fails is its own trouble: it is tried again by its own back-off. */
const EVENTS_UNTIL_OPEN = 2;
const PROBE_EVERY_MS = 3_000;
const WORKS = { kind: 'works' } as const;

export function createCircuitBreaker(parts: CircuitBreakerParts): CircuitBreaker {
  return new Breaker(parts);
}

class Breaker implements CircuitBreaker {
  readonly #parts: CircuitBreakerParts;
  readonly #stopped = new AbortController();
  /** Since the last call that got through. */
  #failures = 0;
  readonly #failingEvents = new Set<string>();
  #awayStatus: { readonly status: number | undefined } | undefined;
  #refusal: { readonly status: number | undefined } | undefined;
  #openedAtMs: number | undefined;
  /** Since when events are parked for a token that may be right again. */
  #refusedAtMs: number | undefined;
  #isProbing = false;
  #nextRoute: 'user' | 'license' = 'license';
  #lastProbeMs = Number.NEGATIVE_INFINITY;
  /** Probes are nobody's work: without it they would belong to the event that was heard of last. */
  readonly #outside = AsyncResource.bind((work: () => void) => work());

  constructor(parts: CircuitBreakerParts) {
    this.#parts = parts;
  }

  onCall({ status, error }: Parameters<CircuitBreaker['onCall']>[0], eventKey?: string): void {
    if (error?.aborted === true) return;
    if (error?.code === 'CRYPTLEX_TOKEN') this.#noteRefusal(status);
    else if (error !== undefined && isFailure(error)) this.#noteFailure(eventKey);
    else {
      this.#failures = 0;
      this.#failingEvents.clear();
      this.#refusal = undefined;
    }
  }

  health(): CryptlexHealth {
    if (this.#awayStatus !== undefined) return { kind: 'away', ...this.#awayStatus };
    return this.#refusal === undefined ? WORKS : { kind: 'refuses-token', ...this.#refusal };
  }

  isOpen(): boolean {
    return this.#openedAtMs !== undefined;
  }

  stop(): void {
    this.#stopped.abort();
  }

  #noteFailure(eventKey: string | undefined): void {
    this.#failures += 1;
    if (eventKey !== undefined && this.#failingEvents.size < EVENTS_UNTIL_OPEN) {
      this.#failingEvents.add(eventKey);
    }
    this.#openIfDown();
    if (this.#failures >= FAILURES_UNTIL_PROBE) this.#startProbing();
  }

  #noteRefusal(status: number | undefined): void {
    const { clock, log } = this.#parts;
    if (this.#refusal === undefined) {
      log.warn({ code: 'CRYPTLEX_TOKEN', status }, 'Cryptlex refuses the access token');
    }
    this.#refusal = { status };
    // A missing scope (403) is not seen by the probe; events that need it look again by themselves.
    if (status !== 401) return;
    this.#refusedAtMs ??= clock.nowMs();
    this.#startProbing();
  }

  #openIfDown(): void {
    const { clock, log } = this.#parts;
    if (this.#awayStatus === undefined || this.#openedAtMs !== undefined) return;
    if (this.#failingEvents.size < EVENTS_UNTIL_OPEN) return;
    this.#openedAtMs = clock.nowMs();
    log.warn({}, 'Cryptlex is not usable: events are kept, and one probe goes on');
  }

  #startProbing(): void {
    if (this.#isProbing || this.#stopped.signal.aborted) return;
    this.#isProbing = true;
    this.#outside(() => {
      this.#probeUntilWell()
        .catch((error: unknown) => {
          this.#parts.log.error({ cause: String(error) }, 'the probe broke');
        })
        .finally(() => {
          this.#isProbing = false;
        });
    });
  }

  async #probeUntilWell(): Promise<void> {
    const { clock } = this.#parts;
    const { signal } = this.#stopped;
    // A token that was just refused is refused now as well.
    if (this.#refusedAtMs !== undefined) this.#lastProbeMs = clock.nowMs();
    do {
      const waitMs = this.#lastProbeMs + PROBE_EVERY_MS - clock.nowMs();
      if (waitMs > 0 && !(await clock.sleep(waitMs, signal))) return;
      this.#lastProbeMs = clock.nowMs();
      const reach = await this.#probe();
      if (signal.aborted) return;
      if (reach.kind === 'failed') this.#noteAway(reach.error);
      else await this.#noteBack();
      // What answers and is not 401 knows the token, even if it lets it do less.
      if (reach.kind === 'fine' || (reach.kind === 'refused' && reach.status !== 401)) {
        await this.#noteTokenWorks();
      }
    } while (this.#awayStatus !== undefined || this.#refusedAtMs !== undefined);
  }

  /** By turns while it is away: a route that comes back is noticed, at one call in three seconds. */
  #probe(): Promise<Reach> {
    const { client } = this.#parts;
    const { signal } = this.#stopped;
    if (this.#awayStatus === undefined) return probe(client, signal);
    this.#nextRoute = this.#nextRoute === 'user' ? 'license' : 'user';
    return probeRoute(this.#nextRoute, client, signal);
  }

  #noteAway(error: object): void {
    const status = 'status' in error && typeof error.status === 'number' ? error.status : undefined;
    if (this.#awayStatus === undefined) {
      this.#parts.log.warn({ code: 'CRYPTLEX_UNAVAILABLE', status }, 'Cryptlex does not answer');
    }
    this.#awayStatus = { status };
    this.#openIfDown();
  }

  async #noteBack(): Promise<void> {
    const { log, wake } = this.#parts;
    const openedAtMs = this.#openedAtMs;
    if (this.#awayStatus !== undefined) log.info({}, 'Cryptlex answers again');
    this.#awayStatus = undefined;
    this.#openedAtMs = undefined;
    if (openedAtMs !== undefined) await wake(openedAtMs);
  }

  async #noteTokenWorks(): Promise<void> {
    const { log, wake } = this.#parts;
    const refusedAtMs = this.#refusedAtMs;
    this.#refusedAtMs = undefined;
    if (refusedAtMs === undefined) return;
    log.info({}, 'Cryptlex takes the access token again: what was parked meanwhile goes on');
    await wake(refusedAtMs);
  }
}
