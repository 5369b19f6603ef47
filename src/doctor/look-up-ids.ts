// Whether Cryptlex knows ids. Takes ids and a way to ask for one, gives what was found; asks for so many of them
// at most, and stops where asking is not allowed. For the doctor, and for the console's catalog.

import { AppError } from '../core/error-codes.ts';

/** More ids than that are asked for only in part: the account's rate limit is shared with the server. */
export const IDS_MAX = 40;

export interface AskedIds<Found> {
  readonly found: ReadonlyMap<string, Found>;
  readonly unknown: readonly string[];
  /** Why not all of them were asked for. */
  readonly stopped: { readonly kind: 'forbidden' | 'failed'; readonly message: string } | undefined;
}

/** @param ask undefined or CRYPTLEX_REFUSED where there is none */
export async function askForIds<Found>(
  ids: Iterable<string>,
  max: number,
  ask: (id: string) => Promise<Found | undefined>,
): Promise<AskedIds<Found>> {
  const found = new Map<string, Found>();
  const unknown: string[] = [];
  for (const id of [...ids].slice(0, max)) {
    try {
      const answer = await ask(id);
      if (answer === undefined) unknown.push(id);
      else found.set(id, answer);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      if (error.code !== 'CRYPTLEX_REFUSED') {
        const kind = error.code === 'CRYPTLEX_TOKEN' ? 'forbidden' : 'failed';
        return { found, unknown, stopped: { kind, message: error.message } };
      }
      unknown.push(id);
    }
  }
  return { found, unknown, stopped: undefined };
}
