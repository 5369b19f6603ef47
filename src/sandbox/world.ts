// What every handler works with: the store, time, ids and the settled options.
// Made once per sandbox; never known outside this folder.

import { formatInstant } from '../core/interval.ts';
import type { JsonObject } from '../core/model.ts';
import type { Answer } from './answer.ts';
import { licenseLists, userLists } from './fields.ts';
import { createIdSource } from './ids.ts';
import type { ListSource } from './lists.ts';
import { type LicenseRow, Store, type UserRow } from './store.ts';
import type { GivenTemplate, SandboxOptions } from './types.ts';

export interface Settings {
  readonly metadataMatch: 'anyEntry' | 'sameEntry';
  readonly metadataPatch: 'replace' | 'merge';
  readonly renewWithoutExpiry: 400 | 409 | 200;
  readonly expiryOnPerpetual: 400 | 200;
  readonly defaultLimit: number;
  readonly staleListMs: number;
  /** Undefined for "any". */
  readonly knownProducts: ReadonlySet<string> | undefined;
  readonly knownTemplates: ReadonlySet<string> | undefined;
  readonly defaultTemplate: GivenTemplate;
}

export interface World {
  readonly store: Store;
  readonly settings: Settings;
  readonly users: ListSource<UserRow>;
  readonly licenses: ListSource<LicenseRow>;
  nowMs(): number;
  /** The present as the API writes it. */
  now(): string;
  newId(): string;
  clear(): void;
}

/** A request as a handler sees it: authorized and in keeping with the document. */
export interface Call {
  readonly id: string;
  readonly query: readonly (readonly [string, string])[];
  /** Empty where the operation takes none. */
  readonly body: JsonObject;
  readonly staleListMs: number;
}

export type Handler = (world: World, call: Call) => Answer;

export function createWorld(options: SandboxOptions): World {
  const store = new Store();
  const { clock } = options;
  const fieldOptions = { emailBlind: options.emailFilter === 'caseBlind' };
  let nextId = options.newId ?? createIdSource();
  return {
    store,
    settings: settle(options),
    users: userLists(store, fieldOptions),
    licenses: licenseLists(store, fieldOptions),
    nowMs: () => clock.nowMs(),
    now: () => formatInstant(clock.nowMs()),
    newId: () => nextId(),
    clear: () => {
      store.clear();
      nextId = options.newId ?? createIdSource();
    },
  };
}

function settle(options: SandboxOptions): Settings {
  const known = (ids: SandboxOptions['knownProducts']): ReadonlySet<string> | undefined =>
    ids === undefined || ids === 'any' ? undefined : new Set(ids);
  return {
    metadataMatch: options.metadataMatch ?? 'anyEntry',
    metadataPatch: options.metadataPatch ?? 'replace',
    renewWithoutExpiry: options.renewWithoutExpiry ?? 400,
    expiryOnPerpetual: options.expiryOnPerpetual ?? 400,
    defaultLimit: options.defaultLimit ?? 10,
    staleListMs: options.staleListMs ?? 0,
    knownProducts: known(options.knownProducts),
    knownTemplates: known(options.knownTemplates),
    defaultTemplate: options.defaultTemplate ?? {},
  };
}
