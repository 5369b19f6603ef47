// keywright check as people, programs and builds see it: text with a caret, colours only where somebody watches,
// JSON, annotations of GitHub, the seller's own events, and a watch that survives whatever editors do.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { cli } from './support.ts';

const root = mkdtempSync(join(tmpdir(), 'keywright-check-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let count = 0;
function folder(files: Readonly<Record<string, string>>): string {
  count += 1;
  const path = join(root, String(count));
  mkdirSync(path);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return path;
}

const GOOD = `provider: stripe
subject: =data.object.id
rules:
  - id: paid
    on: invoice.paid
    ignore: Nothing to do.
`;
const WARNED = GOOD.replace('=data.object.id', '[=data.object.id, =data.object.nmber]');
const WRONG = GOOD.replace('ignore', 'ingore');

function withoutColours(text: string): string {
  const [first, ...rest] = text.split('\u001b');
  return [first, ...rest.map((part) => part.replace(/^\[\d+m/, ''))].join('');
}

describe('what it writes', () => {
  test('nothing on stdout where there is nothing to say, and ends with 0', async () => {
    const path = folder({ 'stripe.yaml': GOOD });
    expect(await cli(['check', path])).toEqual({
      code: 0,
      out: '',
      err: '1 rule file: no findings\n',
    });
  });

  test('the place, the line, a caret and a hint, and ends with 1', async () => {
    const path = folder({ 'stripe.yaml': WARNED });
    const { code, out, err } = await cli(['check', path]);
    expect(out).toBe(
      [
        `${path}/stripe.yaml:2:41: warning: no invoice.paid event has "nmber" in data.object; did you mean "number"? [SHAPE_PATH_UNKNOWN]`,
        '    2 | subject: [=data.object.id, =data.object.nmber]',
        '      |                                         ^^^^^',
        '      = hint: Compare it with the event in samples/. If your own events have it, show some to `keywright check --samples DIR`.',
        '',
        '',
      ].join('\n'),
    );
    expect([code, err]).toEqual([1, '1 rule file: 1 warning\n']);
  });

  test.each([
    ['on a terminal', { isTty: true }, {}, true],
    ['in a pipe', { isTty: false }, {}, false],
    ['with NO_COLOR', { isTty: true }, { NO_COLOR: '1' }, false],
    ['with an empty NO_COLOR', { isTty: true }, { NO_COLOR: '' }, true],
  ])('%s, colours: %o %o', async (_name, options, env, coloured) => {
    const { out } = await cli(['check', folder({ 'stripe.yaml': WARNED })], env, options);
    expect(out.includes('\u001b[')).toBe(coloured);
    expect(withoutColours(out)).toContain(
      '\n      |                                         ^^^^^\n',
    );
  });

  test('a very long line only around the caret', async () => {
    const text = `${GOOD}let: { a: ${'x'.repeat(500)}, b: =$oops, c: ${'y'.repeat(500)} }\n`;
    const { out } = await cli(['check', folder({ 'stripe.yaml': text })]);
    const [, source = '', caret = ''] = out.split('\n');
    expect(source.length).toBeLessThan(180);
    expect(source.slice(caret.indexOf('^'), caret.lastIndexOf('^') + 1)).toBe('$oops');
  });

  test('no secret of the file, but where it is', async () => {
    const secret = `whsec_${'5f8a7d6c'.repeat(4)}`;
    const path = folder({ 'stripe.yaml': `# ${secret}\n${GOOD}` });
    for (const format of ['text', 'json', 'github']) {
      const { out } = await cli(['check', path, '--format', format]);
      expect(out).toContain('RULE_SECRET');
      expect(out).not.toContain('5f8a');
    }
  });

  test('JSON for programs', async () => {
    const path = folder({ 'stripe.yaml': WRONG });
    const { code, out } = await cli(['check', path, '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toEqual(
      [
        {
          code: 'RULE_UNKNOWN_FIELD',
          severity: 'error',
          message: '"ingore" is no field of a rule',
          hint: 'Check the spelling and the indentation.',
          length: 6,
          file: `${path}/stripe.yaml`,
          line: 6,
          column: 5,
        },
      ].map((finding) => ({ ...finding, message: expect.stringContaining('ingore') as string })),
    );
    const clean = await cli(['check', folder({ 'stripe.yaml': GOOD }), '--json']);
    expect(JSON.parse(clean.out)).toEqual([]);
  });

  test('annotations for GitHub, with what would end them escaped', async () => {
    const path = join(root, 'a,b:c%');
    mkdirSync(path);
    const text = GOOD.replace('=data.object.id', '=data.object.id & "100%" & $oops');
    writeFileSync(join(path, 'stripe.yaml'), text);
    const { code, out } = await cli(['check', path, '--format', 'github']);
    expect(code).toBe(1);
    const place = `file=${root}/a%2Cb%3Ac%25/stripe.yaml,line=2,col=37,endColumn=42`;
    expect(out).toMatch(/^::error [^\n]*\n$/);
    expect(out).toContain(
      `::error ${place},title=FORMULA_UNKNOWN_VARIABLE::there is no variable $oops%0AHint: `,
    );
  });

  test('one finding for a file that is named twice', async () => {
    const path = folder({ 'stripe.yaml': WARNED });
    const { err } = await cli(['check', path, join(path, 'stripe.yaml')]);
    expect(err).toBe('1 rule file: 1 warning\n');
  });

  test('a finding for each line of a long table', async () => {
    const lines = Array.from({ length: 60_000 }, (_, index) => `k${index},no id,P1Z\n`);
    const path = folder({
      'stripe.yaml': `${GOOD}catalogFile: c.csv\n`,
      'c.csv': `key,productId,subscriptionInterval\n${lines.join('')}`,
    });
    const { code, err } = await cli(['check', path]);
    expect([code, err]).toEqual([1, '1 rule file: 60000 errors, 60000 warnings\n']);
  });
});

describe('wrong usage', () => {
  test.each([
    [['--format', 'xml'], 'USAGE'],
    [['--json', '--format', 'github'], 'USAGE'],
    [['--colour'], 'USAGE'],
    [['/does/not/exist'], 'RULES_UNREADABLE'],
    [['--samples', '/does/not/exist'], 'INPUT_UNREADABLE'],
  ])('%j ends with 2', async (args, wanted) => {
    const { code, out, err } = await cli(['check', ...args]);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(`[${wanted}]`);
  });
});

describe('--samples', () => {
  const rules = GOOD.replace('=data.object.id', '[=data.object.id, =data.object.our_own]');
  const event = {
    object: 'event',
    type: 'invoice.paid',
    data: { object: { object: 'invoice', our_own: 'x' } },
  };

  test("teaches what the seller's own events have", async () => {
    const path = folder({ 'stripe.yaml': rules });
    const samples = folder({ 'a.json': JSON.stringify(event), 'notes.txt': 'none' });
    expect((await cli(['check', path])).code).toBe(1);
    expect((await cli(['check', path, '--samples', samples])).code).toBe(0);
    expect((await cli(['check', path, '--samples', join(samples, 'a.json')])).code).toBe(0);
  });

  test('takes an event of FastSpring by itself, as `diff --events` does', async () => {
    const events = folder({
      'one.json': JSON.stringify({ id: 'a', type: 'order.completed', data: { order: 'b' } }),
    });
    const path = folder({ 'stripe.yaml': GOOD });
    expect(await cli(['check', path, '--samples', events])).toMatchObject({ code: 0 });
    const { out, err } = await cli(['diff', path, path, '--events', events]);
    expect(out + err).not.toContain('unreadable');
  });

  test.each([
    ['no JSON', '{ "object": '],
    ['a list', '[]'],
    ['no event', '{ "id": 5 }'],
  ])('refuses %s, with its name', async (_name, text) => {
    const samples = folder({ 'odd.json': text });
    const { code, err } = await cli([
      'check',
      folder({ 'stripe.yaml': GOOD }),
      '--samples',
      samples,
    ]);
    expect(code).toBe(2);
    expect(err).toMatch(/odd\.json .*\[INPUT_UNREADABLE\]/s);
  });

  test('refuses a folder without any', async () => {
    const { code } = await cli(['check', folder({ 'stripe.yaml': GOOD }), '--samples', folder({})]);
    expect(code).toBe(2);
  });
});

describe('--watch', () => {
  let child: ChildProcessWithoutNullStreams | undefined;
  let shown = '';
  afterEach(() => {
    child?.kill('SIGKILL');
  });

  function watch(path: string): void {
    shown = '';
    const script = join(import.meta.dirname, '../../src/cli.ts');
    child = spawn(process.execPath, [script, 'check', '--watch', path]);
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        shown += chunk.toString();
      });
    }
  }

  /** Waits until all of these were written, and forgets what was. */
  async function sees(...wanted: readonly string[]): Promise<void> {
    await expect
      .poll(() => wanted.filter((text) => !shown.includes(text)), { interval: 20 })
      .toEqual([]);
    shown = '';
  }
  const READY = 'Watching for changes';

  test('checks again whatever an editor does, and ends when it is told to', async () => {
    const path = folder({ 'stripe.yaml': GOOD });
    const file = join(path, 'stripe.yaml');
    watch(path);
    await sees('no findings', READY);
    writeFileSync(file, WRONG);
    await sees('[RULE_UNKNOWN_FIELD]', '1 error', READY);
    // Written beside it and renamed, as most editors do.
    writeFileSync(`${file}.tmp`, WARNED);
    renameSync(`${file}.tmp`, file);
    await sees('[SHAPE_PATH_UNKNOWN]', '1 warning', READY);
    rmSync(file);
    await sees('0 rule files', READY);
    writeFileSync(file, `${GOOD}catalogFile: c.csv\n`);
    await sees('"c.csv" cannot be read', READY);
    // The catalog is a part of it.
    writeFileSync(join(path, 'c.csv'), 'key,productId\na,b\n');
    await sees('1 rule file: no findings', READY);
    rmSync(path, { recursive: true });
    await sees('[RULES_UNREADABLE]', READY);
    mkdirSync(path);
    writeFileSync(file, WRONG);
    await sees('1 error', READY);
    const ended = new Promise((resolve) => child?.once('exit', resolve));
    child?.kill('SIGTERM');
    expect(await ended).toBe(1);
  });

  test('writes nothing for a change that says nothing new', async () => {
    const path = folder({ 'stripe.yaml': GOOD });
    const file = join(path, 'stripe.yaml');
    watch(file);
    await sees('no findings', READY);
    writeFileSync(file, GOOD);
    writeFileSync(join(path, '.stripe.yaml.swp'), 'x');
    // Long enough for a check that should not be shown; on a slow machine the test only sees less.
    await new Promise((resolve) => {
      setTimeout(resolve, 600);
    });
    writeFileSync(file, WARNED);
    await expect.poll(() => shown).toContain(READY);
    expect(shown).not.toContain('no findings');
  });
});
