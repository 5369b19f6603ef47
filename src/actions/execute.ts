// Runs a plan. Takes a plan as plain data, gives what was done; every writing call is written down
// before and after. Reads come first, then the steps in their order. Never decides what a plan holds.

import { AppError } from '../core/error-codes.ts';
import { type Reach, reachNothing } from '../core/failpoints.ts';
import type { Clock, JsonObject, Plan, PlannedStep, WebhookEvent } from '../core/model.ts';
import type { CryptlexClient } from '../cryptlex/client.ts';
import type { Journal, ReplayMark } from '../journal/journal.ts';
import { askBrake, type Brake, operationsOfStep } from './brake.ts';
import { ACTIONS } from './definitions.ts';
import { resolveInput } from './input.ts';
import { createLicenses } from './license/create.ts';
import { deleteLicenses } from './license/delete.ts';
import { getLicense } from './license/get.ts';
import { getLicenseTemplate } from './license/get-template.ts';
import { renewLicenses } from './license/renew.ts';
import { restoreLicenses } from './license/restore.ts';
import { resumeLicenses } from './license/resume.ts';
import { revokeLicenses } from './license/revoke.ts';
import { setLicenseExpiry } from './license/set-expiry.ts';
import { suspendLicenses } from './license/suspend.ts';
import { updateLicenses } from './license/update.ts';
import { linkPayments } from './payment/link.ts';
import { notePaidLicenses } from './payment/payments.ts';
import {
  type ActionFunction,
  type ActionRun,
  type ActionStep,
  type Progress,
  statusOf,
} from './run.ts';
import { insertUser } from './user/insert.ts';
import { updateUser } from './user/update.ts';
import { upsertUser } from './user/upsert.ts';

const FUNCTIONS: Readonly<Record<string, ActionFunction>> = {
  'user.insert': insertUser,
  'user.upsert': upsertUser,
  'user.update': updateUser,
  'license.create': createLicenses,
  'license.renew': renewLicenses,
  'license.suspend': suspendLicenses,
  'license.resume': resumeLicenses,
  'license.revoke': revokeLicenses,
  'license.restore': restoreLicenses,
  'license.delete': deleteLicenses,
  'license.setExpiry': setLicenseExpiry,
  'license.update': updateLicenses,
  'license.get': getLicense,
  'licenseTemplate.get': getLicenseTemplate,
  'payment.link': linkPayments,
};

/** What is executed, and for which event. */
export interface Execution {
  readonly plan: Plan;
  readonly event: WebhookEvent;
  readonly eventKey: string;
  /** What the event is about, as the journal names it: `stripe:sub_1`. */
  readonly subjects: readonly string[];
  readonly maxDelete: number;
  /** How many licenses its source may take away; left out, it is not asked. */
  readonly brake?: Brake | undefined;
  /** An earlier attempt at this event has begun to write. */
  readonly isResumed: boolean;
  /** 1 for the first attempt at the event. */
  readonly attempt?: number;
  readonly replay?: ReplayMark | undefined;
  readonly progress: Progress;
  readonly signal: AbortSignal | undefined;
  /** Called once, before the first write is intended. */
  beforeFirstWrite(): Promise<void>;
}

export interface Executor {
  /**
   * Runs the plan to its end, or throws why it could not; `progress` holds what was done either way.
   * @throws MissingLicense, RetryLater, CryptlexError, AppError
   */
  execute(execution: Execution): Promise<void>;
}

export function createExecutor(world: {
  client: CryptlexClient;
  journal: Journal;
  clock: Clock;
  reach?: Reach;
}): Executor {
  return {
    execute: async (execution) => {
      const run = createRun({ reach: reachNothing, ...world }, execution);
      try {
        await runPlan(execution.plan, run);
      } catch (error) {
        if (!(await forgetRefusedUsers(error, run))) throw error;
        // What was done is skipped; the users are looked up this time.
        await runPlan(execution.plan, { ...run, isFresh: false });
      }
    },
  };
}

/** Whether Cryptlex refused something that was made for a user from memory, who may be gone. */
async function forgetRefusedUsers(error: unknown, run: ActionRun): Promise<boolean> {
  const refused = statusOf(error) === 400 || statusOf(error) === 404;
  if (!refused || run.recalledUsers.size === 0) return false;
  for (const userId of run.recalledUsers) await run.journal.forgetUser(userId);
  run.recalledUsers.clear();
  return true;
}

