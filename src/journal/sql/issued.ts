// The licenses that were made, by product. Takes product ids, gives counts and the last ones; each product is one
// look into an index, however much else was recorded.

import type { IssuedLicenses } from '../archive.ts';
import type { SqlTransaction } from './database.ts';

interface LastRow {
  readonly made_id: string;
  readonly event_key: string;
  readonly intended_ms: number;
}

const COUNT = `select count(*) as licenses from operations
  where product_id = $1 and made_id is not null`;
const FIND_LAST = `select made_id, event_key, intended_ms from operations
  where product_id = $1 and made_id is not null order by intended_ms desc limit $2`;

export async function findIssued(
  tx: SqlTransaction,
  productIds: readonly string[],
  lastMax: number,
): Promise<ReadonlyMap<string, IssuedLicenses>> {
  const issued = new Map<string, IssuedLicenses>();
  for (const id of new Set(productIds)) {
    const [counted] = await tx.query<{ licenses: number | string }>(COUNT, [id]);
    const licenses = Number(counted?.licenses ?? 0);
    if (licenses === 0) continue;
    const rows = await tx.query<LastRow>(FIND_LAST, [id, lastMax]);
    const last = rows.map(({ made_id, event_key, intended_ms }) => ({
      ...{ licenseId: made_id, eventKey: event_key, atMs: intended_ms },
    }));
    issued.set(id, { licenses, last });
  }
  return issued;
}
