// license.restore: takes back what a rule did to a license `because` of something: its suspension, its revocation.
// Whatever else holds the license goes on holding it: the word of other rules, another cause, a person.

import { keyText } from '../../core/stored-text.ts';
import type { License } from '../../cryptlex/types.ts';
import { requiredText } from '../input.ts';
import { lastWrite } from '../last-writes.ts';
import { noteUntouched, operationKey, perform } from '../operations.ts';
import type { ActionFunction, ActionRun, ActionStep } from '../run.ts';
import { findLicenses } from './find-licenses.ts';
import {
  type Hold,
  heldBy,
  heldSince,
  isHeld,
  REVOCATION,
  releaseField,
  SUSPENSION,
} from './suspension-causes.ts';

export const restoreLicenses: ActionFunction = async (step, run) => {
  for (const license of await findLicenses(step, run)) {
    run.progress.licenseIds.add(license.id);
    for (const hold of [SUSPENSION, REVOCATION]) await release(license, hold, step, run);
  }
  return {};
};

async function release(
  license: License,
  hold: Hold,
  step: ActionStep,
  run: ActionRun,
): Promise<void> {
  const { journal } = run;
  const cause = keyText(requiredText(step, 'because'));
  const sinceMs = await heldSince(license.id, hold, cause, run);
  const sets = [lastWrite(releaseField(license.id, hold, cause), run, true)];
  const reason = whyKept(
    license,
    hold,
    sinceMs,
    isHeld(await heldBy(license.id, hold, run), cause),
  );
  if (reason !== undefined) {
    // The cause is gone all the same: told late, it must not take hold any more.
    await journal.noteLastWrites(sets);
    if (sinceMs === undefined && license[hold.field] === false) return;
    noteUntouched(step.action, { kind: 'unchanged', targetId: license.id, reason }, run);
    return;
  }
  const body = hold.field === 'suspended' ? { suspended: false } : { revoked: false };
  await perform(
    {
      key: operationKey(run, step.action, hold.field, cause, license.id),
      action: step.action,
      targetId: license.id,
      waitsForLost: true,
      write: (how) => run.client.updateLicense(license.id, body, how),
      sets,
    },
    run,
  );
}

/** Why the license stays as it is; undefined when it comes back. */
function whyKept(
  license: License,
  { field }: Hold,
  sinceMs: number | undefined,
  isHeldElse: boolean,
): string | undefined {
  if (sinceMs === undefined) return `this did not make it ${field}`;
  if (license[field] !== true) return `it is not ${field} any more`;
  return isHeldElse ? `something else keeps it ${field}` : undefined;
}
