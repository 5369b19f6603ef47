// Payments and what they paid for. Takes the licenses that a step touched and the ids that it was paid with, notes
// the one under the other in the journal; gives the licenses of a payment. Never calls Cryptlex.

import type { OperationResult } from '../../core/model.ts';
import { keyText } from '../../core/stored-text.ts';
import type { Reference } from '../../journal/journal.ts';
import type { ActionRun, ActionStep } from '../run.ts';

/** An id of one provider has nothing to do with the same id of another. */
export function paymentKey(id: string, run: ActionRun): string {
  return keyText(`${run.event.provider}:${id}`);
}

/** Notes every license that the step touched under every id of its payment. */
export async function notePaidLicenses(
  { payments }: ActionStep,
  operations: readonly { readonly action: string; readonly result: OperationResult }[],
  run: ActionRun,
): Promise<void> {
  const licenseIds = new Set(
    operations
      .filter(({ action }) => action.startsWith('license.'))
      .map(({ result }) => result.targetId),
  );
  if (payments.length === 0 || licenseIds.size === 0) return;
  const keys = payments.map((id) => paymentKey(id, run));
  const references = keys.flatMap((key): readonly Reference[] => [
    ...[...licenseIds].map((value) => ({ key, kind: 'license', value }) as const),
    // A refund takes its turn among the events of the sale.
    ...run.subjects.map((value) => ({ key, kind: 'subject', value }) as const),
    ...sameAs(key, keys),
  ]);
  await run.journal.noteReferences(references);
  run.progress.hasNotedPayment = true;
}

/** That these ids are one payment; to be told of each of them. */
export function sameAs(key: string, keys: readonly string[]): readonly Reference[] {
  return keys.filter((other) => other !== key).map((value) => ({ key, kind: 'payment', value }));
}

/** The licenses that a payment is known to have paid for. */
export async function licensesPaidWith(id: string, run: ActionRun): Promise<readonly string[]> {
  return (await run.journal.findReferences([paymentKey(id, run)])).license;
}
