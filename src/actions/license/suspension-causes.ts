// Why a license is suspended or revoked. A suspension `because` of something (a dispute) is kept apart from the
// plain word of the rules (overdue, paid) and from what a person did in Cryptlex: only so can it be taken back
// and nothing else with it. Takes a license and a step, gives what holds it; written in the journal only.
//
// The license is held by a cause from its event on until a payment that is newer (suspensions only), or until it
// is taken back. A license that was held already, and not by anything that the journal knows, was suspended by a
// person: the cause does not take hold of it, so that taking it back will not lift what the person did.

import { keyText } from '../../core/stored-text.ts';
import { told } from '../../core/told.ts';
import type { License } from '../../cryptlex/types.ts';
import type { LastWrite, OperationRecord } from '../../journal/journal.ts';
import { text } from '../input.ts';
import { isStale, resumedField, STALE_REASON } from '../last-writes.ts';
import { noteDone, noteUntouched, type Operation, operationKey, perform } from '../operations.ts';
import type { ActionRun, ActionStep } from '../run.ts';

/** What may be held: the field of the license, and the action that does it. */
export interface Hold {
  readonly field: 'suspended' | 'revoked';
  readonly action: 'license.suspend' | 'license.revoke';
}

export const SUSPENSION: Hold = { field: 'suspended', action: 'license.suspend' };
export const REVOCATION: Hold = { field: 'revoked', action: 'license.revoke' };

/** The last plain word: a suspension, or a payment. */
function holdField(licenseId: string, { field }: Hold): string {
  return `license:${licenseId}:${field}`;
}

/** When the cause was taken back. */
export function releaseField(licenseId: string, { field }: Hold, cause: string): string {
  return keyText(`license:${licenseId}:${field}:because:${cause}`);
}

/** The same however often the cause is told: what a person undid is not done again, but by a forced replay. */
function causeKey(licenseId: string, { action }: Hold, cause: string, run: ActionRun): string {
  return operationKey(run, action, 'because', cause, licenseId);
}

/** Since when a cause holds the license; undefined when it never took hold. */
export async function heldSince(
  licenseId: string,
  hold: Hold,
  cause: string,
  run: ActionRun,
): Promise<number | undefined> {
  const key = causeKey(licenseId, hold, cause, unforced(run));
  return timeOf((await run.journal.findOperations([key])).get(key));
}

function timeOf(operation: OperationRecord | undefined): number | undefined {
  const timeMs = operation?.before['timeMs'];
  return operation?.state === 'done' && typeof timeMs === 'number' ? timeMs : undefined;
}

const unforced = (run: ActionRun): ActionRun => ({ ...run, replay: undefined });

/** What the step says it is because of, as it can be looked up. */
export function causeOf(step: ActionStep): string | undefined {
  const cause = text(step, 'because');
  return cause === undefined ? undefined : keyText(cause);
}

const licenseKey = (licenseId: string): string => `license:${licenseId}`;

/** What holds the license by the journal's knowledge: the plain word, and causes with the time of each. */
export interface Held {
  /** The last plain word. */
  readonly word: { readonly timeMs: number; readonly isPayment: boolean } | undefined;
  readonly causes: ReadonlyMap<string, number>;
}

export async function heldBy(licenseId: string, hold: Hold, run: ActionRun): Promise<Held> {
  const { journal } = run;
  const { cause: known } = await journal.findReferences([licenseKey(licenseId)]);
  const operations = await journal.findOperations(
    known.map((cause) => causeKey(licenseId, hold, cause, unforced(run))),
  );
  const word = holdField(licenseId, hold);
  const releases = known.map((cause) => releaseField(licenseId, hold, cause));
  const resumed = resumedField(licenseId);
  const writes = await journal.findLastWrites([word, resumed, ...releases]);
  const last = wordOf(writes.get(word), writes.get(resumed));
  const causes = new Map<string, number>();
  for (const cause of known) {
    const timeMs = timeOf(operations.get(causeKey(licenseId, hold, cause, unforced(run))));
    if (timeMs === undefined || isLifted(timeMs, last)) continue;
    const released = writes.get(releaseField(licenseId, hold, cause));
    if (released === undefined || released.timeMs < timeMs) causes.set(cause, timeMs);
  }
  return { word: last, causes };
}

