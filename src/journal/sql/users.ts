// Users that are remembered, so that a repeat customer costs no look-up. Takes what a user is found by,
// keeps a keyed hash of it: an e-mail address never stands in the journal.

import type { KeyedHash } from '../keyed-hash.ts';
import { WITHOUT_WAITING } from './database.ts';
import type { DeferredWrites } from './deferred-writes.ts';

export class SqlUsers {
  readonly #database: DeferredWrites;
  readonly #hash: KeyedHash;

  constructor(database: DeferredWrites, hash: KeyedHash) {
    this.#database = database;
    this.#hash = hash;
  }

  async remember(lookup: string, userId: string): Promise<void> {
    const hash = this.#hash(lookup);
    await this.#database.defer([`user ${hash}`], (tx) => tx.query(REMEMBER, [hash, userId]));
  }

  recall(lookup: string): Promise<string | undefined> {
    const hash = this.#hash(lookup);
    return this.#database.read(
      async (tx) => {
        const [row] = await tx.query<{ user_id: string }>(RECALL, [hash]);
        return row?.user_id;
      },
      [`user ${hash}`],
    );
  }

  async forget(userId: string): Promise<void> {
    await this.#database.transaction(
      (tx) => tx.query('delete from known_users where user_id = $1', [userId]),
      WITHOUT_WAITING,
    );
  }
}

const REMEMBER = `insert into known_users (lookup, user_id) values ($1, $2)
  on conflict (lookup) do update set user_id = excluded.user_id`;

const RECALL = 'select user_id from known_users where lookup = $1';
