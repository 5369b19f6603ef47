// Rules with what is beyond the vendor's documents switched on, as a seller would do it. Takes a folder of
// rule files, changes them in place.

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PROVIDERS } from '../../src/core/providers.ts';
import { withSetting } from './settings.ts';

const SHIPPED = fileURLToPath(new URL('../../rules/', import.meta.url));
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

/** A folder of the shipped rules, switched on; gone with the process. */
export function switchedOnRules(): string {
  const folder = mkdtempSync(join(tmpdir(), 'keywright-rules-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const provider of PROVIDERS) {
    cpSync(join(SHIPPED, `${provider}.yaml`), join(folder, `${provider}.yaml`));
  }
  return switchAllOn(folder);
}
