// license.revoke: revokes every license found.

import { changeLicense, patchWith } from './change-licenses.ts';
import { findLicenses } from './find-licenses.ts';
import type { ActionFunction } from './run.ts';

export const revokeLicenses: ActionFunction = async (step, run) => {
  for (const license of await findLicenses(step, run)) {
    const change = {
      field: 'revoked',
      isPayment: false,
      unchangedReason: () => (license.revoked ? 'it is revoked already' : undefined),
      write: patchWith(run, { revoked: true }),
    };
    await changeLicense(license, change, step, run);
  }
  return {};
};
