// Operations and last writes in the SQL journal. What is intended is durable before the call is made;
// what is done is noted together with the fields that it set.

import { AppError } from '../../core/error-codes.ts';
import type { OperationResult } from '../../core/model.ts';
import type { IntendedOperation, LastWrite, OperationRecord } from '../journal.ts';
import { listed, type SqlTransaction, WITHOUT_WAITING } from './database.ts';
import type { DeferredWrites } from './deferred-writes.ts';
import { OPERATION_COLUMNS, type OperationRow, toLastWrite, toOperation } from './rows.ts';

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
        return new Map(rows.map((row) => [row.operation_key, toOperation(row)]));
      },
      keys.map((key) => `operation ${key}` as const),
    );
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
    operation: IntendedOperation,
    replaces: OperationRecord | undefined,
  ): Promise<'intended' | 'overtaken'> {
    const { key, eventKey, action, targetId, productId, before, choice, intendedAtMs } = operation;
    return this.#database.transaction(async (tx) => {
      // A replica that was asleep longer than its lease must not write any more. One process on a file of
      // its own has nobody who could take its work over.
      if (this.#database.kind === 'postgres') {
        const [lost] = await tx.query(LEASE_IS_LOST, [eventKey, this.#owner, tx.nowMs]);
        if (lost !== undefined) throw new AppError('JOURNAL_LEASE_LOST', eventKey);
      }
      const values = [
        ...[key, eventKey, action, targetId ?? null, productId ?? null],
        ...[JSON.stringify(before), choice ?? null, intendedAtMs],
      ];
      const [noted] =
        replaces === undefined
          ? await tx.query(INTEND, values)
          : await tx.query(INTEND_AGAIN, [
              ...values,
              ...[replaces.eventKey, replaces.intendedAtMs, replaces.state],
            ]);
      return noted === undefined ? 'overtaken' : 'intended';
    });
  }

  async complete(
    key: string,
    result: OperationResult,
    lastWrites: readonly LastWrite[],
  ): Promise<void> {
    const about = lastWrites.map(({ field }) => `field ${field}` as const);
    await this.#database.defer([`operation ${key}`, ...about], async (tx) => {
      await tx.query(COMPLETE, [key, JSON.stringify(result), tx.nowMs, result.targetId]);
      await writeLastWrites(tx, lastWrites);
    });
  }

  async withdraw(key: string): Promise<void> {
    await this.#database.transaction(
      (tx) => tx.query('delete from operations where operation_key = $1', [key]),
      WITHOUT_WAITING,
    );
  }

  async noteLastWrites(lastWrites: readonly LastWrite[]): Promise<void> {
    const about = lastWrites.map(({ field }) => `field ${field}` as const);
    await this.#database.defer(about, (tx) => writeLastWrites(tx, lastWrites));
  }

  findLastWrites(fields: readonly string[]): Promise<ReadonlyMap<string, LastWrite>> {
    return this.#database.read(
      async (tx) => {
        const rows = await tx.query<{ field: string; time_ms: number; is_payment: number }>(
          `select field, time_ms, is_payment from last_writes
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
      return rows.map(toOperation);
    });
  }
}

async function writeLastWrites(
  tx: SqlTransaction,
  lastWrites: readonly LastWrite[],
): Promise<void> {
  for (const { field, timeMs, rank } of lastWrites) {
    await tx.query(WRITE_LAST_WRITE, [field, timeMs, rank]);
  }
}

const LEASE_IS_LOST = `select event_key from events
  where event_key = $1 and status = 'running' and (lease_owner <> $2 or lease_ms <= $3)`;

const INTEND = `insert into operations
  (operation_key, event_key, action, target_id, product_id, before, choice, state, intended_ms)
  values ($1, $2, $3, $4, $5, $6, $7, 'intended', $8)
  on conflict (operation_key) do nothing returning operation_key`;

const INTEND_AGAIN = `update operations set event_key = $2, action = $3, target_id = $4, product_id = $5,
  before = $6, choice = $7, state = 'intended', result = null, intended_ms = $8
  where operation_key = $1 and event_key = $9 and intended_ms = $10 and state = $11
  returning operation_key`;

const COMPLETE = `update operations set state = 'done', result = $2, done_ms = $3,
  made_id = case when action = 'license.create' then $4 else null end
  where operation_key = $1`;

const WRITE_LAST_WRITE = `insert into last_writes (field, time_ms, is_payment) values ($1, $2, $3)
  on conflict (field) do update set time_ms = excluded.time_ms, is_payment = excluded.is_payment
  where excluded.time_ms > last_writes.time_ms
    or (excluded.time_ms = last_writes.time_ms and excluded.is_payment >= last_writes.is_payment)`;
