// Where the rules are, by a variable or by a file that holds it: the same for the server and for commands.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cli } from '../cli/support.ts';

const EVENT = new URL('../../samples/stripe/invoice.paid-subscription-cycle.json', import.meta.url)
  .pathname;
const MINE = `provider: stripe
subject: =data.object.id
rules:
  - id: mine
    on: invoice.paid
    ignore: These rules are mine.
`;

let folder: string;
let rules: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'keywright-rules-dir-'));
  rules = join(folder, 'of-my-own');
  mkdirSync(join(rules, 'tests'), { recursive: true });
  writeFileSync(join(rules, 'stripe.yaml'), MINE);
  const event = { file: EVENT };
  const cases = [{ name: 'mine', event, expect: { rule: 'mine', status: 'ignored' } }];
  writeFileSync(
    join(rules, 'tests', 'mine.yaml'),
    JSON.stringify({ rules: '../stripe.yaml', cases }),
  );
  writeFileSync(join(folder, 'blank'), '\n');
  writeFileSync(join(folder, 'where'), `${rules}\n`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const COMMANDS: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['check', ['check'], /1 rule file: no findings/],
  ['test', ['test'], /1 case passed/],
  ['dry-run', ['dry-run', '--provider', 'stripe', EVENT], /These rules are mine\./],
];

describe.each(COMMANDS)('keywright %s', (_, args, shown) => {
  test.each(['RULES_DIR', 'RULES_DIR_FILE'])('finds them by %s', async (name) => {
    const env = { [name]: name === 'RULES_DIR' ? rules : join(folder, 'where') };
    const { out, err } = await cli(args, env);
    expect(out + err).toMatch(shown);
  });

  test.each([
    ['both', () => ({ RULES_DIR: rules, RULES_DIR_FILE: join(folder, 'where') }), 'ENV_INVALID'],
    ['a file that is gone', () => ({ RULES_DIR_FILE: join(folder, 'gone') }), 'ENV_FILE'],
    ['a blank file', () => ({ RULES_DIR_FILE: join(folder, 'blank') }), 'ENV_BLANK'],
    ['a blank value', () => ({ RULES_DIR: ' ' }), 'ENV_BLANK'],
  ])('refuses %s', async (_name, env, code) => {
    const { code: exit, err } = await cli(args, env());
    expect(exit).toBe(2);
    expect(err).toContain(`[${code}]`);
  });
});
