// Lists in pages. Takes a reader of one page and what is wanted of it, gives all of that, each object once.
// Never gives a part of a list for the whole of it, and holds no more of it than what is wanted.

import { errorOfNonsense } from './errors.ts';

/** The largest page Cryptlex gives; its default is not documented, so it is always sent. */
export const PAGE_LIMIT = 100;
/** A search that goes on beyond is none: 100,000 objects, half an hour of the account's rate limit. */
const PAGES_MAX = 1_000;

/**
 * Reads a list to its end: the first page that is not full. An object that moved to a later page
 * while we read counts once, as it was seen last.
 * @throws CRYPTLEX_NONSENSE when pages repeat or never end, since then the list can never be known to be whole
 */
export async function readPages<T extends { id: string }>(
  path: string,
  readPage: (page: number) => Promise<T[]>,
  isWanted: (item: T) => boolean,
): Promise<T[]> {
  const seen = new Set<string>();
  const wanted = new Map<string, T>();
  for (let page = 1; page <= PAGES_MAX; page++) {
    const items = await readPage(page);
    const seenBefore = seen.size;
    for (const item of items) {
      seen.add(item.id);
      if (isWanted(item)) wanted.set(item.id, item);
      else wanted.delete(item.id);
    }
    if (items.length < PAGE_LIMIT) return [...wanted.values()];
    if (seen.size === seenBefore) {
      throw errorOfNonsense({ method: 'GET', path }, 200, `page ${page} repeats earlier pages`);
    }
  }
  const reason = `the list goes on after ${PAGES_MAX} pages of ${PAGE_LIMIT}`;
  throw errorOfNonsense({ method: 'GET', path }, 200, reason);
}
