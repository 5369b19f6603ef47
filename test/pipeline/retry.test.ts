// What follows from a failure: both sides of each limit.

import { describe, expect, test } from 'vitest';
import { MissingLicense, RetryLater } from '../../src/actions/failures.ts';
import { AppError } from '../../src/core/error-codes.ts';
import { createLogger } from '../../src/core/log.ts';
import { CryptlexError } from '../../src/cryptlex/errors.ts';
import type { RuleSet } from '../../src/engine/rules/rule-set.ts';
import { backOffMs, lookAgainMs, settleFailure } from '../../src/pipeline/retry.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

interface Situation {
  readonly attempt?: number;
  readonly elapsedMs?: number;
  readonly random?: number;
}

/** The status that follows, and in how long it is worked on again. */
function follows(error: unknown, { attempt = 1, elapsedMs = 0, random = 0.5 }: Situation = {}) {
  const clock = new VirtualClock();
  const lines: string[] = [];
  const log = createLogger({ level: 'info', format: 'json', write: (line) => lines.push(line) });
  const event = {
    source: 'stripe',
    provider: 'stripe',
    id: 'evt_1',
    type: 't',
    timeMs: 0,
    live: true,
    payload: {},
  } as const;
  const { outcome, dueAtMs } = settleFailure(
    error,
    {
      taken: {
        key: 'stripe:evt_1',
        event,
        subjects: [],
        attempt,
        begunAtMs: clock.nowMs() - elapsedMs,
        storedPlan: undefined,
        timerKey: undefined,
        replay: undefined,
      },
      rule: 'r',
      ruleSet: { settings: { waitForMs: DAY_MS } } as RuleSet,
      progress: { userId: 'u1', licenseIds: new Set(['l1']), operations: [] },
    },
    { clock, log, random: () => random },
  );
  expect(outcome).toMatchObject({ eventId: 'evt_1', userId: 'u1', licenseIds: ['l1'] });
  return {
    status: outcome.status,
    code: outcome.failure?.code,
    inMs: dueAtMs === undefined ? undefined : dueAtMs - clock.nowMs(),
    reason: outcome.reason,
    lines,
  };
}

const unavailable = (more: { retryAfterMs?: number; aborted?: boolean } = {}) =>
  new CryptlexError('CRYPTLEX_UNAVAILABLE', 'GET /v3/users was answered with 503', {
    effect: 'none',
    ...more,
  });

describe('the back-off', () => {
  for (const [attempt, elapsedMs, expectedMs] of [
    [1, 0, 1_000],
    [2, 0, 2_000],
    [5, 0, 16_000],
    [6, 0, 30_000],
    [40, 10 * MINUTE_MS - 1, 30_000],
    [6, 10 * MINUTE_MS, 32_000],
    [10, 10 * MINUTE_MS, 512_000],
    [11, 10 * MINUTE_MS, 15 * MINUTE_MS],
    [100_000, DAY_MS, 15 * MINUTE_MS],
  ] as const) {
    test(`before attempt ${attempt + 1}, ${elapsedMs} ms after the first: ${expectedMs} ms`, () => {
      expect(backOffMs(attempt, elapsedMs, 0.5)).toBe(expectedMs);
      expect(backOffMs(attempt, elapsedMs, 0)).toBe(expectedMs * 0.75);
      expect(backOffMs(attempt, elapsedMs, 0.999_999_9)).toBe(expectedMs * 1.25);
    });
  }

  for (const [askedMs, expectedMs] of [
    [999, 1_000],
    [7_000, 7_000],
    [15 * MINUTE_MS, 15 * MINUTE_MS],
    [DAY_MS, 15 * MINUTE_MS],
  ] as const) {
    test(`Retry-After of ${askedMs} ms is waited for ${expectedMs} ms`, () => {
      expect(follows(unavailable({ retryAfterMs: askedMs })).inMs).toBe(expectedMs);
    });
  }
});

