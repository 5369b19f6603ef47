// Operations of a journal by their key, for tests that are not about who may end them.

import { expect } from 'vitest';
import type { OperationResult } from '../../src/core/model.ts';
import type { Intended, Intention, Journal, LastWrite } from '../../src/journal/journal.ts';

/** As the first attempt at its event has noted it. */
export async function intendedAs(journal: Journal, key: string): Promise<Intended> {
  const operation = (await journal.findOperations([key])).get(key);
  if (operation?.state !== 'intended') throw new Error(`${key} is not intended`);
  return { ...operation, attempt: 1 };
}

export async function intend(journal: Journal, intention: Intention): Promise<void> {
  expect(await journal.intend(intention, undefined)).toMatchObject({ key: intention.key });
}

export async function complete(
  journal: Journal,
  key: string,
  result: OperationResult,
  lastWrites: readonly LastWrite[] = [],
): Promise<void> {
  await journal.complete(await intendedAs(journal, key), result, lastWrites);
}

export async function withdraw(journal: Journal, key: string): Promise<void> {
  await journal.withdraw(await intendedAs(journal, key));
}
