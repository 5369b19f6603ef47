// What keywright dry-run shows a person: what is folded, where each value comes from, what is given, colours.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { cli, type Shown } from './support.ts';

const directory = mkdtempSync(join(tmpdir(), 'keywright-dry-run-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const file = (name: string, text: string): string => {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
};
const dryRun = (provider: string, sample: string, ...args: string[]): Promise<Shown> => {
  const path = sample.includes('/') ? sample : `samples/${provider}/${sample}.json`;
  return cli(['dry-run', '--provider', provider, path, ...args], { CRYPTLEX_PRODUCT_ID: 'p1' });
};

/** A cart of as many items of the sample's kind. */
function cart(count: number): string {
  const body = JSON.parse(readFileSync('samples/fastspring/order.completed-one-time.json', 'utf8'));
  const [event] = body.events;
  const [item] = event.data.items;
  event.data.items = Array.from({ length: count }, (_, index) => ({
    ...item,
    product: `product-${index + 1}`,
  }));
  return file(`cart-${count}.json`, JSON.stringify(body));
}

describe('the rules', () => {
  test('that did not fit take a line each, with the first condition that failed', async () => {
    const { out } = await dryRun('stripe', 'invoice.paid-subscription-cycle');
    expect(out).toContain(
      '  ✗ subscription-started: data.object.billing_reason: expected "subscription_create", is "subscription_cycle"\n',
    );
    expect(out).toContain('      ✓ data.object.status: expected "paid", is "paid"\n');
    expect(out).toContain('  · not asked, since the rule subscription-renewed came first: other-');
    expect(out).toMatch(/· not for invoice\.paid: \d+ other rules \(--all shows them\)/);
    expect(out).not.toContain('checkout-paid');
  });

  test.each(['--all', '--verbose'])('are all shown in full with %s', async (option) => {
    const { out } = await dryRun('stripe', 'invoice.paid-subscription-cycle', option);
    expect(out).toContain('✗ checkout-paid is for checkout.session.completed');
    expect(out).toContain('✗ other-invoice not asked: the rule subscription-renewed came first');
    expect(out).not.toContain('--all');
  });

  test('of a cart take no more room for fifty items than for two', async () => {
    const two = await dryRun('fastspring', cart(2));
    const fifty = await dryRun('fastspring', cart(50));
    const rulesOf = ({ out }: Shown): string =>
      out.split('\nNames\n')[0]?.split('Rules\n')[1] ?? '';
    expect(rulesOf(two)).toContain('item product-1');
    expect(rulesOf(two)).toContain('the same for 1 more item: product-2');
    expect(rulesOf(fifty)).toContain('the same for 49 more items: product-2, ');
    expect(rulesOf(fifty)).toContain(' and 44 more');
    expect(rulesOf(fifty).split('\n')).toHaveLength(rulesOf(two).split('\n').length);
    const all = await dryRun('fastspring', cart(50), '--all');
    expect(all.out).toContain('order-completed/one-time [product-37]');
  });

  test('of a cart show why an item was refused, and the problem first', async () => {
    const { code, out } = await dryRun('fastspring', 'order.completed-mixed-cart');
    expect(code).toBe(1);
    expect(out.indexOf('\nProblems\n')).toBeLessThan(out.indexOf('\nRules\n'));
    expect(out).toMatch(
      /item northlight-tshirt\n +· 3 rules before it did not fit \(--all shows why\)\n +✓ unlicensed-item/,
    );
  });

  const RULES = `
provider: paddle
subject: =data.id
rules:
  - id: large
    on: subscription.paused
    when: =data.items[0].quantity > 5 and data.status = "paused"
    ignore: Large.
  - id: small
    on: subscription.paused
    when: =data.status = "paused" and $exists(data.items)
    ignore: Small.
`;
  test('that ask by a formula show what each part of it was', async () => {
    const rules = file('paddle.yaml', RULES);
    const { out } = await dryRun('paddle', 'subscription.paused', '--rules', rules);
    expect(out).toContain(
      '  ✗ large: =data.items[0].quantity > 5 and data.status = "paused": expected true, is false\n',
    );
    expect(out).toMatch(/^ +data\.items\[0\]\.quantity > 5 +is false$/m);
    expect(out).toMatch(/^ +data\.items\[0\]\.quantity +is 1$/m);
    // What was not asked any more is not told.
    const large = out.slice(out.indexOf('✗ large'), out.indexOf('✓ small'));
    expect(large).not.toMatch(/^ +data\.status +is/m);
    expect(out).toMatch(/^ +data\.status +is "paused"$/m);
    const json = JSON.parse(
      (await dryRun('paddle', 'subscription.paused', '--rules', rules, '--json')).out,
    );
    expect(json[0].trace[0].conditions[0]).toEqual({
      path: '=data.items[0].quantity > 5 and data.status = "paused"',
      expected: true,
      actual: false,
      ok: false,
      parts: [
        { formula: 'data.items[0].quantity > 5', actual: false },
        { formula: 'data.items[0].quantity', actual: 1 },
      ],
    });
  });
});

describe('values', () => {
  test('stand beside the formula that they come from', async () => {
    const { out } = await dryRun('fastspring', 'order.completed');
    expect(out).toMatch(/ {7}email: taro\.yamada@example\.org +← =data\.customer\.email\n/);
    expect(out).toMatch(
      / {9}fastspring_subscription_id: DTQV\w+ +← =\$id\(\$item\.subscription\)\n/,
    );
    expect(out).toMatch(/ {7}productId: a9197f4a-\S+ +← =\$sold\n/);
    expect(out).toMatch(/ {7}once for: \S+ +← =data\.id\n/);
    expect(out).toContain('  $sold [northlight-pro-monthly] is {"productId":"a9197f4a');
    expect(out).toMatch(/ {6}from =\$if\(\$attributes\.cryptlex_product_id, \$byAttributes, /);
  });

  test('are in the JSON, with the place of the formula', async () => {
    const [one] = JSON.parse((await dryRun('fastspring', 'order.completed', '--json')).out);
    expect(one.values).toContainEqual({
      step: 0,
      field: 'email',
      value: 'taro.yamada@example.org',
      expression: '=data.customer.email',
      location: expect.stringMatching(/^rules\/fastspring\.yaml:\d+:\d+$/),
    });
    expect(one.names).toContainEqual(
      expect.objectContaining({
        name: '$mapping',
        actual: 'total_licenses',
      }),
    );
  });
});

describe('requests', () => {
  test('are shown with method, path, query and body, and no password', async () => {
    const { out } = await dryRun('fastspring', 'order.completed');
    expect(out).toContain(
      '  GET    /v3/users?email[eq]=taro.yamada@example.org&page=1&limit=100\n',
    );
    expect(out).toContain('  POST   /v3/users\n           email: taro.yamada@example.org\n');
    expect(out).toContain('password: <secret>');
    expect(out).not.toContain('sandbox-token');
  });
});

describe('before and after', () => {
  const table = (out: string): string => out.split('\nBefore and after\n')[1] ?? '';

  test.each<[string, string, string, RegExp]>([
    ['a sale', 'fastspring', 'order.completed', /license \S+ +productId +– +a9197f4a/],
    [
      'a renewal',
      'stripe',
      'invoice.paid-subscription-cycle',
      /license \S+ +expiresAt +2026-\S+ +202[67]-/,
    ],
    [
      'an overdue payment',
      'fastspring',
      'subscription.payment.overdue',
      /license \S+ +suspended +false +true/,
    ],
    ['an end', 'fastspring', 'subscription.deactivated', /license \S+ +all of it +there +deleted/],
    ['a customer', 'stripe', 'customer.created', /user \S+ +email +– +\S+@/],
  ])('of %s', async (_, provider, sample, wanted) => {
    expect(table((await dryRun(provider, sample)).out)).toMatch(wanted);
  });

  test('tells a license that stays as it is', async () => {
    const given = file(
      'others.yaml',
      'licenses:\n  - metadata: { paddle_subscription_id: another }\n',
    );
    const { code, out } = await dryRun('paddle', 'subscription.paused', '--given', given);
    expect(table(out)).toMatch(/license \S+ +nothing changes/);
    // It waits for the purchase, which is no 4xx.
    expect(code).toBe(0);
    expect(out).toContain('would be kept, and wait for such a license');
  });
});

describe('--given', () => {
  test('takes users, licenses, templates and products', async () => {
    const given = file(
      'all.yaml',
      `users: [{ id: u1, email: taro.yamada@example.org, firstName: Taro }]
products: [{ id: a9197f4a-49e0-48a8-b8cc-365e12442b7a, licenseTemplateId: t1 }]
licenseTemplates: [{ id: 04ba627c-d8f2-4100-94e9-513cab4c05c3, allowedActivations: 7 }]
licenses: []
`,
    );
    const { code, out } = await dryRun('fastspring', 'order.completed', '--given', given);
    expect(code).toBe(0);
    expect(out).not.toContain('POST   /v3/users');
    expect(out).toMatch(/allowedActivations +– +7/);
    expect(out).not.toContain('assumed');
  });

  test.each<[string, string, string[]]>([
    [
      'a misspelt list',
      'licences: []',
      [
        ':1:1: error: the file has no field "licences"; did you mean "licenses"? [RULE_UNKNOWN_FIELD]',
      ],
    ],
    [
      'a misspelt member',
      'licenses:\n  - expiresAtt: 2026-01-01',
      [':2:5: error: a license has no field "expiresAtt"; did you mean "expiresAt"?'],
    ],
    [
      'a date that is none',
      'licenses:\n  - expiresAt: soon',
      [':2:16: error: "expiresAt" must be a date like 2026-05-01T00:00:00Z'],
    ],
    [
      'an interval that is none',
      'licenses:\n  - subscriptionInterval: 1 month',
      ['"subscriptionInterval" must be an ISO 8601 interval like P1M or P1Y, or ""'],
    ],
    [
      'a text for a truth',
      'licenses:\n  - suspended: "yes"',
      [':2:16: error: "suspended" must be true or false'],
    ],
    [
      'several mistakes at once',
      'users:\n  - mail: a@b.c\nlicenses:\n  - suspended: 1\n',
      [':2:5:', ':4:16:'],
    ],
    ['a list', '- 1', [':1:1: error: the file must be a map']],
    ['broken YAML', 'licenses: [', ['[YAML_SYNTAX]']],
    [
      'a number as an id',
      'licenses:\n  - productId: 12',
      ['must be a text', 'hint: Put it in quotes: "12".'],
    ],
  ])('with %s is refused at its place', async (_, text, wanted) => {
    const given = file('wrong.yaml', `${text}\n`);
    const { code, out, err } = await dryRun('stripe', 'invoice.created', '--given', given);
    expect([code, out]).toEqual([2, '']);
    for (const piece of wanted) expect(err).toContain(piece);
    expect(err).toContain(given);
    expect(err).toContain('^');
  });

  test('that contradicts itself is refused', async () => {
    const given = file('twice.yaml', 'users: [{ email: a@b.de }, { email: A@b.de }]\n');
    const { code, err } = await dryRun(
      'stripe',
      'invoice.paid-subscription-cycle',
      '--given',
      given,
    );
    expect([code, err]).toEqual([2, expect.stringContaining('two users are given the e-mail')]);
  });
});

describe('the event', () => {
  test('may be a batch: each of its events is told', async () => {
    const { out } = await dryRun('fastspring', 'batch-two-orders', '--json');
    expect(JSON.parse(out)).toHaveLength(2);
    const text = (await dryRun('fastspring', 'batch-two-orders')).out;
    expect(text.match(/^fastspring order\.completed /gm)).toHaveLength(2);
  });

  test('may be one event of a batch, and come from standard input', () => {
    const body = JSON.parse(readFileSync('samples/fastspring/order.completed.json', 'utf8'));
    const out = execFileSync(
      process.execPath,
      ['src/cli.ts', 'dry-run', '--provider', 'fastspring', '-', '--json'],
      { input: JSON.stringify(body.events[0]), encoding: 'utf8' },
    );
    expect(JSON.parse(out)).toMatchObject([
      { outcome: 'matched', rule: { id: 'order-completed' } },
    ]);
  });
});

describe('colours', () => {
  const args = ['dry-run', '--provider', 'paddle', 'samples/paddle/subscription.paused.json'];
  test.each<[string, Record<string, string>, boolean, boolean]>([
    ['on a terminal', {}, true, true],
    ['not in a pipe', {}, false, false],
    ['not where NO_COLOR is set', { NO_COLOR: '1' }, true, false],
    ['where NO_COLOR is empty', { NO_COLOR: '' }, true, true],
    ['not on a terminal that knows none', { TERM: 'dumb' }, true, false],
  ])('%s', async (_, env, isTty, wanted) => {
    const { out } = await cli(args, env, { isTty });
    expect(out.includes('\u001b[')).toBe(wanted);
    const plain = (await cli(args, {})).out;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
    expect(out.replaceAll(/\u001b\[\d+m/g, '')).toBe(plain);
  });
});
