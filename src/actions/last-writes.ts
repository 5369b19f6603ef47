// Order. Takes fields of licenses and users, tells whether a newer event has set them already.
// An older event never overrides a newer one; of two of the same time the higher rank wins: what the rule
// says, else a payment wins over a suspension.

import type { LastWrite } from '../journal/journal.ts';
import type { ActionRun } from './run.ts';

/** Whether setting the field by this event would override something newer. */
export async function isStale(
  field: string,
  run: ActionRun,
  { isPayment, rank = Number(isPayment) }: { isPayment: boolean; rank?: number | undefined },
): Promise<boolean> {
  const last = (await run.journal.findLastWrites([field])).get(field);
  return last !== undefined && isNewer(last, run, rank);
}

/** Whether what was written counts as later than this event. */
export function isNewer(last: LastWrite, { event }: ActionRun, rank: number): boolean {
  return last.timeMs > event.timeMs || (last.timeMs === event.timeMs && last.rank > rank);
}

/** That this event set the field. */
export function lastWrite(
  field: string,
  run: ActionRun,
  isPayment: boolean,
  rank = Number(isPayment),
): LastWrite {
  return { field, timeMs: run.event.timeMs, rank };
}

/**
 * That the expiry was set to a date, rather than moved by an interval. A date says it all: a renewal
 * of before is contained in it, while renewals among themselves add up in any order.
 */
export function expiryDateField(licenseId: string): string {
  return `license:${licenseId}:expiryDate`;
}

/**
 * That a payment brought the license back, beside `suspended`: a rank alone does not tell whether the last
 * word was a payment or a suspension.
 */
export function resumedField(licenseId: string): string {
  return `license:${licenseId}:resumed`;
}

export const HELD_REASON = 'a newer event suspended it, and that was not taken back';
export const STALE_REASON = 'a newer event has set it already';
