// The rule files that come with Keywright, for files that extend them. Takes `shipped/paddle.yaml`, gives the
// text of that file in the version that runs.

import { readFileSync } from 'node:fs';
import { assetPath } from '../assets.ts';
import { PROVIDERS } from '../core/providers.ts';

/** The text; undefined for a name that is none of a shipped file. */
export function readShipped(name: string): string | undefined {
  const provider = PROVIDERS.find((known) => name === `shipped/${known}.yaml`);
  return provider === undefined
    ? undefined
    : readFileSync(assetPath(`rules/${provider}.yaml`), 'utf8');
}

/** Reads beside a file first where the name may be there, and else what is shipped. */
export function withShipped(
  readBeside: (name: string) => string | undefined,
): (name: string) => string | undefined {
  return (name) => (name.startsWith('shipped/') ? readShipped(name) : readBeside(name));
}
