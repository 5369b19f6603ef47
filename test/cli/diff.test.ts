// keywright diff: the journal beside a running server, files and the history of git, and when it ends with 1.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newSqlite } from '../call-budget/support.ts';
import { type Keywright, PRODUCT_ID, startKeywright } from '../support/keywright.ts';
import { cli } from './support.ts';

const SHIPPED = fileURLToPath(new URL('../../rules', import.meta.url));
const SAMPLES = fileURLToPath(new URL('../../samples', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'keywright-diff-'));
const env = { DATABASE_URL: newSqlite(), CRYPTLEX_PRODUCT_ID: PRODUCT_ID };
let keywright: Keywright;

/** A copy of the shipped rules with edits of one file. */
function edited(
  name: string,
  file: string,
  ...edits: readonly (readonly [string, string])[]
): string {
  const path = join(folder, name);
  cpSync(SHIPPED, path, { recursive: true });
  const text = edits.reduce(
    (before, [from, to]) => {
      if (!before.includes(from)) throw new Error(`${file} has no ${from}`);
      return before.replace(from, to);
    },
    readFileSync(join(path, file), 'utf8'),
  );
  writeFileSync(join(path, file), text);
  return path;
}

const diff = (...args: readonly string[]) => cli(['diff', ...args], env);
const overSamples = (after: string, ...more: readonly string[]) =>
  diff(SHIPPED, after, '--events', SAMPLES, ...more);

beforeAll(async () => {
  keywright = await startKeywright({ env: { DATABASE_URL: env.DATABASE_URL } });
  for (const sample of [
    'order.completed',
    'subscription.charge.completed',
    'subscription.payment.overdue',
  ]) {
    await keywright.sendSample('fastspring', sample);
  }
  await keywright.sendSample('stripe', 'invoice.created');
});
afterAll(async () => {
  await keywright.close();
  rmSync(folder, { recursive: true, force: true });
});

const NO_RENEWAL = ['when: { data.status: successful }', 'when: { data.status: paid }'] as const;

describe('the journal', () => {
  test('is compared while the server works on it', async () => {
    const after = edited('journal', 'fastspring.yaml', NO_RENEWAL);
    const { code, out } = await diff(SHIPPED, after);
    expect(code).toBe(1);
    expect(out).toMatch(/\n4 events from 2026-11-03 to 2027-01-\d\d: 1 is handled otherwise\.\n/);
    expect(out).toMatch(
      /\nfastspring charge-completed\n {2}! -1 license\.renew +1 event {2}L5OIZMEZYZ7KFF46ZV2NYYTIXPK3ES\n {6}a payment does not renew any more\n/,
    );
    expect(out).toMatch(/\n1 change marked "!": customers or sales may lose something\.\n$/);
    expect((await diff(SHIPPED, SHIPPED)).code).toBe(0);
  });

  test('is read from a moment on', async () => {
    expect((await diff(SHIPPED, SHIPPED, '--since', '1h')).out).toMatch(/\n4 events/);
    const { code, err } = await diff(SHIPPED, SHIPPED, '--since', '2100-01-01');
    expect(code).toBe(2);
    expect(err).toContain('there is no event to compare [INPUT_UNREADABLE]');
  });

  test('tells how many payloads were erased', async () => {
    const own = newSqlite();
    const server = await startKeywright({ env: { DATABASE_URL: own }, providers: ['stripe'] });
    try {
      await server.sendSample('stripe', 'invoice.created');
      await server.server.archive.erase(Date.now() + 60_000);
      await server.sendSample('stripe', 'customer.created');
    } finally {
      await server.close();
    }
    const { out } = await cli(['diff', SHIPPED, SHIPPED], { ...env, DATABASE_URL: own });
    expect(out).toMatch(
      /: all are handled alike\.\n1 event not compared, the payload was erased\.\n$/,
    );
  });
});

describe('the shipped rules and all samples', () => {
  test('are handled alike by the same rules; what is no event is named', async () => {
    const { code, out } = await overSamples(SHIPPED);
    expect(code).toBe(0);
    expect(out).toMatch(/\n\d+ events from 2026-[\d-]+ to 2028-[\d-]+: all are handled alike\.\n/);
    expect(out).toMatch(/1 event not compared, unreadable: .*thin\.json \(.*thin events.*\)\.\n$/);
  });

  test('a revoke that is added is marked, more licenses are not', async () => {
    const revoke = edited('revoke', 'paddle.yaml', [
      'default: off\n    about: Licenses of a subscription that has ended.',
      'default: revoke\n    about: Licenses of a subscription that has ended.',
    ]);
    const found = await overSamples(revoke, '--json');
    expect(found.code).toBe(1);
    expect(JSON.parse(found.out).changes).toEqual([
      expect.objectContaining({
        rule: 'canceled',
        kind: 'step',
        text: 'license.revoke',
        steps: 1,
        events: 1,
        danger: 'licenses are revoked that were not',
      }),
      expect.objectContaining({
        rule: 'canceled',
        kind: 'outcome',
        text: 'unmatched (400) → matched',
        danger: null,
      }),
    ]);
    const skip = edited('skip', 'fastspring.yaml', ['default: reject', 'default: skip']);
    const more = await overSamples(skip);
    expect(more.code).toBe(0);
    expect(more.out).toMatch(/\+\d+ license\.create/);
    expect((await overSamples(skip, '--strict')).code).toBe(1);
  });

  test('intervals are grouped by what they were and are', async () => {
    const after = edited('interval', 'paddle.yaml', [
      '=$interval($price.billing_cycle.frequency, $price.billing_cycle.interval)',
      'P1Y',
    ]);
    const { code, out } = await overSamples(after);
    expect(code).toBe(0);
    expect(out).toMatch(
      /paddle purchase\/recurring\n {4}license\.create subscriptionInterval: P1M → P1Y +\d+ events/,
    );
  });

  test('settings of a file are told', async () => {
    const after = edited('settings', 'stripe.yaml', ['mode: any ', 'maxDelete: 500\nmode: any ']);
    const { code, out } = await overSamples(after);
    expect(code).toBe(1);
    expect(out).toContain(
      'stripe, settings\n  ! maxDelete: 100 → 500\n      one event may delete more licenses\n',
    );
  });

  test('as Markdown fit a pull request', async () => {
    const after = edited('markdown', 'fastspring.yaml', NO_RENEWAL);
    const { out } = await overSamples(after, '--markdown', '--limit', '1');
    expect(out).toContain('| | rule | change | events | for example |\n|---|---|---|--:|---|\n');
    expect(out).toMatch(
      /\n\| ❗ \| `fastspring charge-completed` \| -2 license\.renew: a payment does not renew any more \| 2 \| `\w+` \|\n/,
    );
  });

  test('never show what is a buyer’s own', async () => {
    const after = edited('private', 'stripe.yaml', [
      'email: =data.object.customer_email',
      'email: ="x" & data.object.customer_email',
    ]);
    for (const format of [[], ['--json'], ['--markdown']]) {
      const { out } = await overSamples(after, ...format);
      expect(out).toContain('another value');
      expect(out).not.toMatch(/@example|Ingrid|Sofia/);
    }
  });
});