async function runPlan(plan: Plan, run: ActionRun): Promise<void> {
  const results = new Map<string, JsonObject>();
  const steps = plan.steps.map((step, index) => ({ step, index }));
  const reads = steps.filter(({ step }) => ACTIONS[step.action]?.kind === 'read');
  const writes = steps.filter(({ step }) => ACTIONS[step.action]?.kind !== 'read');
  const runAll = async (some: typeof steps): Promise<void> => {
    for (const { step, index } of some) {
      run.progress.brokenAt = step.action;
      const output = await runStep(step, index, results, run);
      delete run.progress.brokenAt;
      if (step.as !== undefined) results.set(step.as, output);
    }
  };
  // Whatever has to be known is known before anything is changed.
  await runAll(reads);
  // What was begun passed the brake before its first write.
  if (!run.isResumed) await askBrakeOfAll(writes, results, run);
  await runAll(writes);
}

/** An event is held whole or not at all, so all of its steps are counted before the first of them is done. */
async function askBrakeOfAll(
  steps: readonly { readonly step: PlannedStep; readonly index: number }[],
  results: ReadonlyMap<string, JsonObject>,
  run: ActionRun,
): Promise<void> {
  const { brake } = run;
  if (brake === undefined) return;
  const operations = [];
  for (const { step, index } of steps) {
    if (brake.limits[step.action] === undefined) continue;
    run.progress.brokenAt = step.action;
    // What is found for a later step may be changed by the steps in front of it.
    const found = steps[0]?.index === index ? run.found : new Map();
    const counted = await operationsOfStep(run, async (counting) =>
      functionOf(step)(toActionStep(step, index, results), { ...counting, found }),
    );
    operations.push(...counted);
    delete run.progress.brokenAt;
  }
  await askBrake(operations, run);
}

function createRun(
  world: Pick<ActionRun, 'client' | 'journal' | 'clock' | 'reach'>,
  execution: Execution,
): ActionRun {
  const { event, eventKey, subjects, maxDelete, isResumed, progress, signal } = execution;
  let first: Promise<void> | undefined;
  const beforeWrite = (): Promise<void> => {
    first ??= execution.beforeFirstWrite();
    return first;
  };
  return {
    ...world,
    ...{ event, eventKey, subjects, maxDelete, isResumed, progress, signal, beforeWrite },
    attempt: execution.attempt ?? 1,
    isFresh: isFresh(execution, world),
    recalledUsers: new Set(),
    searches: new Map(),
    found: new Map(),
    ...{ brake: execution.brake, passed: new Set() },
    replay: execution.replay,
  };
}

/** Providers deliver within seconds; a much older event was sent for a reason, and a look-up costs one call. */
const FRESH_MS = 10 * 60 * 1000;

function isFresh(
  { event, attempt, isResumed, replay }: Execution,
  { journal, clock }: { journal: Journal; clock: Clock },
): boolean {
  const isFirst = attempt === 1 && !isResumed && replay === undefined;
  const isNew = event.timeMs > clock.nowMs() - FRESH_MS && event.timeMs > journal.knowsAllSinceMs;
  return journal.keepsState && isFirst && isNew;
}

async function runStep(
  step: PlannedStep,
  index: number,
  results: ReadonlyMap<string, JsonObject>,
  run: ActionRun,
): Promise<JsonObject> {
  const actionStep = toActionStep(step, index, results);
  const before = run.progress.operations.length;
  try {
    return await functionOf(step)(actionStep, run);
  } finally {
    // Also where it broke off: what was made is there, and was paid for.
    await notePaidLicenses(actionStep, run.progress.operations.slice(before), run);
  }
}

function functionOf({ action: name }: PlannedStep): ActionFunction {
  const action = FUNCTIONS[name];
  if (action !== undefined) return action;
  throw new AppError('INTERNAL', `the plan holds an action that does not exist: ${name}`);
}

function toActionStep(
  step: PlannedStep,
  index: number,
  results: ReadonlyMap<string, JsonObject>,
): ActionStep {
  return {
    action: step.action,
    input: resolveInput(step.input, results),
    index,
    once: step.once,
    rank: step.rank,
    unitKey: step.unitKey,
    payments: step.payments ?? [],
    place: step.item === undefined ? step.rule : `${step.rule}, item ${step.item}`,
  };
}
