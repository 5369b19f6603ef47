// References in the SQL journal: which licenses a payment paid for, other ids that it has, and the like. Holds ids
// only, and nothing of it is ever erased: a refund may come after years.

import type { KnownReferences, Reference } from '../journal.ts';
import { listed } from './database.ts';
import type { DeferredWrites } from './deferred-writes.ts';

export class SqlReferences {
  readonly #database: DeferredWrites;

  constructor(database: DeferredWrites) {
    this.#database = database;
  }

  async note(references: readonly Reference[]): Promise<void> {
    await this.#database.defer([ANY_REFERENCE], async (tx) => {
      for (const { key, kind, value } of references) await tx.query(NOTE, [key, kind, value]);
    });
  }

  find(keys: readonly string[]): Promise<KnownReferences> {
    return this.#database.read(
      async (tx) => {
        const items = this.#database.listItems('$1');
        const rows = await tx.query<Pick<Reference, 'kind' | 'value'>>(knownOf(items), [
          listed(keys),
        ]);
        const of = (kind: Reference['kind']): readonly string[] =>
          rows.filter((row) => row.kind === kind).map(({ value }) => value);
        return { license: of('license'), subject: of('subject'), cause: of('cause') };
      },
      [ANY_REFERENCE],
    );
  }
}

/** What is known under an id may hang on any other, so that whoever asks sees all that was noted. */
const ANY_REFERENCE = 'reference any';

const NOTE = `insert into known_references (reference_key, kind, reference_value) values ($1, $2, $3)
  on conflict (reference_key, kind, reference_value) do nothing`;

/** Follows the other ids of a payment, then gives what is known under any of them. */
const knownOf = (items: string): string => `with recursive ids (id) as (
    select reference_key from known_references where reference_key in (${items})
    union
    select known_references.reference_value
      from known_references join ids on known_references.reference_key = ids.id
      where known_references.kind = 'payment'
  )
  select distinct kind, reference_value as value
    from known_references join ids on known_references.reference_key = ids.id
    order by kind, value`;
