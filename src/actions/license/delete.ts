// license.delete: deletes every license found, for good. There is no undo, so the number of licenses
// that Keywright did not create itself is bounded for each event.

import { AppError } from '../../core/error-codes.ts';
import { ownIdOf } from '../../core/model.ts';
import type { License } from '../../cryptlex/types.ts';
import { MissingLicense } from '../failures.ts';
import { operationKey, perform } from '../operations.ts';
import type { ActionFunction, ActionRun, ActionStep } from '../run.ts';
import { findLicenses } from './find-licenses.ts';

export const deleteLicenses: ActionFunction = async (step, run) => {
  const licenses = await findThoseLeft(step, run);
  const created = await run.journal.findCreated(licenses.map((license) => license.id));
  const strangers = licenses.filter((license) => !created.has(license.id));
  if (strangers.length > run.maxDelete) {
    const message = `it would delete ${strangers.length} licenses that Keywright did not create; maxDelete is ${run.maxDelete}`;
    throw new AppError('DELETE_TOO_MANY', message);
  }
  for (const { id } of licenses) {
    run.progress.licenseIds.add(id);
    await perform(
      {
        key: operationKey(run, step.action, ownIdOf(run.event), String(step.index), id),
        action: step.action,
        targetId: id,
        waitsForLost: false,
        write: async (how) => {
          // A license that is gone already is what was wanted.
          await run.client.deleteLicense(id, how);
          return { id };
        },
      },
      run,
    );
  }
  return {};
};

/** What an earlier attempt at this event has deleted is not waited for. */
async function findThoseLeft(step: ActionStep, run: ActionRun): Promise<readonly License[]> {
  try {
    return await findLicenses(step, run);
  } catch (error) {
    if (error instanceof MissingLicense && run.isResumed) return [];
    throw error;
  }
}
