// The sample events that come with Keywright. Takes a provider and a name, gives the text of a webhook body.
// Reads only names that its own list holds; a release without samples has none.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { assetPath } from '../assets.ts';
import type { Provider } from '../core/providers.ts';

/** `invoice.paid-manual`, in their order. */
export function sampleNames(provider: Provider): readonly string[] {
  try {
    return readdirSync(folderOf(provider))
      .filter((name) => name.endsWith('.json'))
      .map((name) => name.slice(0, -'.json'.length))
      .sort();
  } catch {
    return [];
  }
}

/** Undefined where there is no such sample. */
export function readSample(provider: Provider, name: string): string | undefined {
  if (!sampleNames(provider).includes(name)) return undefined;
  return readFileSync(join(folderOf(provider), `${name}.json`), 'utf8');
}

function folderOf(provider: Provider): string {
  return assetPath(join('samples', provider));
}
