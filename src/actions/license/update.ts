// license.update: changes the given fields of every license found.

import type { License, LicenseUpdate } from '../../cryptlex/types.ts';
import { texts } from '../input.ts';
import { mergedEntries } from '../metadata.ts';
import type { ActionFunction, ActionStep } from '../run.ts';
import { changeLicense, patchWith } from './change-licenses.ts';
import { findLicenses } from './find-licenses.ts';

export const updateLicenses: ActionFunction = async (step, run) => {
  for (const license of await findLicenses(step, run)) {
    const body = changesFor(license, step);
    const change = {
      field: 'fields',
      isPayment: false,
      unchangedReason: () =>
        Object.keys(body).length === 0 ? 'it is as the event says' : undefined,
      write: patchWith(run, body),
    };
    await changeLicense(license, change, step, run);
  }
  return {};
};

/** What differs; metadata as the full set, since nobody knows whether a PATCH replaces or merges. */
function changesFor(license: License, step: ActionStep): LicenseUpdate {
  const { find: _find, missing: _missing, metadata, ...fields } = step.input;
  const current = license as Readonly<Record<string, unknown>>;
  const changed = Object.entries(fields).filter(
    ([name, value]) => JSON.stringify(current[name]) !== JSON.stringify(value),
  );
  const entries = mergedEntries(license, texts(metadata));
  return {
    ...Object.fromEntries(changed),
    ...(entries === undefined ? {} : { metadata: entries }),
  };
}
