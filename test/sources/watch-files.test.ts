// Whatever way a rule file is saved, replaced or put there, the watch tells of it; with the system's events
// and without them.

import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fingerprintOf, readRuleFiles } from '../../src/sources/rule-files.ts';
import { type RulesWatch, watchRules } from '../../src/sources/watch-files.ts';

let root: string;
/** The directory of the rules; a link where a test makes one of it. */
let rules: string;
let watch: RulesWatch | undefined;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'keywright-watch-'));
  rules = join(root, 'rules');
  mkdirSync(rules);
  writeFileSync(join(rules, 'stripe.yaml'), 'one');
  writeFileSync(join(rules, 'catalog.csv'), 'key');
});
afterEach(() => {
  watch?.stop();
  rmSync(root, { recursive: true, force: true });
});

/** Resolves when the watch tells of a change; the test's own time limit is what ends a wait in vain. */
function nextChange(options: { listens: boolean }): Promise<void> {
  watch?.stop();
  return new Promise((resolve) => {
    watch = watchRules(rules, fingerprintOf(rules), resolve, { ...options, pollMs: 20 });
  });
}

const file = (name: string) => join(rules, name);

const CHANGES: readonly (readonly [string, () => void])[] = [
  ['a file that is written in place', () => writeFileSync(file('stripe.yaml'), 'two')],
  ['a file of the same length', () => writeFileSync(file('stripe.yaml'), 'eno')],
  [
    'an editor that writes beside it and renames',
    () => {
      writeFileSync(file('.stripe.yaml.swp'), 'two');
      renameSync(file('.stripe.yaml.swp'), file('stripe.yaml'));
    },
  ],
  [
    'an editor that moves the old one away first',
    () => {
      renameSync(file('stripe.yaml'), file('stripe.yaml~'));
      copyFileSync(file('stripe.yaml~'), file('stripe.yaml'));
    },
  ],
  ['a new file', () => writeFileSync(file('stripe-eu.yaml'), 'two')],
  ['a file that is gone', () => unlinkSync(file('stripe.yaml'))],
  ['a catalog', () => writeFileSync(file('catalog.csv'), 'key,productId')],
  ['permissions', () => chmodSync(file('stripe.yaml'), 0o600)],
  ['a directory that vanishes', () => rmSync(rules, { recursive: true })],
  [
    'a directory that is replaced by another one',
    () => {
      mkdirSync(join(root, 'new'));
      writeFileSync(join(root, 'new', 'stripe.yaml'), 'two');
      renameSync(rules, join(root, 'old'));
      renameSync(join(root, 'new'), rules);
    },
  ],
];

describe.each([{ listens: true }, { listens: false }])('a watch (events: $listens)', (options) => {
  test.each(CHANGES)('tells of %s', async (_name, change) => {
    const told = nextChange(options);
    change();
    await told;
  });

  test('tells of a directory that comes back, and of what is changed in it then', async () => {
    renameSync(rules, join(root, 'away'));
    const back = nextChange(options);
    renameSync(join(root, 'away'), rules);
    await back;
    const changed = nextChange(options);
    writeFileSync(file('stripe.yaml'), 'two');
    await changed;
  });

  test('goes on telling, change after change', async () => {
    let changes = 0;
    let tell = (): void => undefined;
    const hear = (): void => {
      changes += 1;
      tell();
    };
    watch = watchRules(rules, fingerprintOf(rules), hear, { ...options, pollMs: 20 });
    for (const number of [1, 2, 3]) {
      const told = new Promise<void>((resolve) => {
        tell = resolve;
      });
      writeFileSync(file('stripe.yaml'), `text ${number}`);
      await told;
    }
    expect(changes).toBeGreaterThanOrEqual(3);
  });

  test("tells of a ConfigMap's swap, file by file links into a directory that is exchanged", async () => {
    rmSync(rules, { recursive: true });
    mkdirSync(rules);
    for (const version of ['one', 'two']) {
      mkdirSync(file(`..${version}`));
      writeFileSync(file(`..${version}/stripe.yaml`), version);
    }
    symlinkSync('..one', file('..data'));
    symlinkSync('..data/stripe.yaml', file('stripe.yaml'));
    const told = nextChange(options);
    symlinkSync('..two', file('..data_tmp'));
    renameSync(file('..data_tmp'), file('..data'));
    await told;
    expect(readRuleFiles(rules).map(({ text }) => text)).toEqual(['two']);
  });

  test('follows a link to the directory that is set to another release', async () => {
    renameSync(rules, join(root, 'release-1'));
    mkdirSync(join(root, 'release-2'));
    writeFileSync(join(root, 'release-2', 'stripe.yaml'), 'two');
    symlinkSync('release-1', rules);
    let told = nextChange(options);
    symlinkSync('release-2', join(root, 'link'));
    renameSync(join(root, 'link'), rules);
    await told;
    told = nextChange(options);
    writeFileSync(join(root, 'release-2', 'stripe.yaml'), 'three');
    await told;
  });

  test('watches the one file that RULES_DIR may name', async () => {
    rules = join(rules, 'stripe.yaml');
    const told = nextChange(options);
    writeFileSync(rules, 'two');
    await told;
  });
});

describe('the fingerprint', () => {
  test.each([
    ['an editor’s lock', () => symlinkSync('somebody@host', file('.#stripe.yaml'))],
    ['an editor’s copy', () => writeFileSync(file('stripe.yaml~'), 'one')],
    ['a text of another kind', () => writeFileSync(file('README.md'), 'two')],
  ])('does not change with %s, and rules are read beside it', (_name, change) => {
    const before = fingerprintOf(rules);
    change();
    expect(fingerprintOf(rules)).toBe(before);
    expect(readRuleFiles(rules)).toHaveLength(1);
  });

  test('changes with a file of the same text that is younger: it may have been read half', () => {
    const before = fingerprintOf(rules);
    utimesSync(file('stripe.yaml'), new Date(), new Date(Date.now() + 5_000));
    expect(fingerprintOf(rules)).not.toBe(before);
    expect(readFileSync(file('stripe.yaml'), 'utf8')).toBe('one');
  });
});
