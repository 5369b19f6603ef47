// Changes that may be repeated without harm: suspend, resume, revoke, set expiry, update.
// Takes what a license has to become, gives it to every license found that is not like it already.
// Never overrides what a newer event has set.

import { ownIdOf } from '../../core/model.ts';
import { told } from '../../core/told.ts';
import type { CallOptions } from '../../cryptlex/request.ts';
import type { License, LicenseUpdate } from '../../cryptlex/types.ts';
import { expiryDateField, isStale, lastWrite, STALE_REASON } from '../last-writes.ts';
import { noteUntouched, operationKey, perform } from '../operations.ts';
import type { ActionRun, ActionStep } from '../run.ts';

export interface Change {
  /** The field that the change is about: `suspended`, `expiresAt`, … */
  readonly field: string;
  /** Whether the license is as wanted already, and why that is fine. */
  readonly unchangedReason: (license: License) => string | undefined;
  /** Further fields of the license that it sets along. */
  readonly setsAlso?: (licenseId: string) => string;
  /** Whether a payment asks for it; of two events of one time a payment wins. */
  readonly isPayment: boolean;
  /** It sets the expiry. */
  readonly movesExpiry?: boolean;
  write(license: License, how: CallOptions): Promise<License>;
}

/** Applies a change to each license; each is one operation. */
export async function changeLicense(
  license: License,
  change: Change,
  step: ActionStep,
  run: ActionRun,
): Promise<'applied' | 'untouched'> {
  const { action } = step;
  const targetId = license.id;
  const field = `license:${targetId}:${change.field}`;
  run.progress.licenseIds.add(targetId);
  const { rank } = step;
  if (await isStale(field, run, { isPayment: change.isPayment, rank })) {
    noteUntouched(action, { kind: 'stale', targetId, reason: STALE_REASON }, run);
    return 'untouched';
  }
  const fields = [field, ...(change.setsAlso === undefined ? [] : [change.setsAlso(targetId)])];
  const sets = fields.map((name) => lastWrite(name, run, change.isPayment, rank));
  const reason = change.unchangedReason(license);
  if (reason !== undefined) {
    await run.journal.noteLastWrites(sets);
    noteUntouched(action, { kind: 'unchanged', targetId, reason }, run);
    return 'untouched';
  }
  await perform(
    {
      key: operationKey(
        run,
        action,
        ownIdOf(run.event),
        String(step.index),
        change.field,
        targetId,
      ),
      action,
      targetId,
      waitsForLost: true,
      movesExpiry: change.movesExpiry === true,
      write: (how) => change.write(license, how),
      sets,
    },
    run,
  );
  return 'applied';
}

/** A change by PATCH. */
export function patchWith(run: ActionRun, body: LicenseUpdate): Change['write'] {
  return (license, how) => run.client.updateLicense(license.id, body, how);
}

/** A change of the expiry; unchanged when it is that instant already. */
export function expiryChange(run: ActionRun, expiresAt: string, isPayment: boolean): Change {
  return {
    field: 'expiresAt',
    setsAlso: expiryDateField,
    isPayment,
    unchangedReason: (license) => {
      if (license.perpetual === true) return 'it is perpetual';
      const same = Date.parse(String(told(license, 'expiresAt'))) === Date.parse(expiresAt);
      return same ? 'it expires then already' : undefined;
    },
    movesExpiry: true,
    write: (license, how) => run.client.setLicenseExpiry(license.id, expiresAt, how),
  };
}
