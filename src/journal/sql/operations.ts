// Operations and last writes in the SQL journal. What is intended is durable before the call is made;
// what is done is noted together with the fields that it set.

import { AppError } from '../../core/error-codes.ts';
import type { OperationResult } from '../../core/model.ts';
import type { Intended, Intention, LastWrite, OperationRecord } from '../journal.ts';
import { listed, type SqlTransaction, type SqlValue, WITHOUT_WAITING } from './database.ts';
import type { DeferredWrites } from './deferred-writes.ts';
import {
  type LastWriteRow,
  OPERATION_COLUMNS,
  type OperationRow,
  toLastWrite,
  toOperation,
} from './rows.ts';

export class SqlOperations {
  readonly #database: DeferredWrites;
  readonly #owner: string;

  constructor(database: DeferredWrites, owner: string) {
    this.#database = database;
    this.#owner = owner;
  }

  find(keys: readonly string[]): Promise<ReadonlyMap<string, OperationRecord>> {
    return this.#database.read(
      async (tx) => {
        const items = this.#database.listItems('$1');
        const rows = await tx.query<OperationRow>(
          `select ${OPERATION_COLUMNS} from operations where operation_key in (${items})`,
          [listed(keys)],
        );
        const nowMs = await this.#presentMs(tx, rows);
        return new Map(rows.map((row) => [row.operation_key, toOperation(row, nowMs)]));
      },
      keys.map((key) => `operation ${key}` as const),
    );
  }

  /** Asked for only where an age matters: what is done has none. */
  async #presentMs(tx: SqlTransaction, rows: readonly OperationRow[]): Promise<number> {
    return rows.some(({ state }) => state === 'intended') ? this.#database.presentMs(tx) : 0;
  }

  findCreated(licenseIds: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#database.read(async (tx) => {
      const items = this.#database.listItems('$1');
      const rows = await tx.query<{ made_id: string }>(
        `select distinct made_id from operations where made_id in (${items})`,
        [listed(licenseIds)],
      );
      return new Set(rows.map((row) => row.made_id));
    });
  }

  async intend(
    intention: Intention,
    replaces: Pick<OperationRecord, 'eventKey' | 'intendedAtMs' | 'state'> | undefined,
  ): Promise<Intended | 'overtaken'> {
    const { key, eventKey, attempt, action, targetId, productId, before, choice } = intention;
    return this.#database.transaction(async (tx) => {
      // A replica that was asleep longer than its lease must not write any more. One process on a file of
      // its own has nobody who could take its work over.
      if (this.#database.kind === 'postgres') {
        const [lost] = await tx.query(LEASE_IS_LOST, [eventKey, this.#owner, attempt, tx.nowMs]);
        if (lost !== undefined) throw new AppError('JOURNAL_LEASE_LOST', eventKey);
      }
      const values = [
        ...[key, eventKey, action, targetId ?? null, productId ?? null],
        ...[JSON.stringify(before), choice ?? null, tx.nowMs],
      ];
      const [noted] =
        replaces === undefined
          ? await tx.query(INTEND, values)
          : await tx.query(INTEND_AGAIN, [
              ...values,
              ...[replaces.eventKey, replaces.intendedAtMs, replaces.state],
            ]);
      return noted === undefined ? 'overtaken' : { ...intention, intendedAtMs: tx.nowMs };
    });
  }

  async complete(
    intended: Intended,
    result: OperationResult,
    lastWrites: readonly LastWrite[],
  ): Promise<void> {
    const about = lastWrites.map(({ field }) => `field ${field}` as const);
    await this.#database.defer([`operation ${intended.key}`, ...about], async (tx) => {
      const answer = [JSON.stringify(result), tx.nowMs, result.targetId];
      const [done] = await tx.query(COMPLETE, [...this.#fence(intended), ...answer]);
      // A file has one process, and what it defers must not fail with what goes along with it.
      if (done === undefined && this.#database.kind === 'sqlite') return;
      if (done === undefined) throw new AppError('JOURNAL_LEASE_LOST', intended.eventKey);
      await writeLastWrites(tx, lastWrites);
    });
  }

  async withdraw(intended: Intended): Promise<void> {
    await this.#database.transaction(
      (tx) => tx.query(WITHDRAW, this.#fence(intended)),
      WITHOUT_WAITING,
    );
  }

  /** The first parameters of a statement with the condition `AS_INTENDED`. */
  #fence({ key, eventKey, intendedAtMs, attempt }: Intended): readonly SqlValue[] {
    return [key, eventKey, intendedAtMs, this.#owner, attempt];
  }

  async noteLastWrites(lastWrites: readonly LastWrite[]): Promise<void> {
    const about = lastWrites.map(({ field }) => `field ${field}` as const);
    await this.#database.defer(about, (tx) => writeLastWrites(tx, lastWrites));
  }

  findLastWrites(fields: readonly string[]): Promise<ReadonlyMap<string, LastWrite>> {
    return this.#database.read(
      async (tx) => {
        const rows = await tx.query<LastWriteRow>(
          `select field, time_ms, is_payment, written from last_writes
          where field in (${this.#database.listItems('$1')})`,
          [listed(fields)],
        );
        const byField = new Map(rows.map((row) => [row.field, toLastWrite(row)]));
        return new Map(
          fields.flatMap((field) => {
            const write = byField.get(field);
            return write === undefined ? [] : [[field, write]];
          }),
        );
      },
      fields.map((field) => `field ${field}` as const),
    );
  }

  ofEvent(eventKey: string): Promise<readonly OperationRecord[]> {
    return this.#database.read(async (tx) => {
      const rows = await tx.query<OperationRow>(
        `select ${OPERATION_COLUMNS} from operations where event_key = $1`,
        [eventKey],
      );
      const nowMs = await this.#presentMs(tx, rows);
      return rows.map((row) => toOperation(row, nowMs));
    });
  }
}

