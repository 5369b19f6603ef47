// The commands that need no journal: exit codes, help, what stands on which stream.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { cli } from './support.ts';

const directory = mkdtempSync(join(tmpdir(), 'keywright-commands-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const file = (name: string, text: string): string => {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
};
const env = { CRYPTLEX_PRODUCT_ID: 'p1' };
const sample = (name: string) => `samples/stripe/${name}.json`;
const dryRun = (...args: string[]) => cli(['dry-run', '--provider', 'stripe', ...args], env);

const NAMES = ['serve', 'check', 'dry-run', 'events', 'why', 'sandbox', 'demo', 'explain'];

test.each(NAMES)('%s --help has an example, on stdout, and ends with 0', async (name) => {
  const { code, out, err } = await cli([name, '--help']);
  expect([code, err]).toEqual([0, '']);
  expect(out).toContain(`keywright ${name}`);
  expect(out).toContain('Example:');
});

test.each([
  [[], 2],
  [['--help'], 0],
  [['-h'], 0],
  [['help'], 0],
])('%j shows all commands and ends with %i', async (args, wanted) => {
  const { code, out } = await cli(args);
  expect(code).toBe(wanted);
  for (const name of NAMES) expect(out).toContain(`  ${name}`);
});

test.each([
  ['evnts', 'events'],
  ['toString', undefined],
  ['--version', undefined],
])('an unknown command, %s, ends with 2', async (name, meant) => {
  const { code, out, err } = await cli([name]);
  expect([code, out]).toEqual([2, '']);
  expect(err).toContain(`there is no command "${name}"`);
  if (meant !== undefined) expect(err).toContain(`"${meant}"`);
});

describe('explain', () => {
  test('tells what a code means, whatever its case', async () => {
    const { code, out } = await cli(['explain', 'event_unknown']);
    expect(code).toBe(0);
    expect(out).toContain('EVENT_UNKNOWN');
    const json = JSON.parse((await cli(['explain', 'EVENT_UNKNOWN', '--json'])).out) as object;
    expect(json).toMatchObject({ code: 'EVENT_UNKNOWN', retryable: false });
  });

  test.each([[[]], [['EVENT_UNKNOWNN']], [['constructor']], [['A', 'B']]])(
    '%j ends with 2',
    async (args) => {
      const { code, out, err } = await cli(['explain', ...args]);
      expect([code, out]).toEqual([2, '']);
      expect(err).toContain('[USAGE]');
    },
  );
});

describe('check', () => {
  test('of the shipped rules has no findings', async () => {
    const { code, out, err } = await cli(['check']);
    expect([code, out, err]).toEqual([0, '', '3 rule files: no findings\n']);
  });

  test('of rules with mistakes ends with 1: each with its place on stdout, or as JSON', async () => {
    const bad = 'test/bad-rules/several-mistakes.yaml';
    const { code, out } = await cli(['check', bad]);
    expect(code).toBe(1);
    const json = await cli(['check', bad, '--json']);
    expect(json.code).toBe(1);
    const findings = JSON.parse(json.out) as { line: number; code: string }[];
    expect(findings.length).toBeGreaterThan(1);
    for (const finding of findings) {
      expect(out).toContain(`${bad}:${finding.line}:`);
      expect(out).toContain(`[${finding.code}]`);
    }
  });

  test.each([
    ['a file that is not there', ['nowhere.yaml']],
    ['an option that is none', ['--wat']],
  ])('%s ends with 2', async (_, args) => {
    expect(await cli(['check', ...args])).toMatchObject({ code: 2, out: '' });
  });
});

describe('dry-run', () => {
  test('of an event that is licensed ends with 0 and gives the contract’s JSON', async () => {
    const { code, out } = await dryRun(sample('invoice.paid-subscription-create'), '--json');
    expect(code).toBe(0);
    const [one] = JSON.parse(out) as Record<string, unknown>[];
    expect(Object.keys(one ?? {})).toEqual(
      expect.arrayContaining(['event', 'outcome', 'rule', 'trace', 'plan', 'requests', 'errors']),
    );
    expect(one).toMatchObject({ outcome: 'matched', errors: [] });
    expect(one).not.toHaveProperty('refused');
  });

  test('of an event that would be refused ends with 1', async () => {
    expect((await dryRun(sample('invoice.paid-no-email'))).code).toBe(1);
  });

  test('says which variables are not set', async () => {
    const args = ['dry-run', '--provider', 'stripe', sample('invoice.paid-subscription-create')];
    const { code, err } = await cli(args, {});
    expect(code).toBe(0);
    expect(err).toContain('CRYPTLEX_PRODUCT_ID is not set');
  });

  test('is coloured for a person only', async () => {
    const args = ['dry-run', '--provider', 'stripe', sample('invoice.paid-subscription-create')];
    expect((await cli(args, env, { isTty: true })).out).toContain('\u001b[');
    expect((await cli(args, env)).out).not.toContain('\u001b[');
  });

  test('with rules that have errors ends with 1 and tells them', async () => {
    const rules = file('stripe.yaml', 'provider: stripe\nrules: nothing\n');
    const { code, out, err } = await dryRun(sample('invoice.created'), '--rules', rules);
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain(`${rules}:2:`);
  });

  test('starts from the state that is given', async () => {
    const given = file(
      'given.yaml',
      'licenses:\n  - metadata: { stripe_subscription_id: sub_114uSCN0rTh7LghtB3w7AGHU }\n    subscriptionInterval: P1M\n    expiresAt: 2026-12-01T00:00:00Z\n',
    );
    const renewal = sample('invoice.paid-subscription-cycle');
    const { code, out } = await dryRun(renewal, '--given', given);
    expect(code).toBe(0);
    expect(out).toContain('2026-12-01T00:00:00.000Z');
    expect(out).not.toContain('assumed');
    expect((await dryRun(renewal)).out).toContain('assumed to exist');
  });

  const wrong: readonly (readonly [string, readonly string[]])[] = [
    ['no file', []],
    ['two files', ['a.json', 'b.json']],
    ['a file that is not there', ['nowhere.json']],
    ['a file that is no JSON', [file('text.json', 'hello')]],
    ['a list', [file('list.json', '[]')]],
    ['a state that is not there', [sample('invoice.created'), '--given', 'nowhere.yaml']],
    ['rules that are not there', [sample('invoice.created'), '--rules', 'nowhere']],
    ['rules of another provider', [sample('invoice.created'), '--rules', 'rules/paddle.yaml']],
    ['an option that is none', [sample('invoice.created'), '--wat']],
  ];
  test.each(wrong)('%s ends with 2', async (_, args) => {
    const { code, out, err } = await dryRun(...args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/^error: .+ \[[A-Z_]+\]\n += hint: .+\n$/);
  });

  test.each([[[]], [['--provider', 'toString']], [['--provider', 'Stripe']]])(
    'without a provider that is one (%j) ends with 2',
    async (args) => {
      expect((await cli(['dry-run', ...args, sample('invoice.created')], env)).code).toBe(2);
    },
  );
});

test('serve takes no arguments', async () => {
  expect(await cli(['serve', 'now'], env)).toMatchObject({ code: 2, out: '' });
});
