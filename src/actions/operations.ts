// One writing call, written down. Takes what is to be done and how to find out whether it happened;
// gives the result, from the journal when it was done before. Never repeats a call whose outcome is open
// before it was read back.

import { type Stopwatch, startStopwatch } from '../core/clock.ts';
import { AppError } from '../core/error-codes.ts';
import type { JsonObject, OperationResult } from '../core/model.ts';
import { keyText } from '../core/stored-text.ts';
import type { Effect } from '../cryptlex/errors.ts';
import type { CallOptions } from '../cryptlex/request.ts';
import type { Intended, Intention, LastWrite, OperationRecord } from '../journal/journal.ts';
import { askBrake } from './brake.ts';
import { RetryLater } from './failures.ts';
import { type ActionRun, effectOf } from './run.ts';
import { versionWrites, type Written } from './versions.ts';

/** A request that got no answer may still be carried out this long: the time-out of a call and a margin. */
export const LOST_REQUEST_MS = 15_000;
/** A call leaves within this time after it was noted as intended, or not at all; part of that margin. */
const LEAVES_WITHIN_MS = 3_000;
/** Two events of one fact worked on at once: the slower one looks again after this. */
const OVERTAKEN_MS = 1_000;

/** What is noted of an operation. */
interface Noted {
  /** Effect identity; see `operationKey`. */
  readonly key: string;
  readonly action: string;
  readonly targetId?: string;
  readonly productId?: string;
  readonly before?: JsonObject;
  readonly choice?: string;
  /** The fields it sets, with this event's time. */
  readonly sets?: readonly LastWrite[];
}

export interface Operation extends Noted {
  /** Makes the call, with these options; gives what it changed or made. */
  write(how: CallOptions): Promise<Written>;
  /**
   * What the call changed or made, if it took effect: what only this operation can have done, never merely that
   * something has changed. Without it, repeating does no harm.
   */
  readBack?(before: JsonObject): Promise<Written | undefined>;
  /** Whether a lost request may still do harm when it comes late. */
  readonly waitsForLost: boolean;
  /** It moves the expiry of a license; see versions.ts. */
  readonly movesExpiry?: boolean;
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
  const known = (await run.journal.findOperations([operation.key])).get(operation.key);
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
    // Taken over first, so that it is completed by whoever holds it.
    if (found !== undefined)
      return finish(operation, await intend(operation, known, run), found, run);
  }
  await askBrake([operation], run);
  await run.beforeWrite();
  const call = new IntendedCall(operation, known, run);
  let written: Written;
  try {
    written = await operation.write({ signal: run.signal, departure: call });
  } catch (error) {
    if (call.intended === undefined) throw error;
    written = await afterFailure(operation, call.intended, { error, run });
  }
  await run.reach('called');
  if (call.intended === undefined) throw new AppError('INTERNAL', 'a call left without a note');
  // Outside the try: a journal that fails here must not make a done call look like one that failed.
  return finish(operation, call.intended, written, run);
}

/** A call that is noted as intended once the rate limiter has granted it, each time that it has. */
class IntendedCall {
  intended: Intended | undefined;
  readonly #operation: Operation;
  readonly #run: ActionRun;
  #known: OperationRecord | undefined;
  #sinceIntended: Stopwatch | undefined;

  constructor(operation: Operation, known: OperationRecord | undefined, run: ActionRun) {
    this.#operation = operation;
    this.#known = known;
    this.#run = run;
  }

