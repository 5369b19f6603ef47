import { describe, expect, test } from 'vitest';
import { createWorkbench, type Workbench } from './bench.ts';

const VENDOR = { requests: 50, periodMs: 5000 };

async function spend(bench: Workbench, calls: number): Promise<void> {
  for (let call = 0; call < calls; call += 1) await bench.get('/v3/users');
}

describe('the rate limit', () => {
  test('admits 50 calls in 5 s and tells how many are left', async () => {
    const bench = createWorkbench({ rateLimit: VENDOR });
    const first = await bench.get('/v3/users');
    expect(Object.fromEntries(first.headers)).toMatchObject({
      'x-rate-limit-limit': '5s',
      'x-rate-limit-remaining': '49',
      'x-rate-limit-reset': '2026-01-31T10:00:05.0000000Z',
    });
    await spend(bench, 48);
    const last = await bench.get('/v3/users');
    expect([last.status, last.headers.get('x-rate-limit-remaining')]).toEqual([200, '0']);
  });

  test('answers the 51st with a text, the seconds to wait and nothing else', async () => {
    const bench = createWorkbench({ rateLimit: VENDOR });
    await spend(bench, 50);
    await bench.clock.advance(1400);
    const reply = await bench.get('/v3/users');
    expect([reply.status, reply.text]).toEqual([
      429,
      'API calls quota exceeded! maximum admitted 50 per 5s.',
    ]);
    expect(reply.headers.get('content-type')).toBe('text/plain');
    expect(reply.headers.get('retry-after')).toBe('4');
    expect(reply.headers.get('x-rate-limit-remaining')).toBe(null);
    expect(bench.sandbox.requests.at(-1)?.status).toBe(429);
  });

  for (const [afterMs, retryAfter] of [
    [0, '5'],
    [1499, '4'],
    [1501, '3'],
    [4400, '1'],
    [5000, '1'],
  ] as const) {
    test(`after ${afterMs} ms it says to wait ${retryAfter} s`, async () => {
      const bench = createWorkbench({ rateLimit: VENDOR });
      await spend(bench, 50);
      await bench.clock.advance(afterMs);
      expect((await bench.get('/v3/users')).headers.get('retry-after')).toBe(retryAfter);
    });
  }

  test('the window is fixed from its first call on; the next begins just after its end', async () => {
    const bench = createWorkbench({ rateLimit: VENDOR });
    await bench.get('/v3/users');
    await bench.clock.advance(4900);
    await spend(bench, 49);
    await bench.clock.advance(100);
    expect((await bench.get('/v3/users')).status).toBe(429);
    await bench.clock.advance(1);
    expect((await bench.get('/v3/users')).headers.get('x-rate-limit-remaining')).toBe('49');
  });

  test('counts calls that are refused for other reasons, and changes nothing beyond it', async () => {
    const bench = createWorkbench({ rateLimit: { requests: 2, periodMs: 1000 } });
    await bench.call('GET', '/v3/users', { token: null });
    await bench.get('/v3/nothing');
    expect((await bench.post('/v3/licenses', { productId: 'p' })).status).toBe(429);
    expect(bench.sandbox.state.licenses).toEqual([]);
  });

  test('is the vendor’s unless said otherwise, and starts anew when cleared', async () => {
    const { sandbox, clock, ...bench } = createWorkbench();
    expect((await bench.get('/v3/users')).headers.get('x-rate-limit-limit')).toBe(null);
    const limited = createWorkbench({ rateLimit: VENDOR, rateLimitBody: 'json' });
    await spend(limited, 50);
    const refused = await limited.get('/v3/users');
    expect([refused.status, refused.body.message]).toEqual([429, expect.stringContaining('quota')]);
    limited.sandbox.clear();
    expect((await limited.get('/v3/users')).status).toBe(200);
  });
});
