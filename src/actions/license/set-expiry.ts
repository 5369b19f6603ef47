// license.setExpiry: sets the expiry of every license found.

import { requiredText } from '../input.ts';
import type { ActionFunction } from '../run.ts';
import { changeLicense, expiryChange } from './change-licenses.ts';
import { findLicenses } from './find-licenses.ts';

export const setLicenseExpiry: ActionFunction = async (step, run) => {
  const change = expiryChange(run, requiredText(step, 'expiresAt'), false);
  for (const license of await findLicenses(step, run)) {
    await changeLicense(license, change, step, run);
  }
  return {};
};
