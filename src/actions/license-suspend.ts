// license.suspend: suspends every license found.

import { changeLicense, patchWith } from './change-licenses.ts';
import { findLicenses } from './find-licenses.ts';
import type { ActionFunction } from './run.ts';

export const suspendLicenses: ActionFunction = async (step, run) => {
  for (const license of await findLicenses(step, run)) {
    const change = {
      field: 'suspended',
      isPayment: false,
      unchangedReason: () => (license.suspended ? 'it is suspended already' : undefined),
      write: patchWith(run, { suspended: true }),
    };
    await changeLicense(license, change, step, run);
  }
  return {};
};