describe('the horizon of three days', () => {
  for (const [name, error] of [
    ['Cryptlex away', unavailable()],
    ['the journal away', new AppError('JOURNAL_UNAVAILABLE', 'disk full')],
    ['an unexpected exception', new TypeError('x is undefined')],
    ['an unclear call', new RetryLater('no answer', 0)],
  ] as const) {
    test(`${name}: tried again until then, failed after`, () => {
      expect(follows(error, { elapsedMs: 3 * DAY_MS })).toMatchObject({ status: 'queued' });
      expect(follows(error, { elapsedMs: 3 * DAY_MS + 1 })).toMatchObject({
        status: 'failed',
        inMs: undefined,
      });
    });
  }

  test('a call that the shutdown broke off does not end an event, however old it is', () => {
    const aborted = unavailable({ aborted: true });
    expect(follows(aborted, { elapsedMs: 4 * DAY_MS }).status).toBe('queued');
    const unclear = new RetryLater('given up', 0, aborted);
    expect(follows(unclear, { elapsedMs: 4 * DAY_MS }).status).toBe('queued');
  });
});

describe('an unclear call', () => {
  test('is read back when it can no longer commit, not before', () => {
    const { nowMs } = { nowMs: new VirtualClock().nowMs() };
    const error = new RetryLater('no answer', nowMs + 15_000);
    expect(follows(error)).toMatchObject({ status: 'queued', inMs: 15_000 });
    expect(follows(error, { attempt: 30, elapsedMs: DAY_MS }).inMs).toBe(15 * MINUTE_MS);
  });
});

describe('a refused token', () => {
  test('parks the event, for as long as it takes', () => {
    const error = new CryptlexError('CRYPTLEX_TOKEN', '401', { effect: 'none', status: 401 });
    for (const elapsedMs of [0, 30 * DAY_MS]) {
      expect(follows(error, { elapsedMs })).toMatchObject({ status: 'parked', inMs: MINUTE_MS });
    }
  });
});

describe('a missing license', () => {
  for (const [elapsedMs, expectedMs] of [
    [0, 30_000],
    [30_000, 30_000],
    [30_001, 30_001],
    [HOUR_MS, HOUR_MS],
    [HOUR_MS + 1, HOUR_MS],
  ] as const) {
    test(`is looked for again ${expectedMs} ms after ${elapsedMs} ms`, () => {
      expect(lookAgainMs(elapsedMs)).toBe(expectedMs);
    });
  }

  test('is waited for until the horizon and looked for once more at that moment', () => {
    const error = new MissingLicense('none');
    expect(follows(error)).toMatchObject({ status: 'waiting', inMs: 30_000 });
    expect(follows(error, { elapsedMs: DAY_MS - 1 })).toMatchObject({ status: 'waiting', inMs: 1 });
    expect(follows(error, { elapsedMs: DAY_MS })).toMatchObject({
      status: 'failed',
      code: 'LICENSE_NOT_FOUND',
    });
  });

  test('to be deleted is done after the horizon, and says that there was nothing', () => {
    const error = new MissingLicense('found no license with sub = s1', { isFine: true });
    expect(follows(error, { elapsedMs: DAY_MS - 1 }).status).toBe('waiting');
    const ended = follows(error, { elapsedMs: DAY_MS });
    expect(ended).toMatchObject({ status: 'done', inMs: undefined });
    expect(ended.reason).toContain('sub = s1');
  });
});

describe('what is final', () => {
  for (const code of ['CRYPTLEX_REFUSED', 'CONFLICT', 'FILTER_EMPTY', 'DELETE_TOO_MANY'] as const) {
    test(`${code} fails at once`, () => {
      expect(follows(new AppError(code, 'm'))).toMatchObject({ status: 'failed', code });
    });
  }
});

test('an unexpected exception is logged with its stack, and told without its message', () => {
  const { status, reason, lines } = follows(new TypeError('secret detail'));
  expect([status, reason]).toEqual(['queued', 'an unexpected error']);
  expect(lines.join('')).toContain('retry.test.ts');
});
