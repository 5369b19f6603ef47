// One customer, two users: the placeholder that a purchase made, and the user who has the real address.
// The second becomes the customer and takes over the placeholder's licenses. Nothing is lost: the
// placeholder stays, but is never found again.

import { type JsonObject, ownIdOf } from '../../core/model.ts';
import type { User } from '../../cryptlex/types.ts';
import { texts } from '../input.ts';
import { mergedEntries } from '../metadata.ts';
import { noteUntouched, operationKey, perform } from '../operations.ts';
import type { ActionRun, ActionStep } from '../run.ts';
import { linkUser } from './change-users.ts';

/** How the metadata of a user that was merged into another one begins. */
const MERGED = 'merged:';

/**
 * In this order, so that it can break off anywhere and be done again: the owner gets the metadata, the
 * licenses move one by one, and only then the placeholder's entry is changed, by which it is found.
 */
export async function mergeUsers(
  placeholder: User,
  owner: User,
  step: ActionStep,
  run: ActionRun,
): Promise<void> {
  await linkUser(owner, step, run);
  const { signal } = run;
  // The search gives the placeholder's own licenses: those that it only shares stay where they are.
  const licenses = await run.client.findLicenses(
    { userId: placeholder.id },
    {
      signal,
      onOwnerUntold: ({ id: targetId }) => {
        const reason = 'it stays where it is: Cryptlex does not say whose it is';
        noteUntouched('license.move', { kind: 'unchanged', targetId, reason }, run);
      },
    },
  );
  for (const license of licenses) {
    await perform(
      {
        key: operationKey(run, 'license.move', ownIdOf(run.event), String(step.index), license.id),
        action: 'license.move',
        targetId: license.id,
        waitsForLost: true,
        write: (how) => run.client.updateLicense(license.id, { userId: owner.id }, how),
      },
      run,
    );
    run.progress.licenseIds.add(license.id);
  }
  const found = texts((step.input['find'] as JsonObject | undefined)?.['metadata']);
  const wanted = Object.entries(found).map(([key, value]) => [key, `${MERGED}${value}`]);
  const metadata = mergedEntries(placeholder, Object.fromEntries(wanted));
  if (metadata === undefined || wanted.length === 0) return;
  await perform(
    {
      key: operationKey(run, 'user.merge', ownIdOf(run.event), String(step.index), placeholder.id),
      action: 'user.merge',
      targetId: placeholder.id,
      waitsForLost: true,
      write: (how) => run.client.updateUser(placeholder.id, { metadata }, how),
    },
    run,
  );
}
