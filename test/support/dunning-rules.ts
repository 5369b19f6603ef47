// The shipped rules with dunning switched on, as docs/dunning.md tells a user to do it: the marked parts of
// the examples are copied in, and what they take the place of is taken out. Gives the folder.

import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PROVIDERS, type Provider } from '../../src/core/providers.ts';

const RULES = fileURLToPath(new URL('../../rules/', import.meta.url));

/**
 * The user's own file: the shipped one with the example's parts.
 * @param grace how long a customer who does not pay goes on
 */
export function withDunning(provider: Provider, grace = 'P7D'): string {
  const example = readFileSync(join(RULES, 'examples/dunning', `${provider}.yaml`), 'utf8');
  const [settings = '', rules = '', last = ''] = [...example.matchAll(PART)].map(
    ([, part]) => part,
  );
  if (settings === '' || rules === '') throw new Error(`${provider}: a marked part is missing`);
  const shipped = readFileSync(join(RULES, `${provider}.yaml`), 'utf8')
    .replace(/ {2}- id: payment-overdue\n.*?(?= {2}- id: deactivated\n)/s, '')
    .replace(/^let:\n/m, `let:\n${settings.replace('P7D\n', `${grace}\n`)}\n`)
    .replace(/^rules:\n/m, `rules:\n${rules}\n`);
  return last === '' ? shipped : `${shipped.trimEnd()}\n\n${last}`;
}

const PART = /# -+ copy from here [^\n]*\n(.*?) *# -+ to here -+\n/gs;

/** A folder of rules with dunning for all providers. */
export function dunningRules(grace?: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'keywright-dunning-'));
  mkdirSync(join(folder, 'tests'));
  for (const provider of PROVIDERS) {
    writeFileSync(join(folder, `${provider}.yaml`), withDunning(provider, grace));
    for (const [from, to] of [
      [`tests/${provider}.yaml`, provider],
      [`examples/dunning/tests/${provider}.yaml`, `dunning-${provider}`],
    ] as const) {
      writeFileSync(join(folder, 'tests', `${to}.yaml`), readFileSync(join(RULES, from)));
    }
  }
  return folder;
}
