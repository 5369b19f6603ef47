// Order. Takes fields of licenses and users, tells whether a newer event has set them already.
// An older event never overrides a newer one; of two of the same time a payment wins over a suspension.

import type { LastWrite } from '../journal/journal.ts';
import type { ActionRun } from './run.ts';

/** Whether setting the field by this event would override something newer. */
export async function isStale(
  field: string,
  run: ActionRun,
  { isPayment }: { isPayment: boolean },
): Promise<boolean> {
  const last = (await run.journal.findLastWrites([field])).get(field);
  if (last === undefined) return false;
  const { timeMs } = run.event;
  return last.timeMs > timeMs || (last.timeMs === timeMs && last.isPayment && !isPayment);
}

/** That this event set the field. */
export function lastWrite(field: string, run: ActionRun, isPayment: boolean): LastWrite {
  return { field, timeMs: run.event.timeMs, isPayment };
}

/**
 * That the expiry was set to a date, rather than moved by an interval. A date says it all: a renewal
 * of before is contained in it, while renewals among themselves add up in any order.
 */
export function expiryDateField(licenseId: string): string {
  return `license:${licenseId}:expiryDate`;
}

export const HELD_REASON = 'a newer event suspended it, and that was not taken back';
export const STALE_REASON = 'a newer event has set it already';
