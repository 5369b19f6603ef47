// The stages in order: what is accepted, which plan is followed, and that every attempt comes to an end.

import { describe, expect, test } from 'vitest';
import { ACTIONS } from '../../src/actions/definitions.ts';
import type { Execution } from '../../src/actions/execute.ts';
import { AppError } from '../../src/core/error-codes.ts';
import { createLogger } from '../../src/core/log.ts';
import type { PlannedStep, VerifiedDelivery, WebhookEvent } from '../../src/core/model.ts';
import { loadRuleFile } from '../../src/engine/load/load.ts';
import type { RuleSet } from '../../src/engine/rules/rule-set.ts';
import type { StoredPlan, TakenEvent } from '../../src/journal/journal.ts';
import { createMemoryJournal } from '../../src/journal/memory.ts';
import { createPipeline } from '../../src/pipeline/pipeline.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

const RULES = `
provider: stripe
subject: [=data.object.customer, =data.object.id]
rules:
  - id: suspends
    on: customer.created
    do:
      - license.suspend:
          find: { metadata: { customer: =data.object.id } }
  - id: ignored
    on: invoice.created
    ignore: Nothing to do.
  - id: needs-a-value
    on: invoice.paid
    do:
      - license.suspend:
          find: { metadata: { customer: =data.object.nothing } }
`;

function ruleSet(text = RULES): RuleSet {
  const input = { file: 'rules/stripe.yaml', text, readBeside: () => undefined };
  const { ruleSet: loaded, diagnostics } = loadRuleFile(input, ACTIONS);
  if (loaded === undefined) throw new Error(diagnostics.map(({ message }) => message).join('\n'));
  return loaded;
}

function event(type: string, members: Partial<WebhookEvent> = {}): WebhookEvent {
  return {
    source: 'stripe',
    provider: 'stripe',
    id: 'evt_1',
    type,
    timeMs: 1,
    live: true,
    payload: { id: 'evt_1', type, data: { object: { id: 'cus_1' } } },
    ...members,
  };
}

function scene(
  execute: (execution: Execution) => Promise<void> = async () => undefined,
  sets: ReadonlyMap<string, RuleSet> | (() => ReadonlyMap<string, RuleSet>) = new Map([
    ['stripe', ruleSet()],
  ]),
) {
  const clock = new VirtualClock();
  const journal = createMemoryJournal({ clock });
  const executed: PlannedStep[][] = [];
  const resumed: boolean[] = [];
  const pipeline = createPipeline({
    currentRules: () => ({ ruleSets: typeof sets === 'function' ? sets() : sets, env: {} }),
    journal,
    executor: {
      execute: async (execution) => {
        executed.push([...execution.plan.steps]);
        resumed.push(execution.isResumed);
        await execute(execution);
      },
    },
    clock,
    log: createLogger({ level: 'silent', format: 'json', write: () => undefined }),
    random: () => 0.5,
    recordCalls: (_calls, work) => work(),
  });
  const taken = (what: WebhookEvent, storedPlan?: StoredPlan): TakenEvent => ({
    key: `stripe:${what.id}`,
    event: what,
    subjects: [],
    attempt: 1,
    begunAtMs: clock.nowMs(),
    storedPlan,
    timerKey: undefined,
    replay: undefined,
  });
  return { pipeline, journal, clock, executed, resumed, taken };
}

describe('a delivery that is accepted', () => {
  test('is written down with its subjects, each under the name of its provider', async () => {
    const { pipeline, journal } = scene();
    const delivery = { events: [event('customer.created')] } as unknown as VerifiedDelivery;
    expect(await pipeline.accept(delivery)).toMatchObject([{ kind: 'queued' }]);
    expect(await journal.find('stripe:evt_1')).toMatchObject({ subjects: ['stripe:cus_1'] });
  });

  test('for a source without rules is written down all the same', async () => {
    const { pipeline, journal } = scene(undefined, new Map());
    const delivery = { events: [event('customer.created')] } as unknown as VerifiedDelivery;
    await pipeline.accept(delivery);
    expect(await journal.find('stripe:evt_1')).toMatchObject({ subjects: ['stripe:evt_1'] });
  });
});

