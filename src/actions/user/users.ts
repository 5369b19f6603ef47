// Users: how they are looked up and created, and what a step wants of them; shared by the user actions.
// Takes a step's input, gives a user of Cryptlex. Never changes a role, and never renames a user who
// is more than a customer.

import { randomInt } from 'node:crypto';
import { AppError } from '../../core/error-codes.ts';
import { type JsonObject, ownIdOf } from '../../core/model.ts';
import { told } from '../../core/told.ts';
import type { User, UserUpdate } from '../../cryptlex/types.ts';
import { text, texts } from '../input.ts';
import { mergedEntries, privateEntries } from '../metadata.ts';
import { operationKey, perform } from '../operations.ts';
import { type ActionRun, type ActionStep, statusOf } from '../run.ts';
import { newestOf } from '../versions.ts';

/** The role of a customer; every other role is somebody who works for the seller. */
export const CUSTOMER_ROLE = 'user';
/** Cryptlex takes names of up to 256 characters (API reference, post-users, 2026-11). */
const NAME_LENGTH_MAX = 256;

/** Whether the step looks its user up by e-mail address, which no two users share. */
export function isFoundByEmail(step: ActionStep): boolean {
  return step.input['find'] === undefined && text(step, 'email') !== undefined;
}

/** What the user of a step is found by, as the journal remembers it. */
function lookupOf(step: ActionStep): string {
  const metadata = (step.input['find'] as JsonObject | undefined)?.['metadata'];
  if (metadata !== undefined) return `metadata:${JSON.stringify(metadata)}`;
  return `email:${(text(step, 'email') ?? '').trim().toLowerCase()}`;
}

/** The id of a user who was found or made before; only for fresh events. */
export async function recallUser(step: ActionStep, run: ActionRun): Promise<string | undefined> {
  if (!run.isFresh) return undefined;
  const userId = await run.journal.recallUser(lookupOf(step));
  if (userId !== undefined) run.recalledUsers.add(userId);
  return userId;
}

export async function rememberUser(step: ActionStep, user: User, run: ActionRun): Promise<void> {
  await run.journal.rememberUser(lookupOf(step), user.id);
}

/** By metadata where the step says `find`, else by e-mail address; the oldest of several. */
export async function findUser(step: ActionStep, run: ActionRun): Promise<User | undefined> {
  const metadata = texts((step.input['find'] as JsonObject | undefined)?.['metadata']);
  const options = { signal: run.signal };
  if (Object.keys(metadata).length > 0) {
    const users = await newestUsers(await run.client.findUsers({ metadata }, options), run);
    return unmerged(users, step) ?? users[0];
  }
  const email = text(step, 'email');
  if (email === undefined) {
    throw new AppError('FIELD_MISSING', `${step.place}: ${step.action} needs an email or a find`);
  }
  return findUserByEmail(email, run);
}

/**
 * Two users with the metadata of one customer are a merge that was broken off: the one without the
 * event's address is the placeholder, from which it goes on.
 */
function unmerged(users: readonly User[], step: ActionStep): User | undefined {
  const email = text(step, 'email')?.toLowerCase();
  if (users.length < 2 || text(step, 'emailTaken') !== 'merge') return undefined;
  return users.find((user) => told(user, 'email').toLowerCase() !== email);
}

function newestUsers(listed: readonly User[], run: ActionRun): Promise<readonly User[]> {
  const get = (id: string) => run.client.getUser(id, { signal: run.signal });
  return newestOf('user', listed, get, run);
}

/** A customer with that address before somebody with another role. */
export async function findUserByEmail(
  email: string,
  run: ActionRun,
  { anyCase = false } = {},
): Promise<User | undefined> {
  const listed = await run.client.findUsers({ email, anyCase }, { signal: run.signal });
  const users = await newestUsers(listed, run);
  return users.find(isCustomer) ?? users[0];
}

export function isCustomer(user: User): boolean {
  return user.role === undefined || user.role === null || user.role === CUSTOMER_ROLE;
}

/**
 * Creates the user of a step. Another event may be creating the same one: whoever loses looks again,
 * and gets a user that is not new.
 * @throws what Cryptlex answered when there is no such user afterwards either
 */
