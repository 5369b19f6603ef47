// The licenses that a step is about. Takes `find` and `missing` of a step, gives the licenses, oldest
// first; all pages are read before the first of them is touched. Never searches with an empty criterion.

import type { LicenseFilter } from '../cryptlex/filters.ts';
import type { License } from '../cryptlex/types.ts';
import { AppError } from '../errors.ts';
import { MissingLicense } from '../failures.ts';
import type { JsonObject, JsonValue } from '../model.ts';
import { text, texts } from './input.ts';
import { noteUntouched } from './operations.ts';
import type { ActionRun, ActionStep } from './run.ts';

/**
 * @throws MissingLicense when there is none and the rule waits (the default)
 * @throws LICENSE_NOT_FOUND when there is none and the rule says `missing: fail`
 * @throws FILTER_EMPTY when a criterion turned out empty in the run
 */
export async function findLicenses(step: ActionStep, run: ActionRun): Promise<readonly License[]> {
  if (await wasDoneBefore(step, run)) return [];
  const find = step.input['find'] as JsonObject | undefined;
  const filter = toFilter(find ?? {});
  const found = await run.client.findLicenses(filter, { signal: run.signal });
  const kept = licensesOfThen(run);
  // Of a done event nothing is missing: what it was done for may be gone by now.
  if (kept !== undefined) return found.filter(({ id }) => kept.has(id));
  if (found.length > 0) return found;
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

/**
 * A done event that is replayed keeps the licenses that it touched then: they are done, and others that
 * carry the same metadata by now are none of its business. `--retarget` looks anew.
 */
async function wasDoneBefore(step: ActionStep, run: ActionRun): Promise<boolean> {
  if (run.replay?.wasDone !== true || run.replay.mode !== 'again') return false;
  const operations = await run.journal.operationsOf(run.eventKey);
  const done = operations.filter(({ action, state }) => action === step.action && state === 'done');
  for (const operation of done) {
    if (operation.state !== 'done') continue;
    const { targetId } = operation.result;
    run.progress.licenseIds.add(targetId);
    const reason = 'it was done before';
    noteUntouched(step.action, { kind: 'unchanged', targetId, reason }, run);
  }
  return done.length > 0;
}

/** The licenses that a done event touched, where it is replayed against what it recorded. */
function licensesOfThen({ replay, progress }: ActionRun): ReadonlySet<string> | undefined {
  if (replay?.wasDone !== true || replay.mode !== 'again') return undefined;
  for (const id of replay.licenseIds ?? []) progress.licenseIds.add(id);
  return replay.licenseIds === undefined ? undefined : new Set(replay.licenseIds);
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
