// Names that the sandbox invents: ids and license keys. Takes a seed, gives the same row each time.
// Never random: a run that is repeated shows the same ids.

import { createHash } from 'node:crypto';

/** A counter in the shape of a UUID: `00000000-0000-4000-8000-000000000001`; the seed fills the first group. */
export function createIdSource(seed = 0): () => string {
  const prefix = `${(seed >>> 0).toString(16).padStart(8, '0')}-0000-4000-8000-`;
  let count = 0;
  return () => {
    count += 1;
    return prefix + count.toString(16).padStart(12, '0');
  };
}

/**
 * A license key in the vendor's default pattern, `([A-F0-9]{6}-){5}[A-F0-9]{6}`, always the same
 * for an id. Other patterns of a template are not followed.
 */
export function licenseKeyFor(id: string): string {
  const hex = createHash('sha256').update(id).digest('hex').slice(0, 36).toUpperCase();
  return (hex.match(/.{6}/g) ?? []).join('-');
}
