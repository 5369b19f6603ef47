// The contract's table of answers, row by row.

import { describe, expect, it } from 'vitest';
import { AppError, ERRORS } from '../../src/core/error-codes.ts';
import { EVENT_STATUSES, type EventOutcome, type EventStatus } from '../../src/core/model.ts';
import { answerDelivery, answerError, answerInternal } from '../../src/server/responses.ts';

const problem = {
  code: 'FIELD_MISSING',
  message: 'no `email`',
  hint: undefined,
  location: 'rules/stripe.yaml:4:9',
} as const;
const failure = {
  code: 'FIELD_MISSING',
  message: 'customer.email is missing',
  hint: 'Look there.',
  problems: [problem],
} as const;

function outcome(status: EventStatus, more: Partial<EventOutcome> = {}): EventOutcome {
  return { eventId: `e-${status}`, status, message: `it is ${status}`, ...more };
}
const rejected = outcome('unmatched', { rejected: true, message: 'no rule names a.b' });
const letPass = outcome('unmatched', { rejected: false });
const failed = outcome('failed', { failure });

const durable = { isBatch: false, journalKeepsState: true };
const memory = { isBatch: false, journalKeepsState: false };

describe('one event is answered', () => {
  const rows: [string, EventOutcome, number, number][] = [
    // name, outcome, with a journal that lasts, on memory:
    ['done', outcome('done'), 200, 200],
    ['done already', outcome('done', { duplicate: true }), 200, 200],
    ['ignored', outcome('ignored'), 200, 200],
    ['unmatched under ignore', letPass, 200, 200],
    ['unmatched under reject', rejected, 400, 400],
    ['failed', failed, 400, 400],
    ['queued', outcome('queued'), 200, 503],
    ['running at the deadline', outcome('running'), 200, 503],
    ['waiting for its license', outcome('waiting'), 200, 503],
    ['parked by a refused token', outcome('parked'), 200, 503],
  ];
  for (const [name, event, lasting, inMemory] of rows) {
    it(`${name}: ${lasting}, on memory: ${inMemory}`, () => {
      expect(answerDelivery([event], durable).status).toBe(lasting);
      expect(answerDelivery([event], memory).status).toBe(inMemory);
    });
  }

  it('the table above names every status', () => {
    const named = new Set(rows.map(([, { status }]) => status));
    expect([...named].sort()).toEqual([...EVENT_STATUSES].sort());
  });

  it('with everything that applies', () => {
    const event = outcome('done', {
      rule: 'invoice-paid',
      userId: 'u1',
      licenseIds: ['l1', 'l2'],
      duplicate: true,
      reason: 'seen before',
    });
    expect(answerDelivery([event], durable).body).toEqual({
      message: 'it is done',
      status: 'done',
      eventId: 'e-done',
      rule: 'invoice-paid',
      userId: 'u1',
      licenseIds: ['l1', 'l2'],
      duplicate: true,
      reason: 'seen before',
    });
  });

  it('with nothing that does not apply', () => {
    const event = outcome('done', { duplicate: false, licenseIds: [] });
    expect(answerDelivery([event], durable).body).toEqual({
      message: 'it is done',
      status: 'done',
      eventId: 'e-done',
    });
  });

  it('as queued while it is still running', () => {
    expect(answerDelivery([outcome('running')], durable).body).toMatchObject({ status: 'queued' });
  });

  it('with event, user, licenses so far, reason and problems when it failed', () => {
    const event = { ...failed, rule: 'r', userId: 'u1', licenseIds: ['l1'] };
    expect(answerDelivery([event], durable)).toEqual({
      status: 400,
      headers: {},
      codes: ['FIELD_MISSING'],
      body: {
        message: `${ERRORS.FIELD_MISSING.title}: customer.email is missing. Look there.`,
        error: 'FIELD_MISSING',
        details: {
          eventId: 'e-failed',
          rule: 'r',
          userId: 'u1',
          licenseIds: ['l1'],
          reason: 'customer.email is missing',
          problems: [
            { code: 'FIELD_MISSING', message: 'no `email`', location: 'rules/stripe.yaml:4:9' },
          ],
        },
      },
    });
  });

  it('with user null and no licenses when it failed before anything was done', () => {
    const { body } = answerDelivery([failed], durable);
    expect(body).toMatchObject({ details: { userId: null, licenseIds: [] } });
  });

  it('EVENT_UNMATCHED, with the registry’s hint, when its type is not named', () => {
    const { body } = answerDelivery([rejected], durable);
    const { title, hint } = ERRORS.EVENT_UNMATCHED;
    expect(body).toMatchObject({
      error: 'EVENT_UNMATCHED',
      message: `${title}: no rule names a.b. ${hint}`,
      details: { eventId: 'e-unmatched', problems: [] },
    });
  });

  it('NOT_FINISHED on memory:, with what was searched', () => {
    const event = outcome('waiting', { reason: 'no license has stripe_subscription_id=sub_1' });
    expect(answerDelivery([event], memory).body).toMatchObject({
      error: 'NOT_FINISHED',
      details: {
        eventId: 'e-waiting',
        status: 'waiting',
        reason: 'no license has stripe_subscription_id=sub_1',
      },
    });
  });

  it('400 INTERNAL when it failed and nobody says why', () => {
    const { status, body } = answerDelivery([outcome('failed')], durable);
    expect({ status, body }).toMatchObject({ status: 400, body: { error: 'INTERNAL' } });
  });
});

