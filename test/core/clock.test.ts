// The two clocks: the system's, and the one that tests own.

import { describe, expect, it } from 'vitest';
import { createSystemClock } from '../../src/core/clock.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

describe('the system clock', () => {
  it('sleeps at least that long and says so', async () => {
    const clock = createSystemClock();
    const startMs = performance.now();
    expect(await clock.sleep(20)).toBe(true);
    // Node's timers may fire up to a millisecond early.
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(19);
  });
  it('ends a sleep at once when it is aborted, before or during', async () => {
    const clock = createSystemClock();
    expect(await clock.sleep(60_000, AbortSignal.abort())).toBe(false);
    const giving = new AbortController();
    const sleeping = clock.sleep(60_000, giving.signal);
    giving.abort();
    expect(await sleeping).toBe(false);
  });
  it('does not wake at once from a sleep longer than a timer can be', async () => {
    const clock = createSystemClock();
    const giving = new AbortController();
    const sleeping = clock.sleep(30 * 24 * 3_600_000, giving.signal);
    expect(await Promise.race([sleeping, clock.sleep(20).then(() => 'still asleep')])).toBe(
      'still asleep',
    );
    giving.abort();
    expect(await sleeping).toBe(false);
  });
  it('takes a negative time for none', async () => {
    expect(await createSystemClock().sleep(-5)).toBe(true);
  });
  it('tells the time of the machine', () => {
    expect(Math.abs(createSystemClock().nowMs() - Date.now())).toBeLessThan(1000);
  });
});

describe('the virtual clock', () => {
  it('ends sleeps in the order in which they are due, each at its moment', async () => {
    const clock = new VirtualClock({ startMs: 0 });
    const ended: string[] = [];
    const note = (name: string) => () => ended.push(`${name}@${clock.nowMs()}`);
    void clock.sleep(30).then(note('c'));
    void clock
      .sleep(10)
      .then(note('a'))
      .then(() => clock.sleep(10))
      .then(note('b'));
    void clock.sleep(30).then(note('d'));
    await clock.advance(29);
    expect(ended).toEqual(['a@10', 'b@20']);
    await clock.advance(1);
    expect(ended).toEqual(['a@10', 'b@20', 'c@30', 'd@30']);
    expect(clock.nowMs()).toBe(30);
  });
  it('runs until nothing sleeps', async () => {
    const clock = new VirtualClock({ startMs: 0 });
    const done = clock.sleep(5).then(() => clock.sleep(7));
    await clock.runUntilIdle();
    expect(await done).toBe(true);
    expect(clock.nowMs()).toBe(12);
    expect(clock.sleeping).toBe(0);
  });
  it('gives false for an aborted sleep and forgets it', async () => {
    const clock = new VirtualClock();
    const giving = new AbortController();
    const sleeping = clock.sleep(5, giving.signal);
    giving.abort();
    expect(await sleeping).toBe(false);
    expect(await clock.sleep(5, giving.signal)).toBe(false);
    expect(clock.nextDueMs).toBeUndefined();
  });
  it('with autoAdvance needs nobody to move it', async () => {
    const clock = new VirtualClock({ startMs: 0, autoAdvance: true });
    const ended: number[] = [];
    await Promise.all([50, 20].map((ms) => clock.sleep(ms).then(() => ended.push(clock.nowMs()))));
    expect(ended).toEqual([20, 50]);
  });
});
