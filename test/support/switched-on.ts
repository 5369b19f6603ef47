// Rules with what is beyond the vendor's documents switched on, as a seller would do it. Takes a folder of
// rule files, changes them in place.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROVIDERS } from '../../src/core/providers.ts';
import { withSetting } from './settings.ts';

const WORDS = { refunds: 'revoke', disputes: 'suspend', cancellation: 'revoke' };

/** Gives the folder back. */
export function switchAllOn(folder: string): string {
  for (const provider of PROVIDERS) {
    const path = join(folder, `${provider}.yaml`);
    let text = readFileSync(path, 'utf8');
    for (const [name, word] of Object.entries(WORDS)) {
      // FastSpring deletes what is deactivated, and goes on doing so.
      if (provider === 'fastspring' && name === 'cancellation') continue;
      text = withSetting(text, name, word);
    }
    writeFileSync(path, text);
  }
  return folder;
}