describe('a fixed answer', () => {
  const fixed = { ...durable, fixedAnswer: { received: true } };
  const rows: [string, EventOutcome, object][] = [
    ['replaces the body of done', outcome('done'), { received: true }],
    ['replaces the body of queued', outcome('queued'), { received: true }],
    ['leaves a failure as it is', failed, { error: 'FIELD_MISSING' }],
  ];
  for (const [name, event, body] of rows) {
    it(name, () => expect(answerDelivery([event], fixed).body).toMatchObject(body));
  }
  it('leaves the 503 of memory: as it is', () => {
    const { body } = answerDelivery([outcome('queued')], { ...fixed, journalKeepsState: false });
    expect(body).toMatchObject({ error: 'NOT_FINISHED' });
  });
  it('replaces the body of a batch', () => {
    const events = [outcome('done'), outcome('ignored')];
    expect(answerDelivery(events, { ...fixed, isBatch: true }).body).toEqual({ received: true });
  });
  it('never replaces the ids of a 202', () => {
    const events = [outcome('done'), failed];
    expect(answerDelivery(events, { ...fixed, isBatch: true }).body).toBe('e-done');
  });
});

describe('a batch is answered', () => {
  const batch = { isBatch: true, journalKeepsState: true };
  const inMemory = { isBatch: true, journalKeepsState: false };
  const rows: [string, EventOutcome[], typeof batch, number, string | undefined][] = [
    ['all fine', [outcome('done'), outcome('ignored'), letPass], batch, 200, undefined],
    ['all stored', [outcome('done'), outcome('waiting')], batch, 200, undefined],
    ['one failed', [outcome('done'), failed], batch, 202, 'e-done'],
    ['one unsupported type', [rejected, outcome('done')], batch, 202, 'e-done'],
    [
      'stored ones beside a failed one',
      [outcome('queued'), failed, outcome('ignored'), outcome('parked')],
      batch,
      202,
      'e-queued\ne-ignored\ne-parked',
    ],
    ['all failed or unmatched', [failed, rejected], batch, 400, undefined],
    ['all fine on memory:', [outcome('done'), outcome('ignored')], inMemory, 200, undefined],
    ['one failed on memory:', [outcome('done'), failed], inMemory, 202, 'e-done'],
    ['one queued on memory:', [outcome('done'), outcome('queued')], inMemory, 503, undefined],
    ['queued and failed on memory:', [failed, outcome('running')], inMemory, 503, undefined],
    ['all failed on memory:', [failed, rejected], inMemory, 400, undefined],
  ];
  for (const [name, events, facts, status, text] of rows) {
    it(`${name}: ${status}`, () => {
      const answer = answerDelivery(events, facts);
      expect(answer.status).toBe(status);
      if (text !== undefined) expect(answer.body).toBe(text);
      else expect(answer.body).toHaveProperty('events.length', events.length);
    });
  }

  it('with one entry for each event and a count in plain words', () => {
    const events = [outcome('done', { userId: 'u1' }), outcome('ignored'), outcome('ignored')];
    expect(answerDelivery(events, batch).body).toMatchObject({
      message: '3 events: 1 done, 2 ignored',
      events: [{ eventId: 'e-done', userId: 'u1' }, { status: 'ignored' }, { status: 'ignored' }],
    });
  });

  it('with the code of each when all failed, and the first as its own', () => {
    expect(answerDelivery([failed, rejected], batch)).toMatchObject({
      codes: ['FIELD_MISSING', 'EVENT_UNMATCHED'],
      body: {
        error: 'FIELD_MISSING',
        details: {},
        events: [
          { eventId: 'e-failed', error: 'FIELD_MISSING', problems: [{ message: 'no `email`' }] },
          { eventId: 'e-unmatched', error: 'EVENT_UNMATCHED' },
        ],
      },
    });
  });
});

describe('an error is answered', () => {
  it('with title, detail and hint, and the status of its code', () => {
    const error = new AppError('SIGNATURE_STALE', '301 s old.', { hint: 'Look at the clock.' });
    expect(answerError(error, { details: { a: 1 }, headers: { allow: 'POST' } })).toEqual({
      status: 400,
      headers: { allow: 'POST' },
      codes: ['SIGNATURE_STALE'],
      body: {
        message: 'The signature is too old: 301 s old. Look at the clock.',
        error: 'SIGNATURE_STALE',
        details: { a: 1 },
      },
    });
  });

  it('as INTERNAL, without its detail, when its code is none for senders', () => {
    for (const code of ['ENV_FILE', 'INTERNAL'] as const) {
      const answer = answerError(new AppError(code, 'the password is hunter2'));
      expect(answer).toEqual(answerInternal());
      expect(JSON.stringify(answer)).not.toContain('hunter2');
    }
  });
});
