// Which other events one must not work beside. Takes an event that names a payment only, gives the subjects of the
// sale that was paid, once the journal knows it; and the end of an attempt that has just learned of them.

import type { WebhookEvent } from '../core/model.ts';
import type { RuleSet } from '../engine/rules/rule-set.ts';
import type { Journal, Settlement } from '../journal/journal.ts';

/** A refund names a payment only; it takes its turn among the events of the sale, once that is known. */
export async function saleOf(
  { type }: Pick<WebhookEvent, 'type'>,
  subjects: readonly string[],
  ruleSet: RuleSet | undefined,
  journal: Journal,
): Promise<readonly string[]> {
  if (ruleSet?.typesByPayment.has(type) !== true) return [];
  return (await journal.findReferences(subjects)).subject;
}

/** Its payment came after it: only now is it known which events it must not work beside. */
export function takesItsTurn(eventId: string, joins: readonly string[]): Settlement {
  const message = 'The event is stored and will be done.';
  const reason = 'it takes its turn among the events of its sale, which is known now';
  return { outcome: { eventId, status: 'queued', message, reason }, wakesWaiting: false, joins };
}
