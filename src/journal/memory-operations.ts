// Operations and last writes in memory. Bounded: the oldest done ones are forgotten first, one whose
// outcome is open never.

import type { OperationResult } from '../core/model.ts';
import type {
  Intended,
  Intention,
  KnownReferences,
  LastWrite,
  OperationRecord,
  Reference,
} from './journal.ts';

const OPERATIONS_MAX = 200_000;

/** The part of the journal that is about what was done. */
export abstract class MemoryOperations {
  protected abstract nowMs(): number;
  readonly #operations = new Map<string, OperationRecord>();
  readonly #created = new Set<string>();
  readonly #lastWrites = new Map<string, LastWrite>();
  readonly #references = new Map<string, Reference[]>();

  records(): Iterable<OperationRecord> {
    return this.#operations.values();
  }

  recordsOf(key: string): readonly OperationRecord[] {
    return [...this.#operations.values()].filter((operation) => operation.eventKey === key);
  }

  async findOperations(keys: readonly string[]): Promise<ReadonlyMap<string, OperationRecord>> {
    const found = new Map<string, OperationRecord>();
    for (const key of keys) {
      const operation = this.#operations.get(key);
      if (operation?.state === 'intended') {
        found.set(key, { ...operation, openForMs: this.nowMs() - operation.intendedAtMs });
      } else if (operation !== undefined) found.set(key, operation);
    }
    return found;
  }

  async operationsOf(eventKey: string): Promise<readonly OperationRecord[]> {
    return this.recordsOf(eventKey);
  }

  // A look at Cryptlex is worth more than what this process happens to remember.
  async rememberUser(): Promise<void> {}

  async recallUser(): Promise<string | undefined> {
    return undefined;
  }

  async forgetUser(): Promise<void> {}

  async findCreated(licenseIds: readonly string[]): Promise<ReadonlySet<string>> {
    return new Set(licenseIds.filter((id) => this.#created.has(id)));
  }

  async intend(
    intention: Intention,
    replaces: Pick<OperationRecord, 'eventKey' | 'intendedAtMs' | 'state'> | undefined,
  ): Promise<Intended | 'overtaken'> {
    if (!isSame(this.#operations.get(intention.key), replaces)) return 'overtaken';
    const { attempt: _attempt, ...operation } = intention;
    const noted = { ...operation, intendedAtMs: this.nowMs() };
    this.#operations.set(intention.key, { ...noted, state: 'intended', openForMs: 0 });
    return { ...noted, attempt: intention.attempt };
  }

  async complete(
    { key }: Intended,
    result: OperationResult,
    lastWrites: readonly LastWrite[],
  ): Promise<void> {
    const operation = this.#operations.get(key);
    if (operation !== undefined) {
      const { openForMs: _age, ...base } = { openForMs: 0, ...operation };
      this.#operations.set(key, { ...base, state: 'done', result });
      if (operation.action === 'license.create') this.#created.add(result.targetId);
    }
    this.#forgetOldestOperation();
    forgetBeyond(this.#created, OPERATIONS_MAX);
    await this.noteLastWrites(lastWrites);
  }

  async noteLastWrites(lastWrites: readonly LastWrite[]): Promise<void> {
    for (const write of lastWrites) {
      const known = this.#lastWrites.get(write.field);
      if (known !== undefined && outweighs(known, write)) continue;
      // Taken out and put in again, so that what is in use is not the first to be forgotten.
      this.#lastWrites.delete(write.field);
      this.#lastWrites.set(write.field, write);
    }
    forgetBeyond(this.#lastWrites, OPERATIONS_MAX);
  }

  async withdraw({ key }: Intended): Promise<void> {
    this.#operations.delete(key);
  }

  /** One whose outcome is open must not be forgotten: it would be done again. */
  #forgetOldestOperation(): void {
    if (this.#operations.size <= OPERATIONS_MAX) return;
    const [oldest] = this.#operations;
    if (oldest === undefined) return;
    const [key, operation] = oldest;
    this.#operations.delete(key);
    if (operation.state === 'intended') this.#operations.set(key, operation);
  }

  async findLastWrites(fields: readonly string[]): Promise<ReadonlyMap<string, LastWrite>> {
    const found = new Map<string, LastWrite>();
    for (const field of fields) {
      const write = this.#lastWrites.get(field);
      if (write !== undefined) found.set(field, write);
    }
    return found;
  }

  async noteReferences(references: readonly Reference[]): Promise<void> {
    for (const reference of references) {
      const { key, kind, value } = reference;
      const known = this.#references.get(key) ?? [];
      const isKnown = known.some((one) => kind === one.kind && value === one.value);
      if (!isKnown) this.#references.set(key, [...known, reference]);
      forgetBeyond(this.#references, OPERATIONS_MAX);
    }
  }

  async findReferences(keys: readonly string[]): Promise<KnownReferences> {
    const sets = {
      license: new Set<string>(),
      subject: new Set<string>(),
      payment: new Set(keys),
      cause: new Set<string>(),
    };
    // A set that grows while it is walked is walked to its end.
    for (const key of sets.payment) {
      for (const { kind, value } of this.#references.get(key) ?? []) sets[kind].add(value);
    }
    return { license: [...sets.license], subject: [...sets.subject], cause: [...sets.cause] };
  }
}

type Noted = Pick<OperationRecord, 'eventKey' | 'intendedAtMs' | 'state'> | undefined;

function isSame(a: Noted, b: Noted): boolean {
  return (
    a?.state === b?.state && a?.eventKey === b?.eventKey && a?.intendedAtMs === b?.intendedAtMs
  );
}

/** Whether a write is newer than another one, or of the same time and a higher rank. */
function outweighs(a: LastWrite, b: LastWrite): boolean {
  return a.timeMs > b.timeMs || (a.timeMs === b.timeMs && a.rank > b.rank);
}

/** Maps and sets keep the order of insertion, so the first ones are the oldest. */
function forgetBeyond(
  collection: { size: number; keys(): Iterator<string>; delete(key: string): boolean },
  max: number,
): void {
  if (collection.size <= max) return;
  const { value, done } = collection.keys().next();
  if (done !== true) collection.delete(value);
}
