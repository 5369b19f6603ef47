// license.revoke: revokes every license found.

import { told } from '../../core/told.ts';
import type { ActionFunction } from '../run.ts';
import { changeLicense, patchWith } from './change-licenses.ts';
import { findLicenses } from './find-licenses.ts';
import { causeOf, holdLicense, REVOCATION } from './suspension-causes.ts';

export const revokeLicenses: ActionFunction = async (step, run) => {
  const cause = causeOf(step);
  for (const license of await findLicenses(step, run)) {
    if (cause !== undefined) {
      await holdLicense(license, REVOCATION, { ...step, cause }, run);
      continue;
    }
    const change = {
      field: 'revoked',
      isPayment: false,
      unchangedReason: () => (told(license, 'revoked') ? 'it is revoked already' : undefined),
      write: patchWith(run, { revoked: true }),
    };
    await changeLicense(license, change, step, run);
  }
  return {};
};
