// The licenses that a step is about. Takes `find` and `missing` of a step, gives the licenses, oldest
// first; all pages are read before the first of them is touched. Never searches with an empty criterion.

import { AppError } from '../../core/error-codes.ts';
import type { JsonObject, JsonValue } from '../../core/model.ts';
import { ownerOf, told } from '../../core/told.ts';
import type { LicenseFilter } from '../../cryptlex/filters.ts';
import type { License } from '../../cryptlex/types.ts';
import { MissingLicense } from '../failures.ts';
import { text, texts } from '../input.ts';
import { hasEntries } from '../metadata.ts';
import { noteUntouched } from '../operations.ts';
import { licensesPaidWith } from '../payment/payments.ts';
import type { ActionRun, ActionStep } from '../run.ts';
import { newestOf } from '../versions.ts';

/**
 * @throws MissingLicense when there is none and the rule waits (the default)
 * @throws LICENSE_NOT_FOUND when there is none and the rule says `missing: fail`
 * @throws FILTER_EMPTY when a criterion turned out empty in the run
 */
export async function findLicenses(step: ActionStep, run: ActionRun): Promise<readonly License[]> {
  if (await wasDoneBefore(step, run)) return [];
  const { payment, ...find } = (step.input['find'] ?? {}) as JsonObject;
  const filter = toFilter(find);
  const found = run.found.get(step.index) ?? (await search(payment, filter, run));
  // Found while the step was only counted, they are those that it is about; once, since it changes them.
  if (run.counted === undefined) run.found.delete(step.index);
  else run.found.set(step.index, found);
  const kept = licensesOfThen(run);
  // Of a done event nothing is missing: what it was done for may be gone by now.
  if (kept !== undefined) return found.filter(({ id }) => kept.has(id));
  if (found.length > 0) return found;
  const message = `${step.action} found no license with ${describeFilter(filter, payment)}`;
  switch (text(step, 'missing') ?? 'wait') {
    case 'ignore':
      return [];
    case 'fail':
      throw new AppError('LICENSE_NOT_FOUND', message);
    default:
      throw new MissingLicense(message, { isFine: isFineWithout(step, payment) });
  }
}

function search(
  payment: JsonValue | undefined,
  filter: LicenseFilter,
  run: ActionRun,
): Promise<readonly License[]> {
  return payment === undefined ? findListed(filter, run) : findPaid(payment, filter, run);
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

/** What is deleted or revoked may never have been there; a payment that nobody knows is no such thing. */
function isFineWithout({ action }: ActionStep, payment: JsonValue | undefined): boolean {
  return action === 'license.delete' || (action === 'license.revoke' && payment === undefined);
}

/** By a search, whose answer may be older than what we have written ourselves. */
async function findListed(filter: LicenseFilter, run: ActionRun): Promise<readonly License[]> {
  const { client, signal } = run;
  const listed = await client.findLicenses(filter, { signal });
  return newestOf('license', listed, (id) => client.getLicense(id, { signal }), run);
}

/** The licenses that were noted under a payment; those that are gone by now are passed over. */
async function findPaid(
  payment: JsonValue,
  filter: LicenseFilter,
  run: ActionRun,
): Promise<readonly License[]> {
  if (typeof payment !== 'string' || payment === '') {
    throw new AppError('FILTER_EMPTY', 'the criterion payment came out empty');
  }
  const found: License[] = [];
  for (const id of await licensesPaidWith(payment, run)) {
    const license = await run.client.getLicense(id, { signal: run.signal });
    if (license !== undefined && meets(license, filter)) found.push(license);
  }
  return found.sort((a, b) => String(a.createdAt).localeCompare(String(b.createdAt)));
}

function meets(
  license: License,
  { metadata, productId, userId, suspended, key }: LicenseFilter,
): boolean {
  const pairs = [
    [productId, () => told(license, 'productId')],
    [userId, () => ownerOf(license) ?? told(license, 'user')],
    [suspended, () => told(license, 'suspended')],
    [key, () => told(license, 'key')],
  ] as const;
  return (
    (metadata === undefined || hasEntries(told(license, 'metadata'), metadata)) &&
    pairs.every(([wanted, found]) => wanted === undefined || wanted === found())
  );
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
function describeFilter(filter: LicenseFilter, payment: JsonValue | undefined): string {
  const { metadata = {}, key, ...others } = filter;
  const paid = payment === undefined ? {} : { payment };
  const criteria = Object.entries({ ...paid, ...metadata, ...others }).map(
    ([name, value]) => `${name} = ${value}`,
  );
  if (key !== undefined) criteria.push('the given key');
  return criteria.join(' and ');
}