describe('versions', () => {
  test('two files of any name, over the events of their provider', async () => {
    const [before, after] = [join(folder, 'before.yaml'), join(folder, 'after.yaml')];
    const text = readFileSync(join(SHIPPED, 'fastspring.yaml'), 'utf8');
    writeFileSync(before, text);
    writeFileSync(after, text.replace(...NO_RENEWAL));
    const { code, out } = await diff(before, after, '--events', SAMPLES, '--json');
    expect(code).toBe(1);
    const { changes } = JSON.parse(out);
    expect(changes[0]).toMatchObject({
      rule: 'charge-completed',
      text: 'license.renew',
      events: 2,
    });
    expect(changes.every(({ source }: { source: string }) => source === 'fastspring')).toBe(true);
  });

  test('a revision of git, with the catalog beside it', async () => {
    const repository = join(folder, 'repository');
    mkdirSync(join(repository, 'rules'), { recursive: true });
    const git = (...args: readonly string[]) =>
      execFileSync(
        'git',
        ['-C', repository, '-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args],
        { stdio: 'ignore' },
      );
    const write = (interval: string) => {
      writeFileSync(
        join(repository, 'rules', 'prices.csv'),
        `key,productId,subscriptionInterval\nprice_19rXffN0rTh7Lghth5xXQ4xM,p1,${interval}\n`,
      );
    };
    const text = readFileSync(join(SHIPPED, 'stripe.yaml'), 'utf8').replace(
      'catalog: {}',
      'catalogFile: prices.csv',
    );
    git('init', '-q');
    writeFileSync(join(repository, 'rules', 'stripe.yaml'), text);
    write('P1Y');
    git('add', '.');
    git('commit', '-qm', 'x');
    write('P1M');
    const from = process.cwd();
    process.chdir(repository);
    try {
      const { code, out } = await diff('git:HEAD:rules', 'rules', '--events', SAMPLES);
      expect(out).toMatch(/! license\.create subscriptionInterval: P1Y → P1M +\d+ events?/);
      expect(code).toBe(1);
      const gone = await diff('git:nowhere:rules', 'rules', '--events', SAMPLES);
      expect([gone.code, gone.err]).toEqual([
        2,
        expect.stringContaining('git:nowhere:rules cannot be read'),
      ]);
      const option = await diff('git:--output=x:rules', 'rules', '--events', SAMPLES);
      expect(option.err).toContain('is not written like git:main:rules');
    } finally {
      process.chdir(from);
    }
  });

  test('with errors are told with their places, of both', async () => {
    const one = edited('bad-one', 'stripe.yaml', ['rules:', 'rulez:']);
    const two = edited('bad-two', 'paddle.yaml', ['license.suspend:', 'license.suspnd:']);
    const { code, out, err } = await diff(one, two, '--events', SAMPLES);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('did you mean "rules"?');
    expect(err).toContain('did you mean "license.suspend"?');
  });

  test.each([
    ['one version', [SHIPPED], 'diff takes two versions'],
    ['three', [SHIPPED, SHIPPED, SHIPPED], 'diff takes two versions'],
    ['a folder that is not there', [SHIPPED, 'gone'], 'gone cannot be read (ENOENT)'],
    [
      'events that are not there',
      [SHIPPED, SHIPPED, '--events', 'gone'],
      'gone cannot be read (ENOENT)',
    ],
    [
      'both sources of events',
      [SHIPPED, SHIPPED, '--events', 'x', '--since', '1d'],
      'choose it or --events',
    ],
    ['a moment that is none', [SHIPPED, SHIPPED, '--since', 'soon'], '--since takes 24h'],
    ['both formats', [SHIPPED, SHIPPED, '--json', '--markdown'], 'choose --json or --markdown'],
    ['a limit that is none', [SHIPPED, SHIPPED, '--limit', '-1x'], '--limit'],
  ])('wrong usage: %s', async (_, args, told) => {
    const { code, err } = await diff(...args);
    expect(code).toBe(2);
    expect(err).toContain(told);
  });
});