describe('an attempt', () => {
  test('follows what the rules say today', async () => {
    const { pipeline, taken, executed, resumed } = scene();
    const { outcome } = await pipeline.process(taken(event('customer.created')), undefined);
    expect(outcome).toMatchObject({ status: 'done', rule: 'suspends' });
    expect(executed).toMatchObject([[{ action: 'license.suspend' }]]);
    expect(resumed).toEqual([false]);
  });

  test('is handled by one version of the rules, and stamped with it, whenever they change', async () => {
    const old = ruleSet();
    let now = old;
    const changeRules = (): void => {
      now = ruleSet(RULES.replace('id: suspends', 'id: suspends-anew'));
    };
    const { pipeline, taken, journal } = scene(
      async (execution) => {
        changeRules();
        await execution.beforeFirstWrite();
      },
      () => new Map([['stripe', now]]),
    );
    const delivery = { events: [event('customer.created')] } as unknown as VerifiedDelivery;
    await pipeline.accept(delivery);
    await journal.take();
    const attempt = await pipeline.process(taken(event('customer.created')), undefined);
    expect(attempt.outcome).toMatchObject({ status: 'done', rule: 'suspends' });
    expect(attempt.rulesHash).toBe(old.hash);
    const details = await journal.archive.details('stripe:evt_1');
    expect(details?.storedPlan).toMatchObject({ rulesHash: old.hash, rules: [{ id: 'suspends' }] });
    const next = await pipeline.process(taken(event('customer.created')), undefined);
    expect(next.outcome.rule).toBe('suspends-anew');
  });

  test('follows the stored plan, whatever the rules say by now', async () => {
    const { pipeline, taken, executed, resumed } = scene();
    const step = { action: 'license.revoke', input: {}, rule: 'old', location: 'x:1:1' };
    const rules = [{ id: 'old', file: 'rules/stripe.yaml', line: 1 }];
    const stored = { plan: { steps: [step] }, rules, rulesHash: 'h' };
    const { outcome } = await pipeline.process(taken(event('invoice.created'), stored), undefined);
    expect(outcome).toMatchObject({ status: 'done', rule: 'old' });
    expect(executed).toEqual([[step]]);
    expect(resumed).toEqual([true]);
  });

  test('stores its plan before the first write, and only then', async () => {
    const first = scene((execution) => execution.beforeFirstWrite());
    const delivery = { events: [event('customer.created')] } as unknown as VerifiedDelivery;
    await first.pipeline.accept(delivery);
    const taken = await first.journal.take();
    if (taken === undefined) throw new Error('nothing was accepted');
    await first.pipeline.process(taken, undefined);
    await first.journal.settle(taken.key, {
      outcome: { eventId: 'evt_1', status: 'queued', message: '' },
      wakesWaiting: false,
    });
    expect((await first.journal.take())?.storedPlan).toMatchObject({
      plan: { steps: [{ action: 'license.suspend' }] },
      rules: [{ id: 'suspends' }],
    });
  });

  for (const [type, status, code] of [
    ['invoice.created', 'ignored', undefined],
    ['charge.refunded', 'unmatched', undefined],
    ['invoice.paid', 'failed', 'FIELD_MISSING'],
  ] as const) {
    test(`at ${type} ends as ${status}, with nothing executed`, async () => {
      const { pipeline, taken, executed } = scene();
      const { outcome, dueAtMs } = await pipeline.process(taken(event(type)), undefined);
      expect([outcome.status, dueAtMs, executed]).toEqual([status, undefined, []]);
      if (code !== undefined) expect(outcome.failure?.problems.length).toBeGreaterThan(0);
      expect(outcome.reason).toBeTruthy();
    });
  }

  test('at an event whose source has no rules any more fails, and says so', async () => {
    const { pipeline, taken } = scene(undefined, new Map());
    const { outcome } = await pipeline.process(taken(event('customer.created')), undefined);
    expect(outcome).toMatchObject({ status: 'failed', failure: { code: 'SOURCE_UNKNOWN' } });
  });

  for (const [name, error, status] of [
    ['an exception nobody expected', new TypeError('x is undefined'), 'queued'],
    ['something that is no error', 'a text', 'queued'],
    ['the journal away', new AppError('JOURNAL_UNAVAILABLE', 'disk full'), 'queued'],
    ['a conflict', new AppError('CONFLICT', 'p1 and p2'), 'failed'],
  ] as const) {
    test(`that meets ${name} ends as ${status}, with what was done so far`, async () => {
      const { pipeline, taken } = scene(async ({ progress }) => {
        progress.userId = 'u1';
        progress.licenseIds.add('l1');
        const result = { kind: 'applied', targetId: 'l1' } as const;
        progress.operations.push({ action: 'license.create', result });
        throw error;
      });
      const settlement = await pipeline.process(taken(event('customer.created')), undefined);
      expect(settlement).toMatchObject({
        outcome: { status, rule: 'suspends', userId: 'u1', licenseIds: ['l1'] },
        wakesWaiting: true,
      });
    });
  }

  test('that breaks before it has a plan ends as queued: nothing is left in work', async () => {
    const broken = { ...ruleSet(), rulesByType: undefined } as unknown as RuleSet;
    const { pipeline, taken, clock } = scene(undefined, new Map([['stripe', broken]]));
    const settlement = await pipeline.process(taken(event('customer.created')), undefined);
    expect(settlement).toMatchObject({
      outcome: { status: 'queued', reason: 'an unexpected error' },
      dueAtMs: clock.nowMs() + 1_000,
    });
  });
});
