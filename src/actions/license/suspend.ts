// license.suspend: suspends every license found.

import { told } from '../../core/told.ts';
import type { ActionFunction } from '../run.ts';
import { changeLicense, patchWith } from './change-licenses.ts';
import { findLicenses } from './find-licenses.ts';
import { causeOf, holdLicense, SUSPENSION } from './suspension-causes.ts';

export const suspendLicenses: ActionFunction = async (step, run) => {
  const cause = causeOf(step);
  for (const license of await findLicenses(step, run)) {
    if (cause !== undefined) {
      await holdLicense(license, SUSPENSION, { ...step, cause }, run);
      continue;
    }
    const change = {
      field: 'suspended',
      isPayment: false,
      unchangedReason: () => (told(license, 'suspended') ? 'it is suspended already' : undefined),
      write: patchWith(run, { suspended: true }),
    };
    await changeLicense(license, change, step, run);
  }
  return {};
};
