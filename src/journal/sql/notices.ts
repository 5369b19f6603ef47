// What running servers say of themselves, in the SQL journal: a row of its table of settings for each.
// Takes a text or takes it back; gives what was said lately, by the database's clock.

import { NOTICE_FRESH_MS, type ServerNotice } from '../archive.ts';
import type { SqlTransaction } from './database.ts';

const NOTICE = 'notice:';

const REMEMBER_NOTICE = 'insert into keywright_meta (name, value) values ($1, $2)';

const FIND_NOTICES = `select value from keywright_meta where name like '${NOTICE}%' order by name`;

export async function setNotice(
  tx: SqlTransaction,
  server: string,
  text: string | undefined,
): Promise<void> {
  await tx.query('delete from keywright_meta where name = $1', [`${NOTICE}${server}`]);
  if (text === undefined) return;
  const value = JSON.stringify({ server, text, atMs: tx.nowMs } satisfies ServerNotice);
  await tx.query(REMEMBER_NOTICE, [`${NOTICE}${server}`, value]);
}

export async function findNotices(tx: SqlTransaction): Promise<readonly ServerNotice[]> {
  const rows = await tx.query<{ value: string }>(FIND_NOTICES);
  return rows
    .map(({ value }) => JSON.parse(value) as ServerNotice)
    .filter(({ atMs }) => atMs >= tx.nowMs - NOTICE_FRESH_MS);
}
