// license.create: makes licenses up to the wanted number, however often it is asked.
// Each carries `keywright_id`, a hash of what makes it one, so that a look tells whether it is there.
// A license of the same sale that other software made counts for one. Never makes a second license of
// one fact, and never the fact's license of another product.

import { createHash } from 'node:crypto';
import { AppError } from '../../core/error-codes.ts';
import { told } from '../../core/told.ts';
import type { License, LicenseCreate } from '../../cryptlex/types.ts';
import { integer, requiredText, texts } from '../input.ts';
import { entryValue, hasEntries, privateEntries } from '../metadata.ts';
import { noteDone, noteUntouched, operationKey, perform } from '../operations.ts';
import type { ActionFunction, ActionRun, ActionStep } from '../run.ts';

/** The metadata key by which Keywright knows the licenses that it made. */
export const KEYWRIGHT_ID = 'keywright_id';

/** Calls of one step that run side by side; the client's pace bounds them further. */
const PARALLEL_CREATES = 4;

/** One license of the step. */
interface Unit {
  readonly key: string;
  readonly keywrightId: string;
}

export const createLicenses: ActionFunction = async (step, run) => {
  const productId = requiredText(step, 'productId');
  const units = unitsOf(step, run);
  const open = await unitsNotDone(units, productId, run);
  if (open.length > 0) {
    const missing = run.isFresh ? open : await lookBefore(step, open, productId, run);
    await createAll(step, missing, productId, run);
  }
  return {};
};

function unitsOf(step: ActionStep, run: ActionRun): readonly Unit[] {
  const quantity = integer(step, 'quantity') ?? 1;
  return Array.from({ length: quantity }, (_, index) => {
    const key = operationKey(
      run,
      'license.create',
      step.once ?? '',
      step.unitKey ?? '',
      String(index + 1),
    );
    return { key, keywrightId: createHash('sha256').update(key).digest('hex').slice(0, 32) };
  });
}

/** The units that the journal does not know as done. @throws CONFLICT */
async function unitsNotDone(
  units: readonly Unit[],
  productId: string,
  run: ActionRun,
): Promise<readonly Unit[]> {
  const known = await run.journal.findOperations(units.map((unit) => unit.key));
  return units.filter(({ key }) => {
    const operation = known.get(key);
    if (operation === undefined) return true;
    const made = operation.state === 'done' ? operation.result.targetId : operation.targetId;
    refuseOtherProduct(operation.productId, productId, made);
    if (operation.state !== 'done') return true;
    const { targetId } = operation.result;
    run.progress.licenseIds.add(targetId);
    const reason = 'it was created before';
    noteUntouched('license.create', { kind: 'unchanged', targetId, reason }, run);
    return false;
  });
}

function refuseOtherProduct(
  before: string | undefined,
  wanted: string,
  licenseId: string | undefined,
): void {
  if (before === undefined || before === wanted) return;
  const which = licenseId === undefined ? '' : ` as license ${licenseId}`;
  const message = `it was licensed${which} for product ${before}; this event says product ${wanted}`;
  throw new AppError('CONFLICT', message);
}

/** Looks for licenses that are there already, and notes them as done; gives the units that are not. */
async function lookBefore(
  step: ActionStep,
  open: readonly Unit[],
  productId: string,
  run: ActionRun,
): Promise<readonly Unit[]> {
  const reference = texts(step.input['metadata']);
  const present = await presentLicenses(reference, open, run);
  const own = new Map(
    present.map((license) => [entryValue(told(license, 'metadata'), KEYWRIGHT_ID), license]),
  );
  const foreign = await adoptable(present, reference, productId, run);
  const missing: Unit[] = [];
  for (const unit of open) {
    const mine = own.get(unit.keywrightId);
    if (mine !== undefined) refuseOtherProduct(told(mine, 'productId'), productId, mine.id);
    const license = mine ?? foreign.shift();
    if (license === undefined) missing.push(unit);
    else await adopt(unit, license, step, run);
  }
  return missing;
}

/** One search by what all licenses of the sale carry; without such metadata one by one. */
async function presentLicenses(
  reference: Readonly<Record<string, string>>,
  open: readonly Unit[],
  run: ActionRun,
): Promise<readonly License[]> {
  const options = { signal: run.signal };
  const [entry] = Object.entries(reference);
  if (entry !== undefined) {
    const [key, value] = entry;
    const name = JSON.stringify(entry);
    // The items of one sale carry the same reference; what this run makes, the journal knows.
    const known = run.searches.get(name);
    const search = known ?? run.client.findLicenses({ metadata: { [key]: value } }, options);
    run.searches.set(name, search);
    return search;
  }
  const found: License[] = [];
  for (const { keywrightId } of open) {
    const metadata = { [KEYWRIGHT_ID]: keywrightId };
    found.push(...(await run.client.findLicenses({ metadata }, options)));
  }
  return found;
}

/** Licenses of this sale and product that other software made and that count for no unit yet. */
async function adoptable(
  present: readonly License[],
  reference: Readonly<Record<string, string>>,
  productId: string,
  run: ActionRun,
): Promise<License[]> {
  if (Object.keys(reference).length === 0) return [];
  const candidates = present.filter(
    (license) =>
      entryValue(told(license, 'metadata'), KEYWRIGHT_ID) === undefined &&
      told(license, 'productId') === productId &&
      hasEntries(told(license, 'metadata'), reference),
  );
  const taken = await run.journal.findCreated(candidates.map((license) => license.id));
  return candidates.filter((license) => !taken.has(license.id));
}

/** A license that is there counts for the unit, without a call. */
async function adopt(
  unit: Unit,
  license: License,
  step: ActionStep,
  run: ActionRun,
): Promise<void> {
  const targetId = license.id;
  const productId = told(license, 'productId');
  const operation = { key: unit.key, action: step.action, targetId, choice: 'adopt' };
  await noteDone({ ...operation, productId }, 'it was there already', run);
  run.progress.licenseIds.add(targetId);
}

async function createAll(
  step: ActionStep,
  units: readonly Unit[],
  productId: string,
  run: ActionRun,
): Promise<void> {
  const waiting = [...units];
  const failures: unknown[] = [];
  const work = async (): Promise<void> => {
    for (let unit = waiting.shift(); unit !== undefined; unit = waiting.shift()) {
      // What is under way is finished; after a failure nothing new is begun.
      if (failures.length > 0) return;
      try {
        await createOne(step, unit, productId, run);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_CREATES }, work));
  if (failures.length > 0) throw failures[0];
}

async function createOne(
  step: ActionStep,
  unit: Unit,
  productId: string,
  run: ActionRun,
): Promise<void> {
  const { signal } = run;
  const result = await perform(
    {
      key: unit.key,
      action: step.action,
      productId,
      waitsForLost: true,
      write: (how) => run.client.createLicense(bodyOf(step, unit), how),
      readBack: async () => {
        const metadata = { [KEYWRIGHT_ID]: unit.keywrightId };
        const [license] = await run.client.findLicenses({ metadata }, { signal });
        return license;
      },
    },
    run,
  );
  run.progress.licenseIds.add(result.targetId);
}

/** The fields of the step are Cryptlex's own; only quantity and metadata have another form. */
function bodyOf(step: ActionStep, unit: Unit): LicenseCreate {
  const { quantity: _quantity, metadata, ...fields } = step.input;
  const entries = { ...texts(metadata), [KEYWRIGHT_ID]: unit.keywrightId };
  return {
    ...fields,
    productId: requiredText(step, 'productId'),
    metadata: privateEntries(entries),
  };
}
