// Settings of `let` that switch rules off: such rules are not there, and their event types are named by nobody.

import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/model.ts';
import { eventOf, findingsOf, match, rulesOf } from '../support/rules.ts';

const file = (setting: string, when: string): string => `
provider: paddle
subject: =data.id
let:
  refunds: ${setting}
rules:
  - id: refunded
    on: adjustment.created
    when: ${when}
    ignore: It was refunded.
`;

const load = (setting: string, when: string) => rulesOf(file(setting, when), 'paddle.yaml');

const event = (data: JsonObject = {}) => ({ ...eventOf(data), type: 'adjustment.created' });

describe('a rule that a setting keeps from fitting', () => {
  test.each([
    ['off', '{ $refunds: [suspend, revoke] }', 'unmatched'],
    ['revoke', '{ $refunds: [suspend, revoke] }', 'ignored'],
    ['off', '{ $refunds: { not: off } }', 'unmatched'],
    ['suspend', '{ $refunds: { not: off } }', 'ignored'],
    ['off', '{ any: [{ $refunds: revoke }, { $refunds: suspend }] }', 'unmatched'],
    ['suspend', '{ any: [{ $refunds: revoke }, { $refunds: suspend }] }', 'ignored'],
    // One way is left open by the setting.
    ['off', '{ any: [{ $refunds: revoke }, { data.kind: full }] }', 'ignored'],
    ['off', '{ not: { $refunds: off } }', 'unmatched'],
    ['off', '{ not: { $refunds: off, data.kind: full } }', 'ignored'],
    ['off', '{ all: [{ data.kind: full }, { $refunds: revoke }] }', 'unmatched'],
    // A formula may say anything, so it switches nothing off.
    ['off', '=$refunds = "revoke"', 'ignored'],
    ['"=data.kind"', '{ $refunds: revoke }', 'ignored'],
  ])('refunds: %s, when: %s → %s', async (setting, when, kind) => {
    expect((await match(load(setting, when), event({ kind: 'none' }))).kind).toBe(kind);
  });

  test('is named by nobody: the answer is that to an unknown type, and tells which setting it is', async () => {
    const result = await match(load('off', '{ $refunds: [suspend, revoke] }'), event());
    expect(result).toMatchObject({ kind: 'unmatched', answer: 'reject' });
    if (result.kind !== 'unmatched') return;
    expect(result.reason).toContain('switched off by its settings');
    expect(result.trace).toMatchObject([
      { rule: 'refunded', conditions: [{ path: '$refunds', actual: 'off', ok: false }] },
    ]);
  });

  test('of its own name that hides the setting is asked as ever', async () => {
    const text = file('off', '{ $refunds: revoke }').replace(
      '    when:',
      '    let: { refunds: revoke }\n    when:',
    );
    expect((await match(rulesOf(text, 'paddle.yaml'), event())).kind).toBe('ignored');
  });
});

describe('a setting with a word that no rule knows', () => {
  const KNOWN = '{ $refunds: [suspend, revoke] }';
  test.each([
    ['revok', KNOWN, ['5:12 SETTING_UNKNOWN']],
    ['whatever', KNOWN, ['5:12 SETTING_UNKNOWN']],
    ['revoke', KNOWN, []],
    // Rules that ask for one word leave all others to mean "not that", unless it is nearly the word.
    ['whatever', '{ $refunds: revoke }', []],
    ['revokee', '{ $refunds: revoke }', ['5:12 SETTING_UNKNOWN']],
    ['revokee', '=$refunds = "revoke"', ['5:12 SETTING_UNKNOWN']],
  ])('refunds: %s, asked by %s: %j', (setting, when, findings) => {
    const told = findingsOf(file(setting, when), 'paddle.yaml').filter((line) =>
      line.endsWith('SETTING_UNKNOWN'),
    );
    expect(told).toEqual(findings);
  });
});
