import { describe, expect, test } from 'vitest';
import {
  addInterval,
  formatInstant,
  parseInstant,
  parseInterval,
} from '../../src/core/interval.ts';

describe('adding an interval', () => {
  for (const [from, interval, to] of [
    ['2026-01-31T00:00:00Z', 'P1M', '2026-02-28T00:00:00Z'],
    ['2028-01-31T00:00:00Z', 'P1M', '2028-02-29T00:00:00Z'],
    ['2026-02-28T00:00:00Z', 'P1M', '2026-03-28T00:00:00Z'],
    ['2026-01-30T00:00:00Z', 'P1M', '2026-02-28T00:00:00Z'],
    ['2026-01-28T00:00:00Z', 'P1M', '2026-02-28T00:00:00Z'],
    ['2026-03-31T00:00:00Z', 'P1M', '2026-04-30T00:00:00Z'],
    ['2026-12-31T23:59:59.999Z', 'P1M', '2027-01-31T23:59:59.999Z'],
    ['2026-11-30T00:00:00Z', 'P3M', '2027-02-28T00:00:00Z'],
    ['2028-02-29T12:00:00Z', 'P1Y', '2029-02-28T12:00:00Z'],
    ['2028-02-29T12:00:00Z', 'P4Y', '2032-02-29T12:00:00Z'],
    ['2096-02-29T00:00:00Z', 'P4Y', '2100-02-28T00:00:00Z'],
    ['2026-05-15T08:30:00Z', 'P1Y', '2027-05-15T08:30:00Z'],
    ['2026-05-15T08:30:00Z', 'P12M', '2027-05-15T08:30:00Z'],
    ['2026-02-01T00:00:00Z', 'P30D', '2026-03-03T00:00:00Z'],
    ['2028-02-01T00:00:00Z', 'P30D', '2028-03-02T00:00:00Z'],
    ['2026-12-25T00:00:00Z', 'P2W', '2027-01-08T00:00:00Z'],
    ['2026-01-31T00:00:00Z', 'P3M10D', '2026-05-10T00:00:00Z'],
    ['2026-01-31T00:00:00Z', 'P1Y2M3DT4H5M6S', '2027-04-03T04:05:06Z'],
    ['2026-01-01T00:00:00Z', 'PT36H', '2026-01-02T12:00:00Z'],
    ['1969-12-31T01:00:00Z', 'P1M', '1970-01-31T01:00:00Z'],
  ] as const) {
    test(`${from} + ${interval} = ${to}`, () => {
      const parsed = parseInterval(interval);
      expect(parsed && addInterval(Date.parse(from), parsed)).toBe(Date.parse(to));
    });
  }

  test('the month end is not remembered: three single months are not a quarter', () => {
    const month = { months: 1, days: 0, seconds: 0 };
    let ms: number | undefined = Date.parse('2026-01-31T00:00:00Z');
    for (let count = 0; count < 3; count += 1) ms = addInterval(ms ?? 0, month);
    expect(ms).toBe(Date.parse('2026-04-28T00:00:00Z'));
    const quarter = addInterval(Date.parse('2026-01-31T00:00:00Z'), { ...month, months: 3 });
    expect(quarter).toBe(Date.parse('2026-04-30T00:00:00Z'));
  });

  test('the calendar ends with the year 9999', () => {
    const from = Date.parse('9998-12-31T00:00:00Z');
    expect(addInterval(from, { months: 12, days: 0, seconds: 0 })).toBe(
      Date.parse('9999-12-31T00:00:00Z'),
    );
    expect(addInterval(from, { months: 13, days: 0, seconds: 0 })).toBeUndefined();
  });
});

describe('what is no interval', () => {
  for (const text of [
    '',
    'P',
    'PT',
    'P1MT',
    '1M',
    'P1',
    'P0D',
    'P-1M',
    'P1D1M',
    'p1m',
    'P1.5M',
    'P1M ',
  ]) {
    test(JSON.stringify(text), () => expect(parseInterval(text)).toBeUndefined());
  }
});

describe('instants', () => {
  test('are written with seven fractional digits', () => {
    expect(formatInstant(Date.parse('2026-01-31T10:00:00.123Z'))).toBe(
      '2026-01-31T10:00:00.1230000Z',
    );
  });

  for (const [text, expected] of [
    ['2018-05-01T07:53:56.0095476Z', '2018-05-01T07:53:56.009Z'],
    ['2026-01-31T10:00:00+02:00', '2026-01-31T08:00:00Z'],
    ['2026-01-31', '2026-01-31T00:00:00Z'],
    ['2026-02-30T00:00:00', undefined],
    ['31.01.2026', undefined],
    ['2026-13-01T00:00:00Z', undefined],
    ['', undefined],
  ] as const) {
    test(`${JSON.stringify(text)} is ${expected ?? 'none'}`, () => {
      expect(parseInstant(text)).toBe(expected === undefined ? undefined : Date.parse(expected));
    });
  }
});
