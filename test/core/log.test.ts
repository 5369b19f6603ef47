// Lines of the log in both formats, and what never gets into one.

import { describe, expect, it } from 'vitest';
import { createLogger, type LogFields } from '../../src/core/log.ts';
import { Secret } from '../../src/core/secret.ts';

const NOW_MS = Date.UTC(2026, 0, 2, 12, 3, 4, 123);

function logger(
  format: 'json' | 'pretty',
  level: Parameters<typeof createLogger>[0]['level'] = 'info',
) {
  const lines: string[] = [];
  const write = (line: string) => lines.push(line);
  return { lines, log: createLogger({ level, format, write, nowMs: () => NOW_MS }) };
}

function jsonLine(fields: LogFields, message = 'hello') {
  const { lines, log } = logger('json');
  log.info(fields, message);
  expect(lines).toHaveLength(1);
  return JSON.parse(lines[0] ?? '') as Record<string, unknown>;
}

function prettyLine(fields: LogFields, message = 'hello') {
  const { lines, log } = logger('pretty');
  log.info(fields, message);
  expect(lines).toHaveLength(1);
  return lines[0];
}

describe('a JSON line', () => {
  it('has level, time, fields and message, and nothing of the machine', () => {
    const fields = {
      source: 'stripe',
      bytes: 3,
      ok: true,
      ids: ['a', 'b'],
      none: null,
      skipped: undefined,
    };
    expect(jsonLine(fields)).toEqual({
      level: 'info',
      time: '2026-01-02T12:03:04.123Z',
      source: 'stripe',
      bytes: 3,
      ok: true,
      ids: ['a', 'b'],
      none: null,
      message: 'hello',
    });
  });

  it('keeps its own members when a field has such a name', () => {
    const line = jsonLine({ level: 'fake', time: 'fake', message: 'fake' });
    expect(line).toMatchObject({
      level: 'info',
      message: 'hello',
      level_: 'fake',
      message_: 'fake',
    });
  });

  it('takes a message with percent signs as it is', () => {
    expect(jsonLine({}, '100%s %o %d')['message']).toBe('100%s %o %d');
  });
});

describe('a pretty line', () => {
  const rows: [string, LogFields, string, string][] = [
    [
      'short and readable',
      { source: 'stripe', ms: 12, ids: ['a', 'b c'] },
      'hello',
      'hello  source=stripe  ms=12  ids=[a, "b c"]',
    ],
    ['empty texts are seen', { a: '' }, 'hello', 'hello  a=""'],
    ['a text cannot look like two fields', { a: 'x b=y' }, 'hello', 'hello  a="x b=y"'],
    ['no value breaks the line', { a: 'x\nERROR forged' }, 'hello', 'hello  a="x\\nERROR forged"'],
    ['no message breaks the line', {}, 'x\r\ny', 'x\\u000d\\u000ay'],
    [
      'nothing paints the terminal',
      { a: '\u001b[31mred', b: '\u009b31m', c: '\u202eabc' },
      'hello',
      'hello  a="\\u001b[31mred"  b=\\u009b31m  c=\\u202eabc',
    ],
  ];
  for (const [name, fields, message, rest] of rows) {
    it(name, () => expect(prettyLine(fields, message)).toBe(`12:03:04.123 INFO  ${rest}\n`));
  }
});

describe('levels', () => {
  const rows: [Parameters<typeof createLogger>[0]['level'], number][] = [
    ['trace', 4],
    ['debug', 4],
    ['info', 3],
    ['warn', 2],
    ['error', 1],
    ['fatal', 0],
    ['silent', 0],
  ];
  for (const [level, count] of rows) {
    it(`${level} lets ${count} of debug, info, warn and error through`, () => {
      const { lines, log } = logger('json', level);
      log.debug({}, 'd');
      log.info({}, 'i');
      log.warn({}, 'w');
      log.error({}, 'e');
      expect(lines).toHaveLength(count);
    });
  }
});

describe('what never gets in', () => {
  it('a secret, alone, in a list or inherited, in either format', () => {
    for (const format of ['json', 'pretty'] as const) {
      const { lines, log } = logger(format);
      const secret = new Secret('hunter2');
      log.child({ inherited: secret }).info({ alone: secret, list: [secret, 'x'] }, 'hello');
      expect(lines.join('')).not.toContain('hunter2');
      expect(lines.join('').match(/<secret>/g)).toHaveLength(3);
    }
  });

  it('an object, even where a cast lets it through', () => {
    const payload = { email: 'a@b.c' } as unknown as string;
    expect(jsonLine({ payload, list: [payload] })).toMatchObject({
      payload: '<object>',
      list: ['<object>'],
    });
  });

  const sizes: [string, string | string[], boolean][] = [
    ['2048 bytes of text', 'x'.repeat(2048), false],
    ['2049 bytes of text', 'x'.repeat(2049), true],
    ['1025 letters of two bytes', 'ä'.repeat(1025), true],
    ['a list of 20 short texts', Array(20).fill('evt_1'), false],
    ['a list of 2000 short texts', Array(2000).fill('evt_1'), true],
    ['a list of one long text', ['x'.repeat(9000)], true],
  ];
  for (const [name, value, isCut] of sizes) {
    it(`more than 2 kB of a field: ${name} ${isCut ? 'is cut' : 'is whole'}`, () => {
      const { field } = jsonLine({ field: value });
      const text = Array.isArray(field) ? field.join(',') : String(field);
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(2048);
      expect(text).not.toContain('\ufffd');
      if (isCut) expect(text).toMatch(/…\(cut\)$/);
      else expect(field).toEqual(value);
    });
  }

  it('more than 2 kB of a message', () => {
    const { message } = jsonLine({}, 'x'.repeat(5000));
    expect(Buffer.byteLength(String(message))).toBeLessThanOrEqual(2048);
  });
});

describe('a child', () => {
  it('adds its fields to each line, and its own lines win', () => {
    const { lines, log } = logger('json');
    const child = log.child({ source: 'stripe', step: 'a' }).child({ step: 'b' });
    child.warn({ step: 'c' }, 'one');
    child.warn({}, 'two');
    log.warn({}, 'three');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { source: 'stripe', step: 'c', message: 'one' },
      { source: 'stripe', step: 'b', message: 'two' },
      { message: 'three' },
    ]);
    expect(lines[2]).not.toContain('stripe');
  });
});
