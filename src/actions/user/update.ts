// user.update: changes a user that exists; never creates one.

import { AppError } from '../../core/error-codes.ts';
import type { JsonObject } from '../../core/model.ts';
import type { User } from '../../cryptlex/types.ts';
import { MissingUser } from '../failures.ts';
import { text, texts } from '../input.ts';
import { type ActionFunction, type ActionRun, type ActionStep, statusOf } from '../run.ts';
import { bringUpToDate } from './upsert.ts';
import { findUser, findUserByEmail } from './users.ts';

export const updateUser: ActionFunction = async (step, run) => {
  const found = await findExisting(step, run);
  if (found !== undefined) {
    const user = await bringUpToDate(found, step, run);
    // What it was found by before, an older address perhaps, is not its any more.
    await run.journal.forgetUser(user.id);
    run.progress.userId = user.id;
    return { id: user.id };
  }
  const message = `${step.place}: user.update found no user with ${searchedBy(step)}`;
  switch (text(step, 'missing') ?? 'fail') {
    case 'ignore':
      return {};
    case 'wait':
      throw new MissingUser(message);
    default:
      throw new AppError('USER_NOT_FOUND', message);
  }
};

/** By id, else by `find` or `email`, else by `orEmail`: the surest first. */
async function findExisting(step: ActionStep, run: ActionRun): Promise<User | undefined> {
  const userId = text(step, 'userId');
  const known = userId === undefined ? undefined : await findById(userId, run);
  if (known !== undefined) return known;
  const isSearch = step.input['find'] !== undefined || text(step, 'email') !== undefined;
  const orEmail = text(step, 'orEmail');
  const found =
    isSearch || (userId === undefined && orEmail === undefined)
      ? await findUser(step, run)
      : undefined;
  if (found !== undefined || orEmail === undefined) return found;
  return findUserByEmail(orEmail, run);
}

/** An id that Cryptlex cannot read is that of nobody; the reference leaves open whether it says 400 or 404. */
async function findById(userId: string, run: ActionRun): Promise<User | undefined> {
  try {
    return await run.client.getUser(userId, { signal: run.signal });
  } catch (error) {
    if (statusOf(error) === 400) return undefined;
    throw error;
  }
}

/** For people who look for the event: ids as they are, addresses not. */
function searchedBy(step: ActionStep): string {
  const metadata = texts((step.input['find'] as JsonObject | undefined)?.['metadata']);
  const userId = text(step, 'userId');
  const hasEmail = text(step, 'email') !== undefined || text(step, 'orEmail') !== undefined;
  return [
    ...(userId === undefined ? [] : [`the id ${userId}`]),
    ...Object.entries(metadata).map(([key, value]) => `${key} = ${value}`),
    ...(hasEmail ? ["the event's e-mail address"] : []),
  ].join(' or ');
}
