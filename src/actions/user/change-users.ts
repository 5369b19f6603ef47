// What is written to users that exist: names, address and metadata. Takes a user and a step, sends what is
// different. A newer event's word stands: on names and address as one, on each metadata entry by itself.

import { ownIdOf } from '../../core/model.ts';
import { keyText } from '../../core/stored-text.ts';
import type { User, UserUpdate } from '../../cryptlex/types.ts';
import type { LastWrite } from '../../journal/journal.ts';
import { text, texts } from '../input.ts';
import { isNewer, isStale, lastWrite, STALE_REASON } from '../last-writes.ts';
import { mergedEntries } from '../metadata.ts';
import { noteUntouched, operationKey, perform } from '../operations.ts';
import type { ActionRun, ActionStep } from '../run.ts';
import { wantedChanges, wantedMetadata } from './users.ts';

/**
 * Makes a user who has the event's address this customer: gives it the metadata by which later events
 * find it, and the event's names. No newer name or address stands against the metadata, so that it is
 * not guarded by time.
 */
export async function linkUser(user: User, step: ActionStep, run: ActionRun): Promise<void> {
  const names = (await isProfileStale(user, run)) ? {} : wantedChanges(step, user);
  const changes = { ...names, ...wantedMetadata(step, user) };
  if (Object.keys(changes).length > 0) {
    await perform(
      {
        key: operationKey(run, 'user.link', ownIdOf(run.event), String(step.index), user.id),
        action: step.action,
        targetId: user.id,
        waitsForLost: true,
        write: (how) => run.client.updateUser(user.id, changes, how),
      },
      run,
    );
  }
  await noteEntries(user, step, run);
  await noteProfile(user, run);
}

/** Notes that the user's address is the one that this event tells, unless a newer event told another. */
export async function noteProfile(user: User, run: ActionRun): Promise<void> {
  if (await isProfileStale(user, run)) return;
  await run.journal.noteLastWrites([profileWrite(user, run)]);
}

/** Notes that the user's metadata is what this event tells: it was made with it, or linked by it. */
export async function noteEntries(user: User, step: ActionStep, run: ActionRun): Promise<void> {
  const keys = Object.keys(texts(step.input['metadata']));
  if (keys.length === 0) return;
  await run.journal.noteLastWrites(keys.map((key) => entryWrite(user, key, step, run)));
}

/** Whether a newer event has set names or address of the user. */
export function isProfileStale(user: User, run: ActionRun): Promise<boolean> {
  return isStale(profileField(user), run, { isPayment: false });
}

function profileWrite(user: User, run: ActionRun): LastWrite {
  return lastWrite(profileField(user), run, false);
}

function profileField({ id }: User): string {
  return `user:${id}:profile`;
}

/**
 * Sends changes to a user, with the metadata of the step; what a newer event has set stays as it is,
 * names and address as one, each entry of the metadata by itself.
 */
export async function changeUser(
  user: User,
  profile: UserUpdate,
  step: ActionStep,
  run: ActionRun,
): Promise<void> {
  const { action } = step;
  const wanted = texts(step.input['metadata']);
  const entries = await entriesInTime(wanted, user, step, run);
  const isBehind = tellsProfile(step) && (await isProfileStale(user, run));
  const merged = mergedEntries(user, entries);
  const changes: UserUpdate = {
    ...(isBehind ? {} : profile),
    ...(merged === undefined ? {} : { metadata: merged }),
  };
  const sets = [
    ...(tellsProfile(step) && !isBehind ? [profileWrite(user, run)] : []),
    ...Object.keys(entries).map((key) => entryWrite(user, key, step, run)),
  ];
  if (Object.keys(changes).length === 0) {
    await run.journal.noteLastWrites(sets);
    const isLate =
      (isBehind && Object.keys(profile).length > 0) ||
      Object.keys(wanted).some((key) => !Object.hasOwn(entries, key));
    const reason = isLate ? STALE_REASON : 'the user is as the event says';
    const kind = isLate ? 'stale' : 'unchanged';
    noteUntouched(action, { kind, targetId: user.id, reason }, run);
    return;
  }
  await perform(
    {
      key: operationKey(run, 'user.update', ownIdOf(run.event), String(step.index), user.id),
      action,
      targetId: user.id,
      waitsForLost: true,
      write: (how) => run.client.updateUser(user.id, changes, how),
      sets,
    },
    run,
  );
}

/** Whether the step says anything of names or address; one of metadata only is no word on them. */
function tellsProfile(step: ActionStep): boolean {
  return ['email', 'firstName', 'lastName', 'company'].some(
    (name) => text(step, name) !== undefined,
  );
}

/** The entries of metadata that no newer event has set. */
async function entriesInTime(
  wanted: Readonly<Record<string, string>>,
  user: User,
  step: ActionStep,
  run: ActionRun,
): Promise<Readonly<Record<string, string>>> {
  const keys = Object.keys(wanted);
  if (keys.length === 0) return {};
  const fields = keys.map((key) => entryField(user, key));
  const last = await run.journal.findLastWrites(fields);
  return Object.fromEntries(
    Object.entries(wanted).filter(([key]) => {
      const write = last.get(entryField(user, key));
      return write === undefined || !isNewer(write, run, step.rank ?? 0);
    }),
  );
}

function entryWrite(user: User, key: string, step: ActionStep, run: ActionRun): LastWrite {
  return lastWrite(entryField(user, key), run, false, step.rank);
}

function entryField({ id }: User, key: string): string {
  return keyText(`user:${id}:metadata:${key}`);
}
