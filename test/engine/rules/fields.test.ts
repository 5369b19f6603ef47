// What each kind of field takes, at both sides of its limits.

import { describe, expect, it } from 'vitest';
import type { FieldType, JsonValue } from '../../../src/core/model.ts';
import { coerceField } from '../../../src/engine/rules/fields.ts';

const REF = { $ref: 'user.id' };

const TAKEN: readonly (readonly [type: FieldType, given: JsonValue, taken: JsonValue])[] = [
  ['text', 'a', 'a'],
  ['text', 'x'.repeat(4096), 'x'.repeat(4096)],
  ['text', REF, REF],
  ['email', ' ann@example.org ', 'ann@example.org'],
  ['email', 'a+b@xn--e1aybc.example', 'a+b@xn--e1aybc.example'],
  ['email', 'ünï@exämple.org', 'ünï@exämple.org'],
  ['integer', 1, 1],
  ['integer', '5', 5],
  ['integer', 2_147_483_647, 2_147_483_647],
  ['quantity', 10_000, 10_000],
  ['quantity', '10000', 10_000],
  ['quantity', REF, REF],
  ['boolean', false, false],
  ['date', '2026-01-31', '2026-01-31T00:00:00.000Z'],
  ['date', '2026-01-31T01:00:00+01:00', '2026-01-31T00:00:00.000Z'],
  ['date', '2026-01-31T00:00:00.1234567Z', '2026-01-31T00:00:00.123Z'],
  ['interval', '', ''],
  ['interval', 'P1M', 'P1M'],
  ['interval', 'P1Y2M10DT2H30M', 'P1Y2M10DT2H30M'],
  ['version', '2.5', '2.5'],
  ['version', '1.2.3.4', '1.2.3.4'],
  ['texts', 'one', ['one']],
  ['texts', ['one', 'two'], ['one', 'two']],
  ['metadata', { a: 'x', b: 5, c: false, d: '', e: REF }, { a: 'x', b: '5', c: 'false', e: REF }],
  ['metadata', { a: 'x'.repeat(4096) }, { a: 'x'.repeat(4096) }],
  ['find', { metadata: { a: 5 }, suspended: true }, { metadata: { a: '5' }, suspended: true }],
  ['find', { userId: REF }, { userId: REF }],
  ['whenSuspended', { resume: true }, { resume: true }],
  [
    'whenSuspended',
    { resume: true, expiresAt: '2026-01-31' },
    { resume: true, expiresAt: '2026-01-31T00:00:00.000Z' },
  ],
  ['emailTaken', 'merge', 'merge'],
  ['missing', 'wait', 'wait'],
  ['startTrigger', 'activation', 'activation'],
  ['licenseType', 'node-locked', 'node-locked'],
  ['interval', { $firstOf: [REF, 'P1M'] }, { $firstOf: [REF, 'P1M'] }],
  ['integer', { $firstOf: [REF, '5'] }, { $firstOf: [REF, 5] }],
];

const REFUSED: readonly (readonly [type: FieldType, given: JsonValue, message: RegExp])[] = [
  ['text', 5, /needs a text, not 5/],
  ['text', ['a'], /needs a text, not a list/],
  ['text', { a: 1 }, /needs a text, not a map/],
  ['text', 'x'.repeat(4097), /at most 4096 characters/],
  ['email', 'ann', /needs an e-mail address/],
  ['email', 'ann@', /e-mail/],
  ['email', 'a@b@c', /e-mail/],
  ['email', 'ann lee@example.org', /e-mail/],
  ['email', ['a@example.org', 'b@example.org'], /needs a text, not a list/],
  ['integer', 0, /from 1 to 2147483647, not 0/],
  ['integer', -1, /from 1/],
  ['integer', 1.5, /from 1/],
  ['integer', 2_147_483_648, /from 1/],
  ['integer', '0x10', /from 1/],
  ['integer', ' 5', /from 1/],
  ['integer', true, /from 1/],
  ['quantity', 10_001, /from 1 to 10000/],
  ['quantity', '0', /from 1/],
  ['quantity', '', /from 1/],
  ['boolean', 'true', /needs true or false, not "true"/],
  ['boolean', 1, /needs true or false/],
  ['date', 1769817600, /needs a text/],
  ['date', '2026-13-01', /ISO 8601 date/],
  ['date', '31.01.2026', /ISO 8601 date/],
  ['date', '2026-01-31T00:00:00', /ISO 8601 date/],
  ['interval', 'P', /interval like P1M/],
  ['interval', 'P0D', /interval like P1M/],
  ['interval', '1 month', /interval like P1M/],
  ['interval', 30, /needs a text/],
  ['version', '2', /version of two to four/],
  ['version', '1.2.3.4.5', /version of two to four/],
  ['version', 'v2.5', /version of two to four/],
  ['version', 1.1, /needs a text/],
  ['texts', [1], /needs a list of texts/],
  ['texts', 5, /needs a list of texts/],
  ['metadata', 'x', /needs a map of texts/],
  ['metadata', ['x'], /needs a map of texts/],
  ['metadata', { a: ['x'] }, /needs a text for "a"/],
  ['metadata', { a: 'x'.repeat(4097) }, /needs a text for "a"/],
  ['find', 'x', /needs a map of criteria/],
  ['find', { metadata: { a: '' } }, /"metadata" is empty, and an empty search would find/],
  ['find', { metadata: {} }, /"metadata" is empty/],
  ['find', { userId: '  ' }, /"userId" is empty/],
  ['find', { key: '' }, /"key" is empty/],
  ['find', { suspended: 'yes' }, /suspended: needs true or false/],
  ['whenSuspended', {}, /true or false for resume/],
  ['whenSuspended', true, /needs a map with resume/],
  ['whenSuspended', { resume: true, expiresAt: 'soon' }, /ISO 8601 date/],
  ['emailTaken', 'both', /one of merge, fail/],
  ['missing', 'skip', /one of wait, fail, ignore/],
  ['startTrigger', 'never', /one of creation, activation/],
  ['licenseType', 'floating', /one of node-locked/],
  ['interval', { $firstOf: [REF, 'soon'] }, /interval like P1M/],
];

const short = (value: JsonValue) => JSON.stringify(value).slice(0, 40);

describe('a field', () => {
  for (const [type, given, taken] of TAKEN) {
    it(`of type ${type} takes ${short(given)}`, () => {
      expect(coerceField(type, given)).toEqual({ kind: 'taken', value: taken });
    });
  }

  for (const [type, given, message] of REFUSED) {
    it(`of type ${type} refuses ${short(given)}`, () => {
      expect(coerceField(type, given)).toMatchObject({
        kind: 'refused',
        code: expect.stringMatching(/^(?:FIELD_TYPE|QUANTITY_INVALID|FILTER_EMPTY)$/),
        message: expect.stringMatching(message),
      });
    });
  }

  it('says that a search for nothing is one', () => {
    expect(coerceField('find', { key: ' ' })).toMatchObject({ code: 'FILTER_EMPTY' });
    expect(coerceField('quantity', 0)).toMatchObject({ code: 'QUANTITY_INVALID' });
  });
});
