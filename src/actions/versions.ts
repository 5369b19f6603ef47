// What Cryptlex answered last to a write of ours, as the journal keeps it. Takes objects from lists, which may be
// seconds old; gives them as they are at least since our own last write, at the price of a call only where the list
// is proven to be old. Never trusts that what has changed was changed by a certain operation.

import type { LastWrite } from '../journal/journal.ts';
import type { ActionRun } from './run.ts';

/** What a write returned: a license or a user, or only the id of what was deleted. */
export interface Written {
  readonly id: string;
  /** Cryptlex's own time of its last change. */
  readonly updatedAt?: string | undefined;
  readonly expiresAt?: string | null | undefined;
}

type Kind = 'license' | 'user';

function versionField(kind: Kind, id: string): string {
  return `${kind}:${id}:version`;
}

/** The expiry as the last operation left it that moved it. */
export function movedExpiryField(licenseId: string): string {
  return `license:${licenseId}:movedExpiry`;
}

/** What is kept of a write's answer. What it made is in no list that could be older. */
export function versionWrites(
  operation: {
    readonly action: string;
    readonly targetId?: string;
    readonly movesExpiry?: boolean;
  },
  { id, updatedAt, expiresAt = null }: Written,
): readonly LastWrite[] {
  const timeMs = Date.parse(updatedAt ?? '');
  if (operation.targetId === undefined || Number.isNaN(timeMs)) return [];
  const kind = operation.action.startsWith('user.') ? 'user' : 'license';
  const version = { field: versionField(kind, id), timeMs, rank: 0 };
  if (operation.movesExpiry !== true) return [version];
  return [version, { field: movedExpiryField(id), timeMs, rank: 0, written: { expiresAt } }];
}

/** Objects of a list, those that the list shows older than we left them read anew; without those that are gone. */
export async function newestOf<Item extends Written>(
  kind: Kind,
  listed: readonly Item[],
  get: (id: string) => Promise<Item | undefined>,
  run: ActionRun,
): Promise<readonly Item[]> {
  if (listed.length === 0) return listed;
  const fields = listed.map(({ id }) => versionField(kind, id));
  const versions = await run.journal.findLastWrites(fields);
  const newest: Item[] = [];
  for (const item of listed) {
    const leftMs = versions.get(versionField(kind, item.id))?.timeMs ?? 0;
    const isOld = Date.parse(item.updatedAt ?? '') < leftMs;
    const now = isOld ? await get(item.id) : item;
    if (now !== undefined) newest.push(now);
  }
  return newest;
}