async function writeLastWrites(
  tx: SqlTransaction,
  lastWrites: readonly LastWrite[],
): Promise<void> {
  for (const { field, timeMs, rank, written } of lastWrites) {
    const value = written === undefined ? null : JSON.stringify(written);
    await tx.query(WRITE_LAST_WRITE, [field, timeMs, rank, value]);
  }
}

/** By the time as well: when it is over, another replica may be about to take the event over. */
const LEASE_IS_LOST = `select event_key from events where event_key = $1
  and (status <> 'running' or lease_owner <> $2 or attempts <> $3 or lease_ms <= $4)`;

/**
 * That the operation is as the attempt intended it, and the event in its hands. What is written is true, and
 * who takes an event over waits for its row; so the time of the lease does not matter here.
 */
const AS_INTENDED = `operation_key = $1 and event_key = $2 and intended_ms = $3 and state = 'intended'
  and not exists (select 1 from events where events.event_key = $2
    and (status <> 'running' or lease_owner <> $4 or attempts <> $5))`;

const WITHDRAW = `delete from operations where ${AS_INTENDED}`;

const INTEND = `insert into operations
  (operation_key, event_key, action, target_id, product_id, before, choice, state, intended_ms)
  values ($1, $2, $3, $4, $5, $6, $7, 'intended', $8)
  on conflict (operation_key) do nothing returning operation_key`;

const INTEND_AGAIN = `update operations set event_key = $2, action = $3, target_id = $4, product_id = $5,
  before = $6, choice = $7, state = 'intended', result = null, intended_ms = $8
  where operation_key = $1 and event_key = $9 and intended_ms = $10 and state = $11
  returning operation_key`;

const COMPLETE = `update operations set state = 'done', result = $6, done_ms = $7,
  made_id = case when action = 'license.create' then $8 else null end
  where ${AS_INTENDED} returning operation_key`;

const WRITE_LAST_WRITE = `insert into last_writes (field, time_ms, is_payment, written)
  values ($1, $2, $3, $4)
  on conflict (field) do update set time_ms = excluded.time_ms, is_payment = excluded.is_payment,
    written = excluded.written
  where excluded.time_ms > last_writes.time_ms
    or (excluded.time_ms = last_writes.time_ms and excluded.is_payment >= last_writes.is_payment)`;
