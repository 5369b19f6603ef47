// Metadata entries of users and licenses. Takes what a body says, gives entries as they are stored.
// Never drops an entry unless the PATCH is one that replaces.

import type { JsonValue } from '../core/model.ts';
import type { SandboxMetadata } from './types.ts';
import type { World } from './world.ts';

/** An entry of a body; its shape was checked against the document. */
export interface MetadataInput {
  readonly key: string;
  readonly value: string;
  readonly viewPermissions?: readonly string[];
  readonly visible?: boolean;
}

/** The `metadata` array of a checked body; empty when it is not there. */
export function metadataInputs(value: JsonValue | undefined): readonly MetadataInput[] {
  return (value ?? []) as unknown as readonly MetadataInput[];
}

/** The first key that stands twice. Unknown of the vendor; assumed to be refused. */
export function repeatedKey(inputs: readonly MetadataInput[]): string | undefined {
  const seen = new Set<string>();
  for (const { key } of inputs) {
    if (seen.has(key)) return key;
    seen.add(key);
  }
  return undefined;
}

export function newEntry(world: World, input: MetadataInput): SandboxMetadata {
  const now = world.now();
  const viewPermissions = input.viewPermissions ?? (input.visible === true ? ['activation'] : []);
  return {
    id: world.newId(),
    key: input.key,
    value: input.value,
    viewPermissions,
    visible: viewPermissions.includes('activation'),
    createdAt: now,
    updatedAt: now,
  };
}

/** A PATCH: replaced entries get new ids, merged ones keep theirs. */
export function patchEntries(
  world: World,
  old: readonly SandboxMetadata[],
  inputs: readonly MetadataInput[],
): readonly SandboxMetadata[] {
  if (world.settings.metadataPatch === 'replace') return inputs.map((it) => newEntry(world, it));
  const merged = new Map(old.map((entry) => [entry.key, entry]));
  for (const input of inputs) {
    const entry = newEntry(world, input);
    const before = merged.get(input.key);
    merged.set(
      input.key,
      before === undefined ? entry : { ...entry, id: before.id, createdAt: before.createdAt },
    );
  }
  return [...merged.values()];
}
