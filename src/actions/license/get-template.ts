// licenseTemplate.get: reads a license template. Changes nothing.

import type { JsonObject } from '../../core/model.ts';
import { requiredText } from '../input.ts';
import type { ActionFunction } from '../run.ts';

export const getLicenseTemplate: ActionFunction = async (step, run) => {
  const template = await run.client.getLicenseTemplate(requiredText(step, 'id'), {
    signal: run.signal,
  });
  return template as JsonObject;
};
