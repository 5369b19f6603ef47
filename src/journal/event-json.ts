// An event of the journal as programs get it: one object in a list, and the whole of one event.
// Takes records, gives plain data; the payload stands only in the second.

import type { EventDetails } from './archive.ts';
import type { EventRecord } from './journal.ts';

/** One event in a list: who, what, how it stands, and why. */
export function summaryOf(record: EventRecord): object {
  const { event, outcome } = record;
  return {
    id: event.id,
    provider: event.provider,
    source: event.source,
    type: event.type,
    time: new Date(event.timeMs).toISOString(),
    subjects: record.subjects,
    status: record.status,
    attempts: record.attempts,
    acceptedAt: new Date(record.firstAcceptedAtMs).toISOString(),
    dueAt: record.dueAtMs === undefined ? undefined : new Date(record.dueAtMs).toISOString(),
    timer: record.timerKey,
    rule: outcome?.rule,
    message: outcome?.message,
    reason: outcome?.reason,
    userId: outcome?.userId,
    licenseIds: outcome?.licenseIds,
    error: outcome?.failure?.code ?? outcome?.code,
    rulesHash: record.rulesHash,
  };
}

/** What else is known of it: payload, plan, operations, tries. */
export function bodyOf({ record, storedPlan, operations, attempts }: EventDetails): object {
  return {
    payload: record.isErased ? null : record.event.payload,
    plan: storedPlan?.plan.steps ?? null,
    operations,
    attempts,
  };
}
