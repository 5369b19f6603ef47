// keywright test: the shipped rules are tested whole, a failure says where and what, and nothing that went
// wrong passes for a success.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { workAndWatch } from '../../src/cli/input/watch.ts';
import { percentOf } from '../../src/engine/cases/coverage.ts';
import { cli } from './support.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keywright-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const RULES = `provider: stripe
subject: =data.object.id
rules:
  - id: big
    on: charge.refunded
    when: { data.object.amount: { gt: 1000 } }
    ignore: A big one.
  - id: small
    on: charge.refunded
    ignore: A small one.
`;

/** A rules folder with these tests; gives the path of the test file. */
function write(tests: string, rules: string = RULES): string {
  mkdirSync(join(folder, 'rules/tests'), { recursive: true });
  writeFileSync(join(folder, 'rules/stripe.yaml'), rules);
  const file = join(folder, 'rules/tests/stripe.yaml');
  writeFileSync(file, tests);
  return file;
}

const refund = (name: string, amount: number, rule: string): string =>
  `- name: ${name}
  event: { sample: stripe/charge.refunded, set: { data.object.amount: ${amount} } }
  expect: { rule: ${rule} }
`;
const withoutFolder = (text: string): string =>
  text.replaceAll(`${folder}/`, '').replaceAll(/\S*\/(?=rules\/)/g, '');

describe('the shipped rules', () => {
  test('pass their tests, and those show every rule and every condition', async () => {
    const { code, out, err } = await cli(['test', '--min-coverage', '100']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(
      /^Covered: rules (\d+) of \1 \(100 %\), conditions (\d+) of \2 \(100 %\)\./,
    );
  });

  test.each(readdirSync('rules/tests'))(
    '%s opens with the line by which editors know its schema',
    (name) => {
      const [first] = readFileSync(join('rules/tests', name), 'utf8').split('\n');
      expect(first).toBe('# yaml-language-server: $schema=../../schema/tests.schema.json');
    },
  );

  test.each<[string, string, RegExp, string]>([
    [
      'stripe',
      'a renewal for another reason',
      /billing_reason: subscription_cycle(?=\n {4}once)/,
      'billing_reason: manual',
    ],
    [
      'stripe',
      'a suspended license that stays so',
      /whenSuspended: \{ resume: true \}/,
      'whenSuspended: { resume: false }',
    ],
    ['stripe', 'an invoice that is open', / +data\.object\.status: paid\n/, ''],
    [
      'fastspring',
      'a charge that is not asked about',
      /when: \{ data\.status: successful \}/,
      'when: { data.status: { exists: true } }',
    ],
    [
      'fastspring',
      'the wrong place of the subscription',
      /fastspring_subscription_id: =\$item\.parentSubscription/,
      'fastspring_subscription_id: =data.id',
    ],
    [
      'fastspring',
      'seats as licenses',
      /\$if\(\$mapping = "allowed_activations", 1, \$quantity\)/,
      '$quantity',
    ],
    [
      'fastspring',
      'a bundle that is licensed itself',
      /cryptlex_is_bundle: "true"/,
      'cryptlex_is_bundle: "yes"',
    ],
    [
      'paddle',
      'a paused license that is renewed only',
      /, expiresAt: =data\.billing_period\.ends_at \}/,
      ' }',
    ],
    [
      'paddle',
      'the customer under another key',
      /paddle_customer_id: =data\.id/,
      'paddle_customer: =data.id',
    ],
    ['paddle', 'an interval in months for all', /=\$interval\(.*\)/, '"P1M"'],
  ])('%s: %s is noticed', async (provider, _name, from, to) => {
    const shipped = readFileSync(join('rules', `${provider}.yaml`), 'utf8');
    const changed = shipped.replace(from, to);
    expect(changed).not.toBe(shipped);
    mkdirSync(join(folder, 'tests'));
    writeFileSync(join(folder, `${provider}.yaml`), changed);
    const tests = join(folder, 'tests', `${provider}.yaml`);
    writeFileSync(tests, readFileSync(join('rules/tests', `${provider}.yaml`), 'utf8'));
    const { code, out, err } = await cli(['test', tests]);
    expect({ code, err }).toEqual({ code: 1, err: '' });
    expect(out).toContain('✗');
  });
});

describe('a failure', () => {
  test('says where, what was expected, what was seen, and how the rules were asked', async () => {
    const file = write(refund('a small refund', 500, 'big'));
    const { code, out } = await cli(['test', file]);
    expect(code).toBe(1);
    expect(withoutFolder(out)).toBe(`✗ a small refund (rules/tests/stripe.yaml:1)
  2026-11-16T11:15:00Z: stripe charge.refunded evt_150cxWN0rTh7LghtThv7NaDG
    rules/tests/stripe.yaml:3:19: rule
      - expected: big
      + seen:     small
    what was told: A small one.
    the rules, as they were asked:
      ✗ big: data.object.amount: expected more than 1000, is 500
      ✓ small

