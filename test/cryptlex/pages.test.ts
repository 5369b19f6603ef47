// A search holds what it wants, and comes to an end, whatever is in the list.

import { expect, test } from 'vitest';
import { PAGE_LIMIT, readPages } from '../../src/cryptlex/pages.ts';

/** Pages of objects that no page before had; the last one is not full. */
function listOf(pages: number) {
  return async (page: number) => {
    const length = page === pages ? PAGE_LIMIT - 1 : PAGE_LIMIT;
    return Array.from({ length }, (_, index) => ({ id: `${page}-${index}` }));
  };
}

test('of a long list it keeps what is wanted', async () => {
  const found = await readPages('/v3/licenses', listOf(1_000), ({ id }) => id.endsWith('-7'));
  expect(found).toHaveLength(1_000);
});

test('a list that does not end after 1,000 pages is no answer to a search', async () => {
  const search = readPages('/v3/licenses', listOf(1_001), () => true);
  await expect(search).rejects.toMatchObject({ code: 'CRYPTLEX_NONSENSE' });
});

test('an object that is not wanted any more on a later page is not given', async () => {
  const readPage = async (page: number) =>
    page === 1
      ? Array.from({ length: PAGE_LIMIT }, (_, id) => ({ id: `${id}`, suspended: false }))
      : [{ id: '0', suspended: true }];
  const found = await readPages('/v3/licenses', readPage, ({ suspended }) => !suspended);
  expect(found).toHaveLength(PAGE_LIMIT - 1);
});
