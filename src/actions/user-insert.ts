// user.insert: finds the user, or creates one. A user that exists stays as it is.

import type { ActionFunction } from './run.ts';
import { createUser, findUser } from './users.ts';

export const insertUser: ActionFunction = async (step, run) => {
  const user = (await findUser(step, run)) ?? (await createUser(step, run)).user;
  run.progress.userId = user.id;
  return { id: user.id };
};
