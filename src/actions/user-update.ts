// user.update: changes a user that exists; never creates one.

import { AppError } from '../errors.ts';
import { MissingLicense } from '../failures.ts';
import { text } from './input.ts';
import type { ActionFunction } from './run.ts';
import { bringUpToDate } from './user-upsert.ts';
import { findUser } from './users.ts';

export const updateUser: ActionFunction = async (step, run) => {
  const found = await findUser(step, run);
  if (found !== undefined) {
    const user = await bringUpToDate(found, step, run);
    // What it was found by before, an older address perhaps, is not its any more.
    await run.journal.forgetUser(user.id);
    run.progress.userId = user.id;
    return { id: user.id };
  }
  const message = `${step.place}: user.update found no such user`;
  switch (text(step, 'missing') ?? 'fail') {
    case 'ignore':
      return {};
    case 'wait':
      throw new MissingLicense(message);
    default:
      throw new AppError('USER_NOT_FOUND', message);
  }
};