0 cases passed, 1 failed.
`);
  });

  test('of one case does not keep the others from running', async () => {
    const file = write(refund('a', 500, 'big') + refund('b', 500, 'small'));
    const { code, out } = await cli(['test', file]);
    expect(code).toBe(1);
    expect(out).toContain('1 case passed, 1 failed.');
  });

  test('is told to programs', async () => {
    const file = write(refund('a', 500, 'big'));
    const { code, out } = await cli(['test', file, '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({
      passed: 0,
      failed: 1,
      cases: [
        {
          name: 'a',
          line: 1,
          status: 'failed',
          failures: [{ what: 'rule', kind: 'differs', expected: 'big', seen: 'small', step: 1 }],
        },
      ],
    });
  });

  test('is told to CI servers', async () => {
    const file = write(refund('a <&"> b', 500, 'big') + refund('c', 500, 'small'));
    const junit = join(folder, 'junit.xml');
    expect((await cli(['test', file, '--junit', junit])).code).toBe(1);
    const xml = readFileSync(junit, 'utf8');
    expect(xml).toContain('tests="2" failures="1" errors="0"');
    expect(xml).toContain('name="a &lt;&amp;&quot;&gt; b"');
    expect(xml).toContain('<failure message="rule differs">');
    expect(xml.match(/<testcase /g)).toHaveLength(2);
    expect(xml.match(/<\/?test(?:suites|suite|case)\b[^>]*>/g)?.length).toBe(7);
  });
});

describe('a run that shows nothing is no success', () => {
  test.each<[string, () => string[], number, string]>([
    ['no file', () => [join(folder, 'empty')], 1, 'there are no test files'],
    ['a path that is not there', () => [join(folder, 'nowhere')], 2, 'TEST_UNREADABLE'],
    [
      'a pattern that fits no name',
      () => [write(refund('a', 1, 'small')), '--run', 'zzz'],
      1,
      'no case has "zzz" in its name',
    ],
    ['an empty file', () => [write('')], 2, 'the file is empty'],
    ['a file that is no YAML', () => [write('- [')], 2, 'YAML_SYNTAX'],
    [
      'rules with an error',
      () => [write(refund('a', 1, 'small'), RULES.replace('big', 'Big!'))],
      2,
      'rules/stripe.yaml:4:9',
    ],
    [
      'rules that are not there',
      () => {
        const file = write(refund('a', 1, 'small'));
        rmSync(join(folder, 'rules/stripe.yaml'));
        return [file, '--rules', join(folder, 'elsewhere')];
      },
      2,
      'RULES_UNREADABLE',
    ],
    [
      'settings that make the rules wrong',
      () => [
        write(refund('a', 1, 'small').replace('  expect', '  settings: { mode: odd }\n  expect')),
      ],
      2,
      '"odd" is none of live, test, any',
    ],
    [
      'a state that cannot be',
      () => [
        write(
          refund('a', 1, 'small').replace(
            '  expect',
            '  given: { licenses: [{ expiresAt: soon }] }\n  expect',
          ),
        ),
      ],
      2,
      'expiresAt of a given license is no date: soon',
    ],
    [
      'a license to change that is not there',
      () => [
        write(
          refund('a', 1, 'small').replace(
            '  expect',
            '  byHand: [{ license: { key: k }, set: { suspended: true } }]\n  expect',
          ),
        ),
      ],
      2,
      'no license is there with {"key":"k"}',
    ],
    [
      'a formula that does not end',
      () => [
        write(
          refund('a', 1, 'small'),
          RULES.replace('A small one.', '=($f := function($n) { $f($n + 1) }; $f(1))'),
        ),
      ],
      2,
      'FORMULA',
    ],
    [
      'too little covered',
      () => [write(refund('a', 1, 'small')), '--min-coverage', '100'],
      1,
      'Less is covered than the 100 %',
    ],
    ['a share that is none', () => ['--min-coverage', '101'], 2, '--min-coverage takes 0 to 100'],
    ['an unknown option', () => ['--runn', 'a'], 2, 'USAGE'],
  ])('%s', async (_name, args, wanted, told) => {
    mkdirSync(join(folder, 'empty'));
    const { code, out, err } = await cli(['test', ...args()]);
    expect(withoutFolder(out + err)).toContain(told);
    expect(code).toBe(wanted);
  });

  test('a default folder that is not there', async () => {
    const { code, err } = await cli(['test'], { RULES_DIR: folder });
    expect({ code, err }).toEqual({
      code: 1,
      err: `Nothing was run: there are no test files in ${folder}/tests.\n`,
    });
  });
});

describe('coverage', () => {
  test('names what no case has shown, with its place', async () => {
    const file = write(refund('a', 500, 'small'));
    const { code, out } = await cli(['test', file, '--coverage']);
    expect(code).toBe(0);
    expect(withoutFolder(out)).toBe(`Covered: rules 1 of 2 (50 %), conditions 1 of 2 (50 %).
  rules/stripe.yaml:4:5: rule big: no case has it fit
  rules/stripe.yaml:6:13: in big: data.object.amount is never true
