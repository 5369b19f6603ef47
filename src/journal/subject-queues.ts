// Who may be worked on next. Takes events with their subjects, gives the next one that is due, whose
// subjects are all free, and before which no older event of the same subjects stands.
// Finding it costs the same however many other subjects wait.

export interface QueuedItem {
  readonly key: string;
  readonly subjects: readonly string[];
  readonly event: { readonly timeMs: number };
  /** Its place in line, where that is not the event's own time. */
  readonly placeMs?: number | undefined;
  /** The order of arrival, for events of the same time. */
  readonly sequence: number;
  /** Not before this time; undefined for at once. */
  readonly dueAtMs: number | undefined;
}

/**
 * Each subject has a queue in the order of the events' own time. An event is ready when it is the
 * head of all its queues and none of its subjects is in work. The order is total, so the oldest
 * event of all is always the head everywhere: nothing can block for ever.
 */
export class SubjectQueues<Item extends QueuedItem> {
  readonly #queues = new Map<string, Item[]>();
  readonly #inWork = new Set<string>();
  readonly #queued = new Set<Item>();
  /** Ready but for their time; kept small by holding heads only. */
  readonly #ready = new Set<Item>();

  /** Puts an event in; one that is in already only becomes due as it now says. */
  add(item: Item): void {
    if (this.#queued.has(item)) return;
    this.#queued.add(item);
    for (const subject of item.subjects) {
      const queue = this.#queues.get(subject) ?? [];
      const [before] = queue;
      queue.splice(placeOf(item, queue), 0, item);
      this.#queues.set(subject, queue);
      if (before !== undefined && queue[0] === item) this.#ready.delete(before);
    }
    this.#consider(item);
  }

  /** Takes an event that is ready and due, and marks its subjects as in work. */
  take(nowMs: number): Item | undefined {
    let chosen: Item | undefined;
    for (const item of this.#ready) {
      if (item.dueAtMs !== undefined && item.dueAtMs > nowMs) continue;
      chosen = item;
      break;
    }
    if (chosen === undefined) return undefined;
    this.#ready.delete(chosen);
    this.#queued.delete(chosen);
    for (const subject of chosen.subjects) {
      const queue = this.#queues.get(subject);
      queue?.shift();
      if (queue?.length === 0) this.#queues.delete(subject);
      this.#inWork.add(subject);
    }
    return chosen;
  }

  /** The event is not worked on any more; whoever waits for its subjects may be ready now. */
  release(item: Item): void {
    for (const subject of item.subjects) this.#inWork.delete(subject);
    for (const subject of item.subjects) {
      const head = this.#queues.get(subject)?.[0];
      if (head !== undefined) this.#consider(head);
    }
  }

  nextDueAtMs(): number | undefined {
    let next: number | undefined;
    for (const { dueAtMs } of this.#ready) {
      if (dueAtMs !== undefined && (next === undefined || dueAtMs < next)) next = dueAtMs;
    }
    return next;
  }

  #consider(item: Item): void {
    const isReady = item.subjects.every(
      (subject) => !this.#inWork.has(subject) && this.#queues.get(subject)?.[0] === item,
    );
    if (isReady) this.#ready.add(item);
  }
}

function isBefore(a: QueuedItem, b: QueuedItem): boolean {
  const [aMs, bMs] = [a.placeMs ?? a.event.timeMs, b.placeMs ?? b.event.timeMs];
  return aMs < bMs || (aMs === bMs && a.sequence < b.sequence);
}

/** Binary search: a subject may have ten thousand events waiting. */
function placeOf(item: QueuedItem, queue: readonly QueuedItem[]): number {
  let low = 0;
  let high = queue.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const there = queue[middle];
    if (there !== undefined && isBefore(there, item)) low = middle + 1;
    else high = middle;
  }
  return low;
}
