// Metadata entries of licenses and users. Takes what is there and what is wanted, gives what to send.
// What a PATCH does to entries it does not name is not documented, so the full set is always sent.

import { told } from '../core/told.ts';
import type { MetadataInput } from '../cryptlex/types.ts';

interface Entry {
  readonly key: string;
  readonly value: string;
  readonly viewPermissions?: readonly string[];
}

/** New entries: visible to administrators only. */
export function privateEntries(metadata: Readonly<Record<string, string>>): MetadataInput[] {
  return Object.entries(metadata).map(([key, value]) => ({ key, value, viewPermissions: [] }));
}

/**
 * The full set to send, or undefined when everything wanted is there. Other entries keep all they have.
 * @throws CRYPTLEX_NONSENSE when the answer does not tell what is there: it would be lost
 */
export function mergedEntries(
  object: { readonly id: string; readonly metadata?: readonly Entry[] | null },
  wanted: Readonly<Record<string, string>>,
): MetadataInput[] | undefined {
  if (Object.keys(wanted).length === 0) return undefined;
  const entries = told(object, 'metadata') ?? [];
  const missing = Object.entries(wanted).filter(
    ([key, value]) => !entries.some((entry) => entry.key === key && entry.value === value),
  );
  if (missing.length === 0) return undefined;
  const kept = entries.filter((entry) => !(entry.key in wanted)).map(toInput);
  return [...kept, ...privateEntries(wanted)];
}

function toInput({ key, value, viewPermissions }: Entry): MetadataInput {
  // A view permission that this version does not know must not be lost, so it is sent back as it came.
  return {
    key,
    value,
    viewPermissions: (viewPermissions ?? []) as MetadataInput['viewPermissions'] & string[],
  };
}

/** Whether all wanted entries are there, by exact text. */
export function hasEntries(
  present: readonly Entry[] | null | undefined,
  wanted: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(wanted).every(([key, value]) => entryValue(present, key) === value);
}

/** The value of an entry, or undefined. */
export function entryValue(
  present: readonly Entry[] | null | undefined,
  key: string,
): string | undefined {
  return present?.find((entry) => entry.key === key)?.value;
}