  async onGranted(): Promise<void> {
    const since = startStopwatch(this.#run.clock);
    this.intended = await intend(this.#operation, this.intended ?? this.#known, this.#run);
    this.#sinceIntended = since;
    await this.#run.reach('intended');
  }

  mayLeave(): boolean {
    const { journal, eventKey, attempt } = this.#run;
    const isInTime = (this.#sinceIntended?.() ?? 0) < LEAVES_WITHIN_MS;
    return isInTime && journal.holdsLease(eventKey, attempt);
  }
}

/** @throws RetryLater when another event of the same fact was faster; JOURNAL_LEASE_LOST */
async function intend(
  operation: Noted,
  known: OperationRecord | Intended | undefined,
  run: ActionRun,
): Promise<Intended> {
  const replaces =
    known && ({ ...known, state: 'state' in known ? known.state : 'intended' } as const);
  const intended = await run.journal.intend(intentionOf(operation, known, run), replaces);
  if (intended !== 'overtaken') return intended;
  const message = `${operation.action} is being done by another event of the same fact`;
  throw new RetryLater(message, run.clock.nowMs() + OVERTAKEN_MS);
}

/** Writes an operation down as done without a call: what it would do is so already. */
export async function noteDone(
  operation: Noted & { readonly targetId: string },
  reason: string,
  run: ActionRun,
): Promise<void> {
  const { key, sets = [], targetId } = operation;
  if (run.counted !== undefined) return;
  await run.beforeWrite();
  const known = (await run.journal.findOperations([key])).get(key);
  const intended = await intend(operation, known, run);
  const result = { kind: 'unchanged', targetId, reason } as const;
  await run.journal.complete(intended, result, sets);
  note(operation, result, run);
}

/** An intention without an end: the call of an earlier attempt may have taken effect. */
async function settleOpen(
  operation: Operation,
  known: Extract<OperationRecord, { readonly state: 'intended' }>,
  run: ActionRun,
): Promise<Written | undefined> {
  const leftMs = LOST_REQUEST_MS - known.openForMs;
  if (operation.waitsForLost && leftMs > 0) {
    const message = `${operation.action} of an earlier attempt is still open`;
    throw new RetryLater(message, run.clock.nowMs() + leftMs);
  }
  return operation.readBack?.(known.before);
}

/** Whether the failed call took effect after all; throws when it did not, or when nobody knows yet. */
async function afterFailure(
  operation: Operation,
  intended: Intended,
  { error, run }: { error: unknown; run: ActionRun },
): Promise<Written> {
  const effect = effectOfWrite(error);
  if (effect === 'unclear' && operation.waitsForLost) {
    // It may have left some time after it was noted; from now on it certainly has.
    await intend(operation, intended, run);
    const message = error instanceof Error ? error.message : 'no answer';
    throw new RetryLater(message, run.clock.nowMs() + LOST_REQUEST_MS, error);
  }
  if (effect === 'readBack' && operation.readBack !== undefined) {
    const found = await operation.readBack(intended.before);
    if (found !== undefined) return found;
  }
  await run.journal.withdraw(intended);
  throw error;
}

/** An error of ours is thrown before anything is sent; what nobody expected may come from anywhere. */
function effectOfWrite(error: unknown): Effect {
  return effectOf(error) ?? (error instanceof AppError ? 'none' : 'unclear');
}

function intentionOf(
  { key, action, targetId, productId, before = {}, choice }: Noted,
  known: Pick<OperationRecord, 'before' | 'choice'> | undefined,
  { eventKey, attempt }: ActionRun,
): Intention {
  return {
    ...{ key, eventKey, attempt, action, targetId, productId },
    before: known?.before ?? before,
    choice: known?.choice ?? choice,
  };
}

async function finish(
  operation: Operation,
  intended: Intended,
  written: Written,
  run: ActionRun,
): Promise<OperationResult> {
  const result: OperationResult = { kind: 'applied', targetId: written.id };
  const sets = [...(operation.sets ?? []), ...versionWrites(operation, written)];
  await run.journal.complete(intended, result, sets);
  await run.reach('completed');
  return note(operation, result, run);
}

function note(operation: Noted, result: OperationResult, run: ActionRun): OperationResult {
  run.progress.operations.push({ action: operation.action, result });
  return result;
}

/** Notes that nothing had to be done, or that a newer event came before. */
export function noteUntouched(action: string, result: OperationResult, run: ActionRun): void {
  run.progress.operations.push({ action, result });
}
