// Comparing much: threads find what one thread finds, what cannot be used is counted, and little is held.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readItem } from '../../../src/authoring/comparison/read-item.ts';
import { compareAll } from '../../../src/authoring/comparison/run.ts';
import { Tally } from '../../../src/authoring/comparison/tally.ts';
import { fileTraffic } from '../../../src/authoring/comparison/traffic.ts';
import { loadVersion } from '../../../src/authoring/comparison/versions.ts';
import { sampleBody } from '../../support/keywright.ts';

const folder = mkdtempSync(join(tmpdir(), 'keywright-compare-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const OLD = `provider: stripe
subject: =data.object.id
rules:
  - id: paid
    on: invoice.paid
    once: =data.object.id
    do:
      - license.renew: { find: { metadata: { sub: =data.object.sub } } }
`;
const NEW = OLD.replace('once:', 'when: { data.object.amount: { gt: 1 } }\n    once:');

function version(name: string, text: string) {
  const path = join(folder, name);
  writeFileSync(path, text);
  const { version: loaded, findings } = loadVersion(path);
  if (loaded === undefined) throw new Error(findings.join());
  return loaded;
}

const event = (index: number): string => {
  const object = { id: `in_${index}`, sub: `sub_${index}`, amount: index % 3 };
  return JSON.stringify({ id: `evt_${index}`, type: 'invoice.paid', data: { object } });
};

async function itemsOf(path: string): Promise<string[]> {
  const found: string[] = [];
  for await (const item of fileTraffic(path)) {
    const read = readItem(item);
    found.push(
      read.kind === 'events'
        ? read.events.map(({ provider, id }) => `${provider} ${id}`).join(' + ')
        : `${read.unusable.reason}: ${read.unusable.where.replace(folder, '')} ${read.unusable.detail}`,
    );
  }
  return found;
}

test('threads find what one thread finds, in the same order', async () => {
  const path = join(folder, 'many.jsonl');
  const lines = Array.from({ length: 1_700 }, (_, index) => event(index));
  writeFileSync(path, `${lines.join('\n')}\nnonsense\n`);
  const comparison = { before: version('old.yaml', OLD), after: version('new.yaml', NEW), env: {} };
  const all = { idsMax: Number.POSITIVE_INFINITY };
  const [one, many, few] = [
    await compareAll(fileTraffic(path), comparison, { ...all, threads: 0 }),
    await compareAll(fileTraffic(path), comparison, { ...all, threads: 2 }),
    await compareAll(fileTraffic(path), comparison, { idsMax: 2, threads: 2 }),
  ];
  expect(one.data()).toMatchObject({ compared: 1_700, different: 1_134 });
  expect(one.groups()).toHaveLength(2);
  expect(many.groups()).toEqual(one.groups());
  const { groups: _one, ...counts } = one.data();
  const { groups: _many, ...same } = many.data();
  expect(same).toEqual(counts);
  expect(few.groups()).toEqual(
    one.groups().map((group) => ({ ...group, eventIds: group.eventIds.slice(0, 2) })),
  );
});

test('a thread that dies is told, not waited for', async () => {
  const before = version('old2.yaml', OLD);
  const broken = {
    ...before,
    ruleSets: before.ruleSets.map((each) => ({ ...each, text: 1 as never })),
  };
  const path = join(folder, 'many.jsonl');
  const run = compareAll(
    fileTraffic(path),
    { before: broken, after: before, env: {} },
    { idsMax: 1, threads: 1 },
  );
  await expect(run).rejects.toThrow();
});

describe('traffic of files', () => {
  test('is told by its members: of which provider, and which source', async () => {
    const path = join(folder, 'kinds.jsonl');
    const stripe = sampleBody('stripe', 'invoice.created');
    const fastspring = sampleBody('fastspring', 'batch-two-orders');
    const [single] = fastspring['events'] as never[];
    const paddle = sampleBody('paddle', 'customer.created');
    const shown = { source: 'stripe-eu', provider: 'stripe', payload: stripe, status: 'done' };
    const thin = sampleBody('stripe', 'v1.invoice.paid-thin');
    const lines = [stripe, fastspring, single, paddle, shown, thin, [], 5, { a: 1 }];
    writeFileSync(path, `\n${lines.map((line) => JSON.stringify(line)).join('\r\n')}`);
    const found = await itemsOf(path);
    expect(found[0]).toMatch(/^stripe evt_/);
    expect(found[1]).toMatch(/^fastspring \w+ \+ fastspring \w+$/);
    expect(found[2]).toMatch(/^fastspring \w+$/);
    expect(found[3]).toMatch(/^paddle evt_/);
    expect(found[4]).toBe(found[0]);
    expect(found.slice(5).map((text) => text.replace(/:\d+ .*/, ''))).toEqual(
      Array(4).fill('unreadable: /kinds.jsonl'),
    );
  });

  test('what is too large or no JSON is counted, and what follows is read', async () => {
    const path = join(folder, 'odd.jsonl');
    const long = (bytes: number) =>
      JSON.stringify({ ...JSON.parse(event(1)), x: 'ä'.repeat(bytes / 2) });
    const huge = `"${'x'.repeat(3 * 1024 * 1024)}"`;
    writeFileSync(path, `${long(1024 * 1024)}\n{"a":\n${huge}\n${event(2)}\n`);
    expect(await itemsOf(path)).toEqual([
      'too large: /odd.jsonl:1 it is larger than 1048576 bytes',
      'unreadable: /odd.jsonl:2 it is not JSON',
      'too large: /odd.jsonl:3 it is larger than 1048576 bytes',
      'stripe evt_2',
    ]);
  });

  test('a folder is read with its folders, in the order of names', async () => {
    const inside = join(folder, 'events', 'more');
    mkdirSync(inside, { recursive: true });
    writeFileSync(join(folder, 'events', 'b.json'), event(2));
    writeFileSync(join(folder, 'events', 'a.json'), event(1));
    writeFileSync(join(folder, 'events', 'notes.txt'), 'no event');
    writeFileSync(join(inside, 'c.jsonl'), `${event(3)}\n${event(4)}`);
    expect(await itemsOf(join(folder, 'events'))).toEqual(
      ['evt_1', 'evt_2', 'evt_3', 'evt_4'].map((id) => `stripe ${id}`),
    );
  });

  test('that is not there is an error', async () => {
    await expect(itemsOf(join(folder, 'gone'))).rejects.toThrow('cannot be read (ENOENT)');
  });
});

test('a field with very many values becomes one line', () => {
  const tally = new Tally(1);
  for (let index = 0; index < 80; index += 1) {
    const text = `license.create quantity: 1 → ${index}`;
    const difference = { rule: 'r', kind: 'input', text, steps: 0, danger: undefined } as const;
    tally.add({ source: 's', id: `e${index}`, timeMs: 0 }, index, [difference]);
  }
  const groups = tally.groups();
  expect(groups).toHaveLength(51);
  expect(groups[0]).toMatchObject({ text: 'license.create quantity: other values', events: 30 });
});