/** A payment, where it was noted as one with that time. */
function wordOf(last: LastWrite | undefined, resumed: LastWrite | undefined): Held['word'] {
  if (last === undefined) return undefined;
  const isPayment = resumed?.timeMs === last.timeMs && resumed.rank >= last.rank;
  return { timeMs: last.timeMs, isPayment };
}

/** Whether a payment of that time or later has lifted it; an older one has not. */
function isLifted(timeMs: number, word: Held['word']): boolean {
  return word?.isPayment === true && word.timeMs >= timeMs;
}

/** Whether the journal knows of anything that holds the license, but for one cause. */
export function isHeld({ word, causes }: Held, except?: string): boolean {
  const byWord = word !== undefined && !word.isPayment;
  return byWord || [...causes.keys()].some((cause) => cause !== except);
}

/** What a payment finds that is about a suspended license. */
export interface Suspension {
  /** Something that happened after the payment holds it, so the payment does not lift that. */
  readonly isHeldByNewer: boolean;
  /** Nothing else does: when it was paid, the license was active. */
  readonly wasActive: boolean;
}

export async function suspensionOf(license: License, run: ActionRun): Promise<Suspension> {
  if (!told(license, 'suspended')) return { isHeldByNewer: false, wasActive: true };
  const { word, causes } = await heldBy(license.id, SUSPENSION, run);
  const times = [...causes.values()];
  const isHeldByNewer = times.some((timeMs) => timeMs > run.event.timeMs);
  const isHeldSince = times.some((timeMs) => timeMs <= run.event.timeMs);
  const byWord = word !== undefined && !word.isPayment;
  return { isHeldByNewer, wasActive: isHeldByNewer && !isHeldSince && !byWord };
}

/** Suspends or revokes a license `because` of something, once, whatever a person does after it. */
export async function holdLicense(
  license: License,
  hold: Hold,
  step: ActionStep & { readonly cause: string },
  run: ActionRun,
): Promise<void> {
  const { journal, event } = run;
  const { action, cause } = step;
  const targetId = license.id;
  run.progress.licenseIds.add(targetId);
  const key = causeKey(targetId, hold, cause, run);
  const held = await heldBy(targetId, hold, run);
  const isReleased = await isStale(releaseField(targetId, hold, cause), run, { isPayment: false });
  if (isReleased || isLifted(event.timeMs, held.word)) {
    noteUntouched(action, { kind: 'stale', targetId, reason: STALE_REASON }, run);
    return;
  }
  const known = (await journal.findOperations([key])).get(key);
  const isHeldAlready = known === undefined && told(license, hold.field);
  if (isHeldAlready && !isHeld(held)) {
    const reason = `it was ${hold.field} already, and not by these rules`;
    noteUntouched(action, { kind: 'unchanged', targetId, reason }, run);
    return;
  }
  await journal.noteReferences([{ key: licenseKey(targetId), kind: 'cause', value: cause }]);
  const operation: Operation & { readonly targetId: string } = {
    key,
    action,
    targetId,
    before: { timeMs: event.timeMs },
    waitsForLost: true,
    write: (how) => {
      const body = hold.field === 'suspended' ? { suspended: true } : { revoked: true };
      return run.client.updateLicense(targetId, body, how);
    },
    // Whose doing it is has to be known, so an answer that says nothing is not taken for a failure.
    readBack: async () => {
      const now = await run.client.getLicense(targetId, { signal: run.signal });
      return now !== undefined && told(now, hold.field) ? now : undefined;
    },
  };
  if (isHeldAlready) await noteDone(operation, `it is ${hold.field} already`, run);
  else await perform(operation, run);
}
