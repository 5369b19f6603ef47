// The licenses that a step is about. Takes `find` and `missing` of a step, gives the licenses, oldest
// first; all pages are read before the first of them is touched. Never searches with an empty criterion.

import type { LicenseFilter } from '../cryptlex/filters.ts';
import type { License } from '../cryptlex/types.ts';
import { AppError } from '../errors.ts';
import type { JsonObject, JsonValue } from '../model.ts';
import { text, texts } from './input.ts';
import { type ActionRun, type ActionStep, MissingLicense } from './run.ts';

/**
 * @throws MissingLicense when there is none and the rule waits (the default)
 * @throws LICENSE_NOT_FOUND when there is none and the rule says `missing: fail`
 * @throws FILTER_EMPTY when a criterion turned out empty in the run
 */
export async function findLicenses(step: ActionStep, run: ActionRun): Promise<readonly License[]> {
  const find = step.input['find'] as JsonObject | undefined;
  const filter = toFilter(find ?? {});
  const licenses = await run.client.findLicenses(filter, { signal: run.signal });
  if (licenses.length > 0) return licenses;
  const message = `${step.action} found no license with ${describeFilter(filter)}`;
  switch (text(step, 'missing') ?? 'wait') {
    case 'ignore':
      return [];
    case 'fail':
      throw new AppError('LICENSE_NOT_FOUND', message);
    default:
      throw new MissingLicense(message, { isFine: step.action === 'license.delete' });
  }
}

function toFilter(find: JsonObject): LicenseFilter {
  const { productId, userId, suspended, key } = find;
  const filter: LicenseFilter = {
    ...(find['metadata'] === undefined ? {} : { metadata: texts(find['metadata']) }),
    ...(typeof productId === 'string' ? { productId } : {}),
    ...(typeof userId === 'string' ? { userId } : {}),
    ...(typeof suspended === 'boolean' ? { suspended } : {}),
    ...(typeof key === 'string' ? { key } : {}),
  };
  // A criterion that was written and came to nothing would widen the search to strangers' licenses.
  const lost = [
    ...Object.keys(find).filter((name) => !(name in filter)),
    ...Object.entries(filter).flatMap(([name, value]) => (value === '' ? [name] : [])),
    ...lostEntries(find['metadata'], filter.metadata ?? {}).map((name) => `metadata.${name}`),
  ];
  const [first] = lost;
  if (first === undefined) return filter;
  throw new AppError('FILTER_EMPTY', `the criterion ${first} came out empty`);
}

function lostEntries(
  written: JsonValue | undefined,
  wanted: Readonly<Record<string, string>>,
): readonly string[] {
  const names = typeof written === 'object' && written !== null ? Object.keys(written) : [];
  return names.filter((name) => (wanted[name] ?? '') === '');
}

/** `stripe_subscription_id = sub_1 and suspended = true`; license keys are not shown. */
function describeFilter(filter: LicenseFilter): string {
  const { metadata = {}, key, ...others } = filter;
  const criteria = Object.entries({ ...metadata, ...others }).map(
    ([name, value]) => `${name} = ${value}`,
  );
  if (key !== undefined) criteria.push('the given key');
  return criteria.join(' and ');
}
