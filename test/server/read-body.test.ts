// Bodies at both sides of the limit, and streams that lie or break.

import { describe, expect, it } from 'vitest';
import { BODY_BYTES_MAX, readBody } from '../../src/server/read-body.ts';

function streamed(chunks: Iterable<Uint8Array | Error>, headers: Record<string, string> = {}) {
  const iterator = chunks[Symbol.iterator]();
  let pulled = 0;
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const { done, value } = iterator.next();
        if (done) controller.close();
        else if (value instanceof Error) controller.error(value);
        else {
          pulled += value.byteLength;
          controller.enqueue(value);
        }
      },
      cancel() {
        cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  const request = new Request('http://x/', { method: 'POST', body, headers, duplex: 'half' });
  return { request, pulled: () => pulled, cancelled: () => cancelled };
}

describe('a body is read', () => {
  it('is 1 MiB at most', () => expect(BODY_BYTES_MAX).toBe(1_048_576));

  const rows: [string, number[], 'read' | 'too_large'][] = [
    ['empty', [], 'read'],
    ['exactly the limit in one chunk', [100], 'read'],
    ['exactly the limit in many', [60, 0, 39, 1], 'read'],
    ['one byte more in one chunk', [101], 'too_large'],
    ['one byte more in many', [60, 39, 1, 1], 'too_large'],
  ];
  for (const [name, sizes, kind] of rows) {
    it(`${name}: ${kind}`, async () => {
      const { request } = streamed(sizes.map((size, index) => new Uint8Array(size).fill(index)));
      const reading = await readBody(request, 100);
      expect(reading.kind).toBe(kind);
      if (reading.kind === 'read') {
        expect([...reading.bytes]).toEqual(sizes.flatMap((size, index) => Array(size).fill(index)));
      }
    });
  }

  it('byte for byte, also where it is no UTF-8', async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
    const { request } = streamed([bytes.subarray(0, 200), bytes.subarray(200)]);
    expect(await readBody(request, 256)).toEqual({ kind: 'read', bytes });
  });

  it('as empty where there is none', async () => {
    const request = new Request('http://x/', { method: 'POST' });
    expect(await readBody(request)).toEqual({ kind: 'read', bytes: new Uint8Array() });
  });
});

describe('a body whose length is held to', () => {
  const whole = async (body: Uint8Array<ArrayBuffer>, length: number) =>
    readBody(
      new Request('http://x/', {
        ...{ method: 'POST', body, headers: { 'content-length': String(length) } },
      }),
      100,
      { lengthIsHeld: true },
    );

  it.each([0, 1, 100])('of %i bytes is read', async (size) => {
    const bytes = Uint8Array.from({ length: size }, (_, index) => 255 - index);
    expect(await whole(bytes, size)).toEqual({ kind: 'read', bytes });
  });

  it('is refused unread above the limit', async () => {
    expect(await whole(new Uint8Array(101), 101)).toEqual({ kind: 'too_large', bytes: 101 });
  });

  it('is told as broken off when the sender goes away', async () => {
    const { request } = streamed([new Uint8Array(30), new Error('socket hang up')], {
      'content-length': '60',
    });
    const reading = await readBody(request, 100, { lengthIsHeld: true });
    expect(reading).toEqual({ kind: 'broken_off', bytes: 60 });
  });
});

describe('reading stops', () => {
  it('before the first byte when the announced length is over the limit', async () => {
    const { request, pulled } = streamed([new Uint8Array(5)], { 'content-length': '101' });
    expect(await readBody(request, 100)).toEqual({ kind: 'too_large', bytes: 101 });
    expect(pulled()).toBe(0);
  });

  it('soon after the limit when the stream never ends, whatever was announced', async () => {
    function* endless() {
      for (;;) yield new Uint8Array(30);
    }
    const { request, pulled, cancelled } = streamed(endless(), { 'content-length': '7' });
    expect(await readBody(request, 100)).toEqual({ kind: 'too_large', bytes: 120 });
    expect([pulled(), cancelled()]).toEqual([120, true]);
  });

  it('when the sender goes away', async () => {
    const { request } = streamed([new Uint8Array(30), new Error('socket hang up')]);
    expect(await readBody(request, 100)).toEqual({ kind: 'broken_off', bytes: 30 });
  });
});
