// The brake over a plan. Before an event's first write it finds out which licenses its steps would suspend, revoke
// or delete, by the very code that does it, and asks the journal whether that is too many. Too many: nothing of the
// event is done. Never writes to Cryptlex.

import type { BrakeLimits } from '../core/brake.ts';
import { AppError, registryEntry } from '../core/error-codes.ts';
import type { Journal } from '../journal/journal.ts';
import { MissingLicense } from './failures.ts';
import type { Operation } from './operations.ts';
import type { ActionRun, Progress } from './run.ts';

/** Whose limits hold, and which; undefined for an event that a person released. */
export interface Brake {
  readonly source: string;
  readonly limits: BrakeLimits;
}

/** The event would take too many licenses away; a person has to say whether that is meant. */
export class BrakeHeld extends AppError {
  constructor(reason: string) {
    super('BRAKE_HELD', reason);
    this.name = 'BrakeHeld';
  }
}

/** What a step would do, as far as it can be known before the steps in front of it are done. */
export async function operationsOfStep(
  run: ActionRun,
  work: (counting: ActionRun) => Promise<unknown>,
): Promise<readonly Operation[]> {
  const counted: Operation[] = [];
  const progress: Progress = { userId: undefined, licenseIds: new Set(), operations: [] };
  const journal = withoutWrites(run.journal);
  try {
    await work({ ...run, journal, progress, counted });
  } catch (error) {
    // The step itself says so when its turn comes, or finds by then what is not there yet; it asks the brake anew.
    const isOfStep = error instanceof MissingLicense || !isPassing(error);
    if (!isOfStep) throw error;
  }
  return counted;
}

/** Notes what is about to be done. @throws BrakeHeld */
export async function askBrake(
  operations: readonly Pick<Operation, 'key' | 'action'>[],
  run: ActionRun,
): Promise<void> {
  const { brake, journal, eventKey, progress } = run;
  if (brake === undefined) return;
  const asked = operations.filter(
    ({ key, action }) => brake.limits[action] !== undefined && !run.passed.has(key),
  );
  if (asked.length === 0) return;
  const named = asked.map(({ key, action }) => ({ key, action }));
  const answer = await journal.askBrake({ eventKey, ...brake, operations: named });
  if (answer.kind === 'held') throw new BrakeHeld(answer.reason);
  for (const { key } of asked) run.passed.add(key);
  progress.isCounted = true;
}

/** Whether trying again may help, so that nothing is known of the step yet. */
function isPassing(error: unknown): boolean {
  return !(error instanceof AppError) || registryEntry(error.code).retryable;
}

const WRITES: ReadonlySet<PropertyKey> = new Set<keyof Journal>([
  'noteLastWrites',
  'noteReferences',
]);

/** The journal for who only wants to know: notes of a step that is not done yet are not made. */
function withoutWrites(journal: Journal): Journal {
  return new Proxy(journal, {
    get: (target, name) => {
      if (WRITES.has(name)) return async () => undefined;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
