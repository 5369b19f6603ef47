// Users that are remembered, so that a repeat customer costs no look-up. Takes what a user is found by,
// keeps a keyed hash of it: an e-mail address never stands in the journal.

import { createHmac } from 'node:crypto';
import { WITHOUT_WAITING } from './database.ts';
import type { PreparedDatabase } from './prepared-database.ts';

export class SqlUsers {
  readonly #database: PreparedDatabase;

  constructor(database: PreparedDatabase) {
    this.#database = database;
  }

  async remember(lookup: string, userId: string): Promise<void> {
    await this.#database.transaction(
      (tx) => tx.query(REMEMBER, [this.#hash(lookup), userId]),
      WITHOUT_WAITING,
    );
  }

  recall(lookup: string): Promise<string | undefined> {
    return this.#database.transaction(async (tx) => {
      const [row] = await tx.query<{ user_id: string }>(RECALL, [this.#hash(lookup)]);
      return row?.user_id;
    }, WITHOUT_WAITING);
  }

  async forget(userId: string): Promise<void> {
    await this.#database.transaction(
      (tx) => tx.query('delete from known_users where user_id = $1', [userId]),
      WITHOUT_WAITING,
    );
  }

  #hash(lookup: string): string {
    return createHmac('sha256', this.#database.meta.hashKey).update(lookup).digest('hex');
  }
}

const REMEMBER = `insert into known_users (lookup, user_id) values ($1, $2)
  on conflict (lookup) do update set user_id = excluded.user_id`;

const RECALL = 'select user_id from known_users where lookup = $1';
