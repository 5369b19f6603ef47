// One kind of resource in memory. Takes immutable rows, gives them back as they are or as they were.
// Never copies a row: a change is a new row in the place of the old one.

export interface Row {
  readonly id: string;
  /** Place of insertion; decides between equal creation times. */
  readonly seq: number;
  readonly createdAt: string;
}

interface LogEntry<R> {
  readonly id: string;
  readonly atMs: number;
  readonly before: R | undefined;
}

/** Enough for any stale list: it only ever looks back a few seconds. */
const LOG_LENGTH_MAX = 20_000;

export class Table<R extends Row> {
  readonly #rows = new Map<string, R>();
  #log: LogEntry<R>[] = [];
  /** Whether rows came in the order of their creation; then the whole table needs no sorting. */
  #inOrder = true;
  #newestCreatedAt = '';

  get size(): number {
    return this.#rows.size;
  }

  get(id: string): R | undefined {
    return this.#rows.get(id);
  }

  values(): Iterable<R> {
    return this.#rows.values();
  }

  /** Inserts the row or puts it in the place of the one with its id. */
  put(row: R, atMs: number): void {
    this.#remember({ id: row.id, atMs, before: this.#rows.get(row.id) });
    this.#rows.set(row.id, row);
    if (row.createdAt < this.#newestCreatedAt) this.#inOrder = false;
    else this.#newestCreatedAt = row.createdAt;
  }

  delete(id: string, atMs: number): void {
    this.#remember({ id, atMs, before: this.#rows.get(id) });
    this.#rows.delete(id);
  }

  clear(): void {
    this.#rows.clear();
    this.#log = [];
    this.#inOrder = true;
    this.#newestCreatedAt = '';
  }

  /**
   * Rows by creation time. `candidates` narrows the search where an index knows better.
   * Writes later than `hiddenAfterMs` are not seen: the rows are shown as they were before.
   */
  list(candidates: readonly R[] | undefined, hiddenAfterMs: number): readonly R[] {
    const before = this.#before(hiddenAfterMs);
    if (before.size === 0) {
      if (candidates !== undefined) return candidates.toSorted(byCreation);
      const rows = [...this.#rows.values()];
      return this.#inOrder ? rows : rows.sort(byCreation);
    }
    const rows: R[] = [];
    for (const row of this.#rows.values()) if (!before.has(row.id)) rows.push(row);
    for (const row of before.values()) if (row !== undefined) rows.push(row);
    return rows.sort(byCreation);
  }

  #before(hiddenAfterMs: number): Map<string, R | undefined> {
    const before = new Map<string, R | undefined>();
    for (let index = this.#log.length - 1; index >= 0; index -= 1) {
      const entry = this.#log[index];
      if (entry === undefined || entry.atMs <= hiddenAfterMs) break;
      before.set(entry.id, entry.before);
    }
    return before;
  }

  #remember(entry: LogEntry<R>): void {
    if (this.#log.length >= LOG_LENGTH_MAX) this.#log = this.#log.slice(LOG_LENGTH_MAX / 2);
    this.#log.push(entry);
  }
}

function byCreation(a: Row, b: Row): number {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? -1 : 1;
  return a.seq - b.seq;
}
