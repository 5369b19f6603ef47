// Whether the database is still the one that this process has worked with. Takes the newest event that it has seen
// and what the database holds in its place now, gives when an older copy was found. A PostgreSQL that was restored,
// or failed over behind our back, has lost its end, and the newest event seen with it.

/** An event by its place in the journal, and when it was accepted. */
export interface SeenEvent {
  readonly sequence: number;
  readonly acceptedMs: number;
}

export class Continuity {
  #newest: SeenEvent | undefined;
  #foundMs = Number.NEGATIVE_INFINITY;

  /** When an older copy was last found, on the database's clock; minus infinity for never. */
  get foundMs(): number {
    return this.#foundMs;
  }

  /** What the next statement looks for in the database. */
  get newest(): SeenEvent | undefined {
    return this.#newest;
  }

  /** @param acceptedMs what the database holds in the place of this event */
  check(seen: SeenEvent | undefined, acceptedMs: number | null, nowMs: number): void {
    if (seen === undefined || seen.acceptedMs === acceptedMs) return;
    this.#foundMs = nowMs;
    if (this.#newest === seen) this.#newest = undefined;
  }

  /** This event is committed. */
  see(event: SeenEvent): void {
    if (event.sequence > (this.#newest?.sequence ?? -1)) this.#newest = event;
  }
}
