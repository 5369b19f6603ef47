// One writing call, written down. Takes what is to be done and how to find out whether it happened;
// gives the result, from the journal when it was done before. Never repeats a call whose outcome is open
// before it was read back.

import type { IntendedOperation, LastWrite } from '../journal/journal.ts';
import type { JsonObject, OperationResult } from '../model.ts';
import { type ActionRun, effectOf, RetryLater } from './run.ts';

/** A request that got no answer may still be carried out this long: the time-out of a call and a margin. */
export const LOST_REQUEST_MS = 15_000;

export interface Operation {
  /** Effect identity; see `operationKey`. */
  readonly key: string;
  readonly action: string;
  readonly targetId?: string;
  readonly productId?: string;
  readonly before?: JsonObject;
  readonly choice?: string;
  /** Makes the call; gives the id of what it changed or made. */
  write(): Promise<string>;
  /** Whether the call took effect: the id, or undefined. Without it, repeating does no harm. */
  readBack?(before: JsonObject): Promise<string | undefined>;
  /** Whether a lost request may still do harm when it comes late. */
  readonly waitsForLost: boolean;
  /** The fields it sets, with this event's time. */
  readonly sets?: readonly LastWrite[];
}

/** (provider, action, once, unit or license): no rule, no file, no product in it. */
export function operationKey(run: ActionRun, ...parts: readonly string[]): string {
  return JSON.stringify([run.event.provider, ...parts]);
}

/**
 * Does an operation once in effect. A done one is skipped, an open one is read back first.
 * @throws RetryLater while a lost request may still commit; whatever the call throws
 */
export async function perform(operation: Operation, run: ActionRun): Promise<OperationResult> {
  const { journal } = run;
  const known = (await journal.findOperations([operation.key])).get(operation.key);
  if (known?.state === 'done') {
    const { targetId } = known.result;
    return note(operation, { kind: 'unchanged', targetId, reason: 'it was done before' }, run);
  }
  if (known !== undefined) {
    const found = await settleOpen(operation, known, run);
    if (found !== undefined) return finish(operation, found, run);
  } else {
    await run.beforeWrite();
  }
  await journal.intend(intentionOf(operation, known, run));
  try {
    return await finish(operation, await operation.write(), run);
  } catch (error) {
    return finish(operation, await afterFailure(operation, error, run), run);
  }
}

/** An intention without an end: the call of an earlier attempt may have taken effect. */
async function settleOpen(
  operation: Operation,
  known: IntendedOperation,
  run: ActionRun,
): Promise<string | undefined> {
  const clearAtMs = known.intendedAtMs + LOST_REQUEST_MS;
  if (operation.waitsForLost && run.clock.nowMs() < clearAtMs) {
    throw new RetryLater(`${operation.action} of an earlier attempt is still open`, clearAtMs);
  }
  return operation.readBack?.(known.before);
}

/** Whether the failed call took effect after all; throws when it did not, or when nobody knows yet. */
async function afterFailure(operation: Operation, error: unknown, run: ActionRun): Promise<string> {
  const effect = effectOf(error);
  if (effect === 'unclear' && operation.waitsForLost) {
    const dueAtMs = run.clock.nowMs() + LOST_REQUEST_MS;
    throw new RetryLater(error instanceof Error ? error.message : 'no answer', dueAtMs, error);
  }
  if (effect === 'readBack' && operation.readBack !== undefined) {
    const before = operation.before ?? {};
    const found = await operation.readBack(before);
    if (found !== undefined) return found;
  }
  await run.journal.withdraw(operation.key);
  throw error;
}

function intentionOf(
  operation: Operation,
  known: IntendedOperation | undefined,
  run: ActionRun,
): IntendedOperation {
  return {
    key: operation.key,
    eventKey: run.eventKey,
    action: operation.action,
    targetId: operation.targetId,
    productId: operation.productId,
    before: known?.before ?? operation.before ?? {},
    choice: known?.choice ?? operation.choice,
    intendedAtMs: run.clock.nowMs(),
  };
}

async function finish(
  operation: Operation,
  targetId: string,
  run: ActionRun,
): Promise<OperationResult> {
  const result: OperationResult = { kind: 'applied', targetId };
  await run.journal.complete(operation.key, result, operation.sets ?? []);
  return note(operation, result, run);
}

function note(operation: Operation, result: OperationResult, run: ActionRun): OperationResult {
  run.progress.operations.push({ action: operation.action, result });
  return result;
}

/** Notes that nothing had to be done, or that a newer event came before. */
export function noteUntouched(action: string, result: OperationResult, run: ActionRun): void {
  run.progress.operations.push({ action, result });
}
