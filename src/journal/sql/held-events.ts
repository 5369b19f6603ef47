// The events that this process works on. Renews their leases, and answers without a round trip whether one of them
// is certainly still ours: from the moment at which its last confirmed renewal was asked for, by local time.

import { type Stopwatch, startStopwatch } from '../../core/clock.ts';
import type { Clock, WebhookEvent } from '../../core/model.ts';
import { listed, type SqlDatabase } from './database.ts';
import { renewLeases } from './statements.ts';

export interface Lease {
  /** A replica that was not heard of this long is dead; its events are taken over. */
  readonly ms: number;
  readonly heartbeatMs: number;
}

/** What is left of a lease does not count at its end: clocks differ in speed, and a call needs time to leave. */
const MARGIN_SHARE = 0.1;

interface HeldEvent {
  readonly event: WebhookEvent;
  readonly attempt: number;
  readonly startedMs: number;
  readonly subjects: readonly string[];
  /** Runs since the lease was last asked for and given; undefined once it is known to be lost. */
  confirmed: Stopwatch | undefined;
}

export class HeldEvents {
  readonly #database: SqlDatabase;
  readonly #clock: Clock;
  readonly #owner: string;
  readonly #lease: Lease;
  readonly #events = new Map<string, HeldEvent>();
  readonly #closing = new AbortController();
  #isBeating = false;

  constructor(database: SqlDatabase, clock: Clock, owner: string, lease: Lease) {
    this.#database = database;
    this.#clock = clock;
    this.#owner = owner;
    this.#lease = lease;
  }

  add(key: string, held: HeldEvent): void {
    this.#events.set(key, held);
    // One process on a file of its own has nobody who could take its work over.
    if (this.#isBeating || this.#database.kind === 'sqlite') return;
    this.#isBeating = true;
    void this.#beat();
  }

  /** The attempt, where it is the one that this process works on. */
  get(key: string, attempt: number | undefined): HeldEvent | undefined {
    const held = this.#events.get(key);
    return attempt === undefined || held?.attempt === attempt ? held : undefined;
  }

  remove(key: string, held: HeldEvent): void {
    if (this.#events.get(key) === held) this.#events.delete(key);
  }

  /** Whether nobody else can have taken the attempt's event over. */
  isSurelyHeld(key: string, attempt: number): boolean {
    const held = this.get(key, attempt);
    // On a file of its own only a later attempt of this process can have taken its place.
    if (this.#database.kind === 'sqlite') return held !== undefined || !this.#events.has(key);
    const age = held?.confirmed?.();
    return age !== undefined && age < this.#lease.ms * (1 - MARGIN_SHARE);
  }

  async #beat(): Promise<void> {
    while (await this.#clock.sleep(this.#lease.heartbeatMs, this.#closing.signal)) {
      // A missed beat is made up for by the next one, or the lease is lost, which `intend` notices.
      if (this.#events.size > 0) void this.#renew().catch(() => undefined);
    }
  }

  async #renew(): Promise<void> {
    const asked = new Map(this.#events);
    const confirmed = startStopwatch(this.#clock);
    const rows = await this.#database.transaction((tx) =>
      tx.query<{ event_key: string; attempts: number }>(renewLeases(this.#database), [
        ...[this.#owner, tx.nowMs + this.#lease.ms],
        listed([...asked.keys()]),
      ]),
    );
    const renewed = new Map(rows.map((row) => [row.event_key, row.attempts]));
    for (const [key, held] of asked) {
      if (renewed.get(key) !== held.attempt) held.confirmed = undefined;
      else if (held.confirmed !== undefined && confirmed() < held.confirmed()) {
        held.confirmed = confirmed;
      }
    }
  }

  close(): void {
    this.#closing.abort();
  }
}
