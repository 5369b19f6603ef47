// license.resume: lifts the suspension of every license found, and sets the expiry of those where the
// rule says one.

import type { JsonObject } from '../../core/model.ts';
import { told } from '../../core/told.ts';
import type { License } from '../../cryptlex/types.ts';
import { text } from '../input.ts';
import { HELD_REASON, isStale, lastWrite, resumedField } from '../last-writes.ts';
import { noteUntouched } from '../operations.ts';
import type { ActionFunction, ActionRun, ActionStep } from '../run.ts';
import { changeLicense, expiryChange, patchWith } from './change-licenses.ts';
import { findLicenses } from './find-licenses.ts';
import { suspensionOf } from './suspension-causes.ts';

export const resumeLicenses: ActionFunction = async (step, run) => {
  const expiresAt = text(step, 'expiresAt');
  for (const license of await findLicenses(withThoseActive(step), run)) {
    // The expiry first: if the second call fails, the license is still found as suspended.
    const { isHeldByNewer, wasActive } = await suspensionOf(license, run);
    const comesBack = !wasActive && !(await wasActiveThen(license, run));
    if (expiresAt !== undefined && comesBack) {
      await changeLicense(license, expiryChange(run, expiresAt, true), step, run);
    }
    if (isHeldByNewer) {
      const fields = [`license:${license.id}:suspended`, resumedField(license.id)];
      const noted = fields.map((field) => lastWrite(field, run, true, step.rank));
      await run.journal.noteLastWrites(noted);
      const stale = { kind: 'stale', targetId: license.id, reason: HELD_REASON } as const;
      noteUntouched(step.action, stale, run);
      continue;
    }
    const change = {
      field: 'suspended',
      setsAlso: resumedField,
      isPayment: true,
      unchangedReason: () => (told(license, 'suspended') ? undefined : 'it is not suspended'),
      write: patchWith(run, { suspended: false }),
    };
    await changeLicense(license, change, step, run);
  }
  return {};
};

/**
 * A done event that is replayed found the license active if something newer suspended it: whatever the
 * event did itself, the journal knows as done.
 */
async function wasActiveThen({ id }: License, run: ActionRun): Promise<boolean> {
  if (run.replay?.wasDone !== true || run.replay.mode === 'force') return false;
  return isStale(`license:${id}:suspended`, run, { isPayment: true });
}

/**
 * A rule that looks for suspended licenses only, and does not mind if there are none, gets the others
 * as well: that they were active when this was paid has to be noted, or else a suspension of before
 * that comes late would still suspend them.
 */
function withThoseActive(step: ActionStep): ActionStep {
  const { suspended, ...find } = (step.input['find'] ?? {}) as JsonObject;
  const isWider = suspended === true && text(step, 'missing') === 'ignore';
  if (!isWider || Object.keys(find).length === 0) return step;
  return { ...step, input: { ...step.input, find } };
}
