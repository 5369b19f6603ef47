// license.resume: lifts the suspension of every license found, and sets the expiry of those where the
// rule says one.

import { changeLicense, expiryChange, patchWith } from './change-licenses.ts';
import { findLicenses } from './find-licenses.ts';
import { text } from './input.ts';
import type { ActionFunction } from './run.ts';

export const resumeLicenses: ActionFunction = async (step, run) => {
  const expiresAt = text(step, 'expiresAt');
  for (const license of await findLicenses(step, run)) {
    // The expiry first: if the second call fails, the license is still found as suspended.
    if (expiresAt !== undefined && license.suspended) {
      await changeLicense(license, expiryChange(run, expiresAt, true), step, run);
    }
    const change = {
      field: 'suspended',
      isPayment: true,
      unchangedReason: () => (license.suspended ? undefined : 'it is not suspended'),
      write: patchWith(run, { suspended: false }),
    };
    await changeLicense(license, change, step, run);
  }
  return {};
};
