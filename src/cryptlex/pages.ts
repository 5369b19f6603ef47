// Lists in pages. Takes a reader of one page, gives the whole list, each object once.
// Never gives a part of a list for the whole of it.

import { errorOfNonsense } from './errors.ts';

/** The largest page Cryptlex gives; its default is not documented, so it is always sent. */
export const PAGE_LIMIT = 100;

/**
 * Reads a list to its end: the first page that is not full. An object that moved to a later page
 * while we read counts once, as it was seen last.
 * @throws CRYPTLEX_NONSENSE when pages repeat, since then the list can never be known to be whole
 */
export async function readPages<T extends { id: string }>(
  path: string,
  readPage: (page: number) => Promise<T[]>,
): Promise<T[]> {
  const byId = new Map<string, T>();
  for (let page = 1; ; page++) {
    const items = await readPage(page);
    const knownBefore = byId.size;
    for (const item of items) byId.set(item.id, item);
    if (items.length < PAGE_LIMIT) return [...byId.values()];
    if (byId.size === knownBefore) {
      throw errorOfNonsense({ method: 'GET', path }, 200, `page ${page} repeats earlier pages`);
    }
  }
}
