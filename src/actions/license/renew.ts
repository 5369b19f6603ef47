// license.renew: adds one interval to the expiry of every license found, once for each payment.
// Renewing is the one call that must never be repeated blindly: Cryptlex adds a period each time.
// A suspended license comes back, unless something newer suspended it.

import { type JsonObject, ownIdOf } from '../../core/model.ts';
import { told } from '../../core/told.ts';
import type { License } from '../../cryptlex/types.ts';
import {
  expiryDateField,
  HELD_REASON,
  isStale,
  lastWrite,
  resumedField,
  STALE_REASON,
} from '../last-writes.ts';
import { noteUntouched, operationKey, perform } from '../operations.ts';
import type { ActionFunction, ActionRun, ActionStep } from '../run.ts';
import { movedExpiryField } from '../versions.ts';
import { findLicenses } from './find-licenses.ts';
import { type Suspension, suspensionOf } from './suspension-causes.ts';

export const renewLicenses: ActionFunction = async (step, run) => {
  for (const license of await findLicenses(step, run)) await renewOne(license, step, run);
  return {};
};

type Choice = 'renew' | 'set-expiry';

async function renewOne(license: License, step: ActionStep, run: ActionRun): Promise<void> {
  const whenSuspended = step.input['whenSuspended'] as JsonObject | undefined;
  const key = operationKey(run, 'license.renew', step.once ?? '', license.id);
  const resumes = whenSuspended?.['resume'] === true;
  const expiresAt = whenSuspended?.['expiresAt'];
  run.progress.licenseIds.add(license.id);

  // The choice of an earlier attempt stands: after its resume the license is no longer suspended.
  const known = (await run.journal.findOperations([key])).get(key);
  const factRun = atTimeOfFact(run, known?.before);
  const suspension = await suspensionOf(license, factRun);
  const setsExpiry = !suspension.wasActive && typeof expiresAt === 'string';
  const choice = (known?.choice as Choice | undefined) ?? (setsExpiry ? 'set-expiry' : 'renew');

  if (choice === 'set-expiry' && typeof expiresAt === 'string') {
    await setExpiry(license, key, expiresAt, step, factRun);
  } else {
    await addInterval(license, key, step, factRun);
  }
  if (resumes) await resume(license, suspension, step, factRun);
}

/**
 * A payment that is told again by hand comes as a new event of a later time (FastSpring's manual retry,
 * its documentation 2026); it was paid when it was told first, and does not lift a suspension since then.
 */
function atTimeOfFact(run: ActionRun, before: JsonObject | undefined): ActionRun {
  const toldMs = before?.['factTimeMs'];
  if (typeof toldMs !== 'number' || toldMs >= run.event.timeMs) return run;
  return { ...run, event: { ...run.event, timeMs: toldMs } };
}

async function addInterval(
  license: License,
  key: string,
  step: ActionStep,
  run: ActionRun,
): Promise<void> {
  const before = told(license, 'expiresAt') ?? null;
  if (before === null) {
    const reason = 'it has no expiry that could be moved (perpetual, or not activated yet)';
    noteUntouched(step.action, { kind: 'unchanged', targetId: license.id, reason }, run);
    return;
  }
  if (await isStale(expiryDateField(license.id), run, { isPayment: true })) {
    const reason = 'a newer event has set its expiry to a date, which contains this renewal';
    noteUntouched(step.action, { kind: 'stale', targetId: license.id, reason }, run);
    return;
  }
  await perform(
    {
      key,
      action: step.action,
      targetId: license.id,
      before: { expiresAt: before, ...versionOf(license), factTimeMs: run.event.timeMs },
      choice: 'renew',
      waitsForLost: true,
      movesExpiry: true,
      write: (how) => run.client.renewLicense(license.id, how),
      readBack: (known) => findRenewed(license.id, known, run),
      sets: [lastWrite(`license:${license.id}:expiresAt`, run, true)],
    },
    run,
  );
}

function versionOf({ updatedAt }: License): JsonObject {
  return updatedAt === undefined ? {} : { updatedAt };
}

/**
 * The license, if this renewal has moved its expiry: beyond what it was before, and beyond where another
 * operation has moved it since.
 */
async function findRenewed(
  licenseId: string,
  before: JsonObject,
  run: ActionRun,
): Promise<License | undefined> {
  const now = await run.client.getLicense(licenseId, { signal: run.signal });
  if (now === undefined) return undefined;
  const field = movedExpiryField(licenseId);
  const moved = (await run.journal.findLastWrites([field])).get(field);
  const readMs = Date.parse(String(before['updatedAt']));
  const isMovedSince = moved !== undefined && moved.timeMs > readMs;
  const mark = isMovedSince ? moved.written?.['expiresAt'] : before['expiresAt'];
  return Date.parse(String(told(now, 'expiresAt'))) > Date.parse(String(mark)) ? now : undefined;
}

async function setExpiry(
  license: License,
  key: string,
  expiresAt: string,
  step: ActionStep,
  run: ActionRun,
): Promise<void> {
  const field = `license:${license.id}:expiresAt`;
  if (await isStale(field, run, { isPayment: true })) {
    noteUntouched(step.action, { kind: 'stale', targetId: license.id, reason: STALE_REASON }, run);
    return;
  }
  await perform(
    {
      key,
      action: step.action,
      targetId: license.id,
      before: {
        expiresAt: told(license, 'expiresAt') ?? null,
        suspended: told(license, 'suspended'),
        factTimeMs: run.event.timeMs,
      },
      choice: 'set-expiry',
      waitsForLost: true,
      movesExpiry: true,
      write: (how) => run.client.setLicenseExpiry(license.id, expiresAt, how),
      sets: [lastWrite(field, run, true), lastWrite(expiryDateField(license.id), run, true)],
    },
    run,
  );
}

/** Lifts a suspension, and notes that at this time the license was paid for. */
async function resume(
  license: License,
  { isHeldByNewer }: Suspension,
  step: ActionStep,
  run: ActionRun,
): Promise<void> {
  const field = `license:${license.id}:suspended`;
  const sets = [lastWrite(field, run, true), lastWrite(resumedField(license.id), run, true)];
  if (await isStale(field, run, { isPayment: true })) {
    if (!told(license, 'suspended')) return;
    const reason = 'it was suspended by a newer event';
    noteUntouched(step.action, { kind: 'stale', targetId: license.id, reason }, run);
    return;
  }
  if (!told(license, 'suspended') || isHeldByNewer) {
    await run.journal.noteLastWrites(sets);
    if (!told(license, 'suspended')) return;
    const stale = { kind: 'stale', targetId: license.id, reason: HELD_REASON } as const;
    noteUntouched(step.action, stale, run);
    return;
  }
  await perform(
    {
      key: operationKey(run, 'license.resume', ownIdOf(run.event), String(step.index), license.id),
      action: 'license.resume',
      targetId: license.id,
      waitsForLost: true,
      write: (how) => run.client.updateLicense(license.id, { suspended: false }, how),
      sets,
    },
    run,
  );
}
