// Runs a plan. Takes a plan as plain data, gives what was done; every writing call is written down
// before and after. Reads come first, then the steps in their order. Never decides what a plan holds.

import type { CryptlexClient } from '../cryptlex/client.ts';
import { AppError } from '../errors.ts';
import type { Journal } from '../journal/journal.ts';
import type { Clock, JsonObject, Plan, PlannedStep, WebhookEvent } from '../model.ts';
import { ACTIONS } from './definitions.ts';
import { resolveInput } from './input.ts';
import { createLicenses } from './license-create.ts';
import { deleteLicenses } from './license-delete.ts';
import { getLicense } from './license-get.ts';
import { renewLicenses } from './license-renew.ts';
import { resumeLicenses } from './license-resume.ts';
import { revokeLicenses } from './license-revoke.ts';
import { setLicenseExpiry } from './license-set-expiry.ts';
import { suspendLicenses } from './license-suspend.ts';
import { getLicenseTemplate } from './license-template-get.ts';
import { updateLicenses } from './license-update.ts';
import type { ActionFunction, ActionRun, Progress } from './run.ts';
import { insertUser } from './user-insert.ts';
import { updateUser } from './user-update.ts';
import { upsertUser } from './user-upsert.ts';

const FUNCTIONS: Readonly<Record<string, ActionFunction>> = {
  'user.insert': insertUser,
  'user.upsert': upsertUser,
  'user.update': updateUser,
  'license.create': createLicenses,
  'license.renew': renewLicenses,
  'license.suspend': suspendLicenses,
  'license.resume': resumeLicenses,
  'license.revoke': revokeLicenses,
  'license.delete': deleteLicenses,
  'license.setExpiry': setLicenseExpiry,
  'license.update': updateLicenses,
  'license.get': getLicense,
  'licenseTemplate.get': getLicenseTemplate,
};

/** What is executed, and for which event. */
export interface Execution {
  readonly plan: Plan;
  readonly event: WebhookEvent;
  readonly eventKey: string;
  readonly maxDelete: number;
  /** An earlier attempt at this event has begun to write. */
  readonly isResumed: boolean;
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
}): Executor {
  const startedAtMs = world.clock.nowMs();
  return {
    execute: async (execution) => {
      const run = createRun({ ...world, startedAtMs }, execution);
      const results = new Map<string, JsonObject>();
      const steps = execution.plan.steps.map((step, index) => ({ step, index }));
      const reads = steps.filter(({ step }) => ACTIONS[step.action]?.kind === 'read');
      const writes = steps.filter(({ step }) => ACTIONS[step.action]?.kind !== 'read');
      // Whatever has to be known is known before anything is changed.
      for (const { step, index } of [...reads, ...writes]) {
        const output = await runStep(step, index, results, run);
        if (step.as !== undefined) results.set(step.as, output);
      }
    },
  };
}

function createRun(
  world: { client: CryptlexClient; journal: Journal; clock: Clock; startedAtMs: number },
  execution: Execution,
): ActionRun {
  const { event, eventKey, maxDelete, isResumed, progress, signal } = execution;
  let first: Promise<void> | undefined;
  const beforeWrite = (): Promise<void> => {
    first ??= execution.beforeFirstWrite();
    return first;
  };
  return { ...world, event, eventKey, maxDelete, isResumed, progress, signal, beforeWrite };
}

async function runStep(
  step: PlannedStep,
  index: number,
  results: ReadonlyMap<string, JsonObject>,
  run: ActionRun,
): Promise<JsonObject> {
  const action = FUNCTIONS[step.action];
  if (action === undefined) {
    throw new AppError('INTERNAL', `the plan holds an action that does not exist: ${step.action}`);
  }
  return action(
    {
      action: step.action,
      input: resolveInput(step.input, results),
      index,
      once: step.once,
      unitKey: step.unitKey,
      place: step.item === undefined ? step.rule : `${step.rule}, item ${step.item}`,
    },
    run,
  );
}
