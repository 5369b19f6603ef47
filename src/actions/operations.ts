// One writing call, written down. Takes what is to be done and how to find out whether it happened;
// gives the result, from the journal when it was done before. Never repeats a call whose outcome is open
// before it was read back.

import { AppError } from '../core/error-codes.ts';
import type { JsonObject, OperationResult } from '../core/model.ts';
import { keyText } from '../core/stored-text.ts';
import type { Effect } from '../cryptlex/errors.ts';
import type { IntendedOperation, LastWrite, OperationRecord } from '../journal/journal.ts';
import { askBrake } from './brake.ts';
import { RetryLater } from './failures.ts';
import { type ActionRun, effectOf } from './run.ts';

/** A request that got no answer may still be carried out this long: the time-out of a call and a margin. */
export const LOST_REQUEST_MS = 15_000;
/** Two events of one fact worked on at once: the slower one looks again after this. */
const OVERTAKEN_MS = 1_000;

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
  const { replay } = run;
  // What a person forces is another fact, once for each time that it is asked for.
  const forced = replay?.mode === 'force' ? [`forced:${replay.id}`] : [];
  return keyText(JSON.stringify([run.event.provider, ...parts, ...forced]));
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
  if (run.counted !== undefined) {
    run.counted.push(operation);
    return { kind: 'unchanged', targetId: operation.targetId ?? '', reason: 'it is only counted' };
  }
  if (known !== undefined) {
    const found = await settleOpen(operation, known, run);
    if (found !== undefined) return finish(operation, found, run);
  }
  await askBrake([operation], run);
  await run.beforeWrite();
  const intention = intentionOf(operation, known, run);
  if ((await journal.intend(intention, known)) === 'overtaken') {
    const message = `${operation.action} is being done by another event of the same fact`;
    throw new RetryLater(message, run.clock.nowMs() + OVERTAKEN_MS);
  }
  await run.reach('intended');
  let targetId: string;
  try {
    targetId = await operation.write();
  } catch (error) {
    targetId = await afterFailure(operation, intention, { error, run });
  }
  await run.reach('called');
  // Outside the try: a journal that fails here must not make a done call look like one that failed.
  return finish(operation, targetId, run);
}

/** Writes an operation down as done without a call: what it would do is so already. */
export async function noteDone(
  operation: Operation,
  reason: string,
  run: ActionRun,
): Promise<void> {
  const { key, sets = [], targetId = '' } = operation;
  if (run.counted !== undefined) return;
  await run.beforeWrite();
  const known = (await run.journal.findOperations([key])).get(key);
  await run.journal.intend(intentionOf(operation, known, run), known);
  const result = { kind: 'unchanged', targetId, reason } as const;
  await run.journal.complete(key, result, sets);
  note(operation, result, run);
}

/** An intention without an end: the call of an earlier attempt may have taken effect. */
async function settleOpen(
  operation: Operation,
  known: IntendedOperation,
  run: ActionRun,
): Promise<string | undefined> {
  // An earlier process may have sent its call long after it intended it: the pace held it back. It
  // cannot have sent anything after this one began to work on its events.
  const clearAtMs = Math.max(known.intendedAtMs, run.startedAtMs) + LOST_REQUEST_MS;
  if (operation.waitsForLost && run.clock.nowMs() < clearAtMs) {
    throw new RetryLater(`${operation.action} of an earlier attempt is still open`, clearAtMs);
  }
  return operation.readBack?.(known.before);
}

/** Whether the failed call took effect after all; throws when it did not, or when nobody knows yet. */
async function afterFailure(
  operation: Operation,
  intention: IntendedOperation,
  { error, run }: { error: unknown; run: ActionRun },
): Promise<string> {
  const effect = effectOfWrite(error);
  if (effect === 'unclear' && operation.waitsForLost) {
    // Counted from now on, since the pace may have held the call back for long after it was intended.
    const nowMs = run.clock.nowMs();
    await run.journal.intend(
      { ...intention, intendedAtMs: nowMs },
      { ...intention, state: 'intended' },
    );
    const message = error instanceof Error ? error.message : 'no answer';
    throw new RetryLater(message, nowMs + LOST_REQUEST_MS, error);
  }
  if (effect === 'readBack' && operation.readBack !== undefined) {
    const before = operation.before ?? {};
    const found = await operation.readBack(before);
    if (found !== undefined) return found;
  }
  await run.journal.withdraw(operation.key);
  throw error;
}

/** An error of ours is thrown before anything is sent; what nobody expected may come from anywhere. */
function effectOfWrite(error: unknown): Effect {
  return effectOf(error) ?? (error instanceof AppError ? 'none' : 'unclear');
}

function intentionOf(
  operation: Operation,
  known: OperationRecord | undefined,
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
  await run.reach('completed');
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