export async function createUser(
  step: ActionStep,
  run: ActionRun,
): Promise<{ user: User; isNew: boolean }> {
  const email = (text(step, 'email') ?? '').toLowerCase();
  const metadata = texts(step.input['metadata']);
  const body = {
    email,
    firstName: firstNameOf(step, email),
    ...optional('lastName', text(step, 'lastName')),
    ...optional('company', text(step, 'company')),
    password: randomPassword(),
    role: CUSTOMER_ROLE,
    ...(Object.keys(metadata).length > 0 ? { metadata: privateEntries(metadata) } : {}),
  };
  let created: User | undefined;
  let rival: User | undefined;
  await perform(
    {
      key: operationKey(run, 'user.create', ownIdOf(run.event), String(step.index)),
      action: step.action,
      waitsForLost: false,
      write: async (how) => {
        try {
          created = await run.client.createUser(body, how);
          return created;
        } catch (error) {
          // 409 is what the reference says; 400 is possible, since no message may be relied on.
          if (statusOf(error) !== 409 && statusOf(error) !== 400) throw error;
          rival =
            (await findUser(step, run)) ?? (await findUserByEmail(email, run, { anyCase: true }));
          if (rival === undefined) throw error;
          return rival;
        }
      },
      readBack: async () => {
        rival = (await findUser(step, run)) ?? (await findUserByEmail(email, run));
        return rival;
      },
    },
    run,
  );
  if (created !== undefined) return { user: created, isNew: true };
  const user = rival ?? (await findUser(step, run));
  if (user !== undefined) return { user, isNew: false };
  throw new AppError('CRYPTLEX_NONSENSE', 'a user that was created cannot be found');
}

function optional<Name extends string>(
  name: Name,
  value: string | undefined,
): { [key in Name]?: string } {
  if (value === undefined || value.trim() === '') return {};
  return { [name]: value.trim().slice(0, NAME_LENGTH_MAX) } as { [key in Name]?: string };
}

/** Cryptlex wants a first name: the event's, else the company, else what stands before the @. */
function firstNameOf(step: ActionStep, email: string): string {
  const names = [text(step, 'firstName'), text(step, 'company'), email.split('@')[0], email];
  const name = names.find((candidate) => candidate !== undefined && candidate.trim() !== '');
  return (name ?? 'Customer').trim().slice(0, NAME_LENGTH_MAX);
}

/** What the step wants changed at a user that exists: names and address, never the role. */
export function wantedChanges(step: ActionStep, user: User): UserUpdate {
  if (!isCustomer(user)) return {};
  const email = text(step, 'email')?.toLowerCase();
  const changes: UserUpdate = {};
  for (const name of ['firstName', 'lastName', 'company'] as const) {
    const value = optional(name, text(step, name))[name];
    if (value !== undefined && value !== user[name]) changes[name] = value;
  }
  if (email !== undefined && email !== told(user, 'email').toLowerCase()) changes.email = email;
  return changes;
}

/** The metadata that the step wants and the user lacks, as the full set to send. */
export function wantedMetadata(step: ActionStep, user: User): UserUpdate {
  const metadata = mergedEntries(user, texts(step.input['metadata']));
  return metadata === undefined ? {} : { metadata };
}

const LOWER = 'abcdefghijkmnopqrstuvwxyz';
const UPPER = 'ABCDEFGHJKLMNPQRSTUVWXYZ';
const DIGITS = '23456789';
const SYMBOLS = '!#%+-_=?';

/** 24 characters of four kinds: the complexity rule of an account is not known. Nobody ever sees it. */
export function randomPassword(): string {
  const pick = (letters: string): string => letters[randomInt(letters.length)] ?? '';
  const characters = [LOWER, UPPER, DIGITS, SYMBOLS].map(pick);
  while (characters.length < 24) characters.push(pick(LOWER + UPPER + DIGITS + SYMBOLS));
  for (let index = characters.length - 1; index > 0; index -= 1) {
    const other = randomInt(index + 1);
    const held = characters[index] ?? '';
    characters[index] = characters[other] ?? '';
    characters[other] = held;
  }
  return characters.join('');
}