1 case passed.
`);
  });

  test('counts a condition only where it decides', async () => {
    const rules = RULES.replace(
      '{ data.object.amount: { gt: 1000 } }',
      '{ data.object.id: x, data.object.amount: { gt: 1000 } }',
    );
    const { out } = await cli(['test', write(refund('a', 500, 'small'), rules), '--coverage']);
    expect(out).toContain('data.object.id is never true');
    expect(out).toContain('data.object.amount is never asked');
  });

  test('needs both rules and conditions to be covered', async () => {
    const rules = RULES.replace('when: {', 'when: { data.object.id: { exists: true },');
    const file = write(refund('a', 500, 'small') + refund('b', 5000, 'big'), rules);
    const { code, out } = await cli(['test', file, '--min-coverage', '76']);
    expect(out).toContain('rules 2 of 2 (100 %), conditions 3 of 4 (75 %)');
    expect(code).toBe(1);
    expect((await cli(['test', file, '--min-coverage', '75'])).code).toBe(0);
  });

  test.each([
    [0, 0, 100],
    [0, 3, 0],
    [199, 200, 99],
    [200, 200, 100],
  ])('%i of %i is %i %%', (covered, total, percent) => {
    expect(percentOf({ covered, total })).toBe(percent);
  });

  test('counts rule files that no case is about', async () => {
    write(refund('a', 500, 'small') + refund('b', 5000, 'big'));
    writeFileSync(join(folder, 'rules/paddle.yaml'), RULES.replace('stripe', 'paddle'));
    const { out } = await cli(['test', '--coverage'], { RULES_DIR: join(folder, 'rules') });
    expect(out).toContain('rules 2 of 4 (50 %)');
  });
});

describe('--update', () => {
  test('writes what was seen, and leaves comments and layout alone', async () => {
    const file = write(`# A word before.

- name: a refund   # the first
  event: { sample: stripe/charge.refunded,   set: { data.object.amount: 500 } }
  expect:
    rule: big      # not what I thought
    reason:   'a big one'
    licenses:
      - { suspended: true }   # gone

- name: "nobody's"
  event: { sample: stripe/customer.created }
  expect: { rule: big }
`);
    const { code, out, err } = await cli(['test', file, '--update']);
    expect(readFileSync(file, 'utf8')).toBe(`# A word before.

- name: a refund   # the first
  event: { sample: stripe/charge.refunded,   set: { data.object.amount: 500 } }
  expect:
    rule: small      # not what I thought
    reason:   A small one.
    licenses:
      []

- name: "nobody's"
  event: { sample: stripe/customer.created }
  expect: { status: unmatched, rule: null }
