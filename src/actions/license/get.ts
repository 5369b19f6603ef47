// license.get: reads the oldest license found. Changes nothing.

import type { JsonObject } from '../../core/model.ts';
import type { ActionFunction } from '../run.ts';
import { findLicenses } from './find-licenses.ts';

export const getLicense: ActionFunction = async (step, run) => {
  const [license] = await findLicenses(step, run);
  // License keys have no place in plans and journals, so only what rules may refer to is handed on.
  if (license === undefined) return {};
  const { id, productId, subscriptionInterval, subscriptionStartTrigger, expiresAt } = license;
  const { allowedActivations, maxAllowedReleaseVersion, entitlementSetId } = license;
  return Object.fromEntries(
    Object.entries({
      id,
      productId,
      subscriptionInterval,
      subscriptionStartTrigger,
      expiresAt,
      allowedActivations,
      maxAllowedReleaseVersion,
      entitlementSetId,
    }).filter(([, value]) => value !== undefined),
  ) as JsonObject;
};
