// user.upsert: finds the user and gives it the event's names and address, or creates one.
// An address that another user has already makes that user this customer, if the rule says so.

import { AppError } from '../../core/error-codes.ts';
import type { User } from '../../cryptlex/types.ts';
import { text } from '../input.ts';
import type { ActionFunction, ActionRun, ActionStep } from '../run.ts';
import { statusOf } from '../run.ts';
import { changeUser, isProfileStale, linkUser, noteEntries, noteProfile } from './change-users.ts';
import { mergeUsers } from './merge-users.ts';
import {
  createUser,
  findUser,
  findUserByEmail,
  rememberUser,
  wantedChanges,
  wantedMetadata,
} from './users.ts';

export const upsertUser: ActionFunction = async (step, run) => {
  const found = await findUser(step, run);
  const user =
    found === undefined ? await adoptOrCreate(step, run) : await bringUpToDate(found, step, run);
  // What it was found by before, an older address perhaps, is not its any more.
  await run.journal.forgetUser(user.id);
  if (found !== undefined && found.id !== user.id) await run.journal.forgetUser(found.id);
  await rememberUser(step, user, run);
  run.progress.userId = user.id;
  return { id: user.id };
};

/** Nobody has the metadata; the address may still belong to somebody. */
async function adoptOrCreate(step: ActionStep, run: ActionRun): Promise<User> {
  const email = text(step, 'email');
  const owner =
    email === undefined || step.input['find'] === undefined
      ? undefined
      : await findUserByEmail(email, run);
  if (owner !== undefined) return adopt(owner, step, run);
  const { user, isNew } = await createUser(step, run);
  if (isNew) {
    await noteEntries(user, step, run);
    await noteProfile(user, run);
    return user;
  }
  // Another event made the user in between, perhaps with less than this one knows.
  return step.input['find'] === undefined ? bringUpToDate(user, step, run) : adopt(user, step, run);
}

/** The user who has the event's address becomes this customer. */
async function adopt(owner: User, step: ActionStep, run: ActionRun): Promise<User> {
  if (wantedMetadata(step, owner).metadata === undefined) return bringUpToDate(owner, step, run);
  requireMerge(step, owner);
  await linkUser(owner, step, run);
  return owner;
}

/** Gives a user that exists what the event says; shared with user.update. */
export async function bringUpToDate(user: User, step: ActionStep, run: ActionRun): Promise<User> {
  const changes = wantedChanges(step, user);
  // An older event must not take the user to whoever has its older address.
  if (changes.email === undefined || (await isProfileStale(user, run))) {
    await changeUser(user, changes, step, run);
    return user;
  }
  const owner = await findUserByEmail(changes.email, run);
  if (owner !== undefined && owner.id !== user.id) return giveTo(owner, user, step, run);
  try {
    await changeUser(user, changes, step, run);
    return user;
  } catch (error) {
    // Somebody took the address between the look and the change; the reference names no 409 here.
    if (statusOf(error) !== 400 && statusOf(error) !== 409) throw error;
    const rival = await findUserByEmail(changes.email, run, { anyCase: true });
    if (rival === undefined || rival.id === user.id) throw error;
    return giveTo(rival, user, step, run);
  }
}

async function giveTo(owner: User, user: User, step: ActionStep, run: ActionRun): Promise<User> {
  requireMerge(step, owner);
  await mergeUsers(user, owner, step, run);
  return owner;
}

function requireMerge(step: ActionStep, owner: User): void {
  if (text(step, 'emailTaken') === 'merge') return;
  const message = `${step.place}: the address of the event belongs to user ${owner.id} already`;
  throw new AppError('EMAIL_TAKEN', message);
}
