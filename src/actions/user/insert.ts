// user.insert: finds the user, or creates one. A user that exists stays as it is.
// For a fresh event the order is turned round: a user who is remembered is not looked up, and one who is
// not is created at once; Cryptlex refuses an address that it has already, and then the user is found.

import type { User } from '../../cryptlex/types.ts';
import type { ActionFunction, ActionRun, ActionStep } from '../run.ts';
import { noteEntries } from './change-users.ts';
import { createUser, findUser, isFoundByEmail, recallUser, rememberUser } from './users.ts';

export const insertUser: ActionFunction = async (step, run) => {
  const recalled = await recallUser(step, run);
  if (recalled !== undefined) {
    run.progress.userId = recalled;
    return { id: recalled };
  }
  const kept = userOfThen(run);
  if (kept !== undefined && (await findUser(step, run)) === undefined) {
    run.progress.userId = kept;
    return { id: kept };
  }
  const user = await findOrCreate(step, run);
  await rememberUser(step, user, run);
  run.progress.userId = user.id;
  return { id: user.id };
};

async function findOrCreate(step: ActionStep, run: ActionRun): Promise<User> {
  // Who is found by metadata may have another address, so creating could make a second user.
  const found = run.isFresh && isFoundByEmail(step) ? undefined : await findUser(step, run);
  if (found !== undefined) return found;
  const { user, isNew } = await createUser(step, run);
  if (isNew) await noteEntries(user, step, run);
  return user;
}

/** A done event is not done for somebody else because its user has another address by now. */
function userOfThen({ replay }: ActionRun): string | undefined {
  return replay?.wasDone === true && replay.mode === 'again' ? replay.userId : undefined;
}