`);
    expect(err).toContain('expectations were written; read them before you trust them');
    expect({ code, out }).toEqual({ code: 0, out: '2 cases passed.\n' });
  });

  test.each<[string, string, string]>([
    ['a value that is empty', '    reason:\n', '    reason: A small one.\n'],
    ['a map in one line', '    {rule: big}\n', '    {rule: small}\n'],
    [
      'a text that needs quotes in one line',
      '    { reason: big }\n',
      '    { reason: A small one. }\n',
    ],
    ['a number', '    userCount: 3 # three\n', '    userCount: 0 # three\n'],
    ['a list of several lines', '    errors:\n      - A\n      - B\n', '    errors:\n      []\n'],
  ])('writes %s', async (_name, before, after) => {
    const head = refund('a', 500, 'small').replace(/ \{ rule.*/, '');
    const file = write(head + before);
    expect((await cli(['test', file, '--update'])).code).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe(head + after);
  });

  test('writes nothing where all is as expected', async () => {
    const file = write(refund('a', 500, 'small'));
    const before = readFileSync(file, 'utf8');
    expect((await cli(['test', file, '--update'])).err).toBe('');
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  test('writes what a later run confirms, for every expectation of the shipped tests', async () => {
    const shipped = readFileSync('rules/tests/paddle.yaml', 'utf8');
    const spoilt = shipped
      .replaceAll(/rule: [\w-]+/g, 'rule: x')
      .replaceAll(/expiresAt: [\dT:.Z-]+/g, 'expiresAt: 2020-01-01')
      .replaceAll(/licenseCount: \d+/g, 'licenseCount: 9');
    mkdirSync(join(folder, 'tests'));
    writeFileSync(join(folder, 'paddle.yaml'), readFileSync('rules/paddle.yaml', 'utf8'));
    const file = join(folder, 'tests/paddle.yaml');
    writeFileSync(file, spoilt);
    expect((await cli(['test', file])).code).toBe(1);
    const { code, out } = await cli(['test', file, '--update']);
    expect(out).not.toContain('✗');
    expect(code).toBe(0);
    expect((await cli(['test', file])).code).toBe(0);
  });
});

describe('--watch', () => {
  test('works again after a change, a deleted file and one that came back', async () => {
    const file = write(refund('a', 500, 'small'));
    let stop = (): void => undefined;
    const stopped = new Promise<void>((resolve) => {
      stop = resolve;
    });
    const seen: string[] = [];
    let next = (): void => undefined;
    const watching = workAndWatch(
      async () => {
        const { out, err } = await cli(['test', file]);
        seen.push(
          /\[(\w+)\]|(\d) cases? passed/
            .exec(err + out)
            ?.slice(1)
            .find(Boolean) ?? '',
        );
        next();
      },
      () => [folder],
      stopped,
    );
    const until = async (wanted: string, change: () => void): Promise<void> => {
      const done = new Promise<void>((resolve) => {
        next = () => seen.at(-1) === wanted && resolve();
      });
      change();
      await done;
    };
    await until('1', () => next());
    await until('2', () =>
      writeFileSync(file, refund('a', 500, 'small') + refund('b', 500, 'small')),
    );
    await until('TEST_UNREADABLE', () => rmSync(file));
    await until('1', () => writeFileSync(file, refund('a', 500, 'small')));
    stop();
    await watching;
  });
});

describe('settings of a case', () => {
  const rules = `provider: stripe
subject: =data.object.id
catalogFile: catalog.csv
let: { most: 1000, least: 1 }
rules:
  - id: known
    on: charge.refunded
    when: "=$exists($catalog('a')) and data.object.amount <= $most and data.object.amount >= $least"
    ignore: Known.
  - id: unknown
    on: charge.refunded
    ignore: Unknown.
`;
  const asked = (name: string, settings: string, rule: string): string =>
    refund(name, 500, rule).replace('  event', `  settings: ${settings}\n  event`);

  test('stand for the catalog of a file, and for single names of let', async () => {
    const file = write(
      [
        asked('as it is', '{}', 'known'),
        asked('another catalog', '{ catalog: { b: { productId: p } } }', 'unknown'),
        asked('one name', '{ let: { most: 100 } }', 'unknown'),
        asked('another mode', '{ mode: live }', 'null'),
      ].join(''),
      rules,
    );
    writeFileSync(join(folder, 'rules/catalog.csv'), 'key,productId\na,p\n');
    const { out, err } = await cli(['test', file]);
    expect(err + out).toBe('4 cases passed.\n');
  });
});

describe('a lifecycle', () => {
  test('of ten years takes no time, and an event waits as on the server', async () => {
    const rules = `provider: stripe
subject: =data.object.id
waitFor: P1D
rules:
  - id: renew
    on: charge.refunded
    once: =data.object.id
    do:
      - license.renew: { find: { metadata: { charge: =data.object.id } } }
`;
    const file = write(
      `- name: nothing comes
  steps:
    - at: 2026-01-01
      event: { sample: stripe/charge.refunded }
      expect: { status: waiting }
    - at: 2026-01-01T23:00:00Z
      event: { sample: stripe/charge.refunded }
      expect: { status: waiting }
    - at: 2036-01-01
      event: { sample: stripe/charge.refunded, set: { id: evt_late } }
      expect: { status: waiting, licenses: [] }
- name: the license comes in time
  given: { licenses: [{ metadata: { charge: other }, subscriptionInterval: P1M, expiresAt: 2026-02-01 }] }
  steps:
    - at: 2026-01-01
      event: { sample: stripe/charge.refunded, set: { data.object.id: ch_1 } }
      expect: { status: waiting }
    - at: 2026-01-01T05:00:00Z
      byHand: [{ license: { metadata: { charge: other } }, set: { metadata: { charge: ch_1 } } }]
      expect: { licenses: [{ expiresAt: 2026-02-01 }] }
    - at: 2026-01-01T23:00:00Z
      expect: { licenses: [{ expiresAt: 2026-03-01 }] }
    - at: 2026-02-01
      event: { sample: stripe/charge.refunded, set: { data.object.id: ch_1 } }
      expect: { duplicate: true, licenses: [{ expiresAt: 2026-03-01 }] }
`,
      rules,
    );
    const { out, err } = await cli(['test', file]);
    expect(out + err).toBe('2 cases passed.\n');
  });
});
