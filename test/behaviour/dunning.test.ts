// Dunning with grace, switched on as docs/dunning.md tells it: the parts of the examples copied into the
// shipped files. They are without findings, their tests pass, and so do those of the shipped files but for
// the few that expect of a failed payment what is different now.

import { readFileSync, rmSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { ACTIONS } from '../../src/actions/definitions.ts';
import { runTests } from '../../src/authoring/rule-tests/run-files.ts';
import { PROVIDERS } from '../../src/core/providers.ts';
import { createInspection, loadKnownShapes } from '../../src/engine/lint/inspect.ts';
import { loadRuleFile } from '../../src/engine/load/load.ts';
import { dunningRules, withDunning } from '../support/dunning-rules.ts';
import { startKeywright, withKeywright } from '../support/keywright.ts';

const folder = dunningRules();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the shipped rules with dunning', () => {
  test.each(PROVIDERS)('of %s have no findings', async (provider) => {
    const text = readFileSync(`${folder}/${provider}.yaml`, 'utf8');
    const input = { file: `${provider}.yaml`, text, readBeside: () => undefined };
    const inspect = createInspection(await loadKnownShapes(), ACTIONS);
    expect(loadRuleFile(input, ACTIONS, { inspect }).diagnostics).toEqual([]);
  });

  test('do what their tests say, and what the shipped ones say, but for failed payments', async () => {
    const options = { pattern: undefined, rulesDir: folder, coveredRules: [] };
    const { results, findings } = await runTests({ paths: [`${folder}/tests`], ...options });
    expect(findings).toEqual([]);
    expect(results.length).toBeGreaterThan(120);
    const failed = results.filter(({ failures }) => failures.length > 0);
    expect(failed.map(({ testCase }) => testCase.name).sort()).toEqual([
      'an old reminder that comes late does not undo the payment',
      'buy, fail, suspend, pay, resume, renew on the last day of January, cancel, deactivate',
      'buy, renew on the last day of January, fail, suspend, pay late, resume, cancel',
    ]);
  });

  test('are refused at the start where the journal forgets, each at its place', async () => {
    const rules = { paddle: () => withDunning('paddle') };
    const refused = startKeywright({ providers: ['paddle'], rules }).then(
      () => '',
      (error: Error) => error.message,
    );
    expect(await refused).toMatch(/paddle\.yaml:\d+:\d+: rule "past-due".*\[TIMER_NEEDS_JOURNAL\]/);
  });

  test('leave everybody else alone: a file without them starts on memory: as ever', async () => {
    await withKeywright({ providers: ['paddle'] }, async ({ server }) => {
      expect(server.keepsState).toBe(false);
    });
  });
});

test('a clock whose key the event is not about fails the event, and says what it is about', async () => {
  const paddle = (text: string) =>
    text.replace(
      /^rules:\n/m,
      `rules:
  - id: past-due
    on: subscription.past_due
    after: P7D
    timer: { grace: =data.address_id }
    do:
      - license.suspend:
          find: { metadata: { paddle_subscription_id: =data.id } }
  - id: forgiven
    on: subscription.activated
    cancels: { grace: =data.address_id }
`,
    );
  const text = paddle(readFileSync(new URL('../../rules/paddle.yaml', import.meta.url), 'utf8'));
  const input = { file: 'paddle.yaml', text, readBeside: () => undefined };
  const codes = loadRuleFile(input, ACTIONS).diagnostics.map(({ code }) => code);
  // The shipped renewal brings licenses back, and leaves this clock running.
  expect(new Set(codes)).toEqual(new Set(['TIMER_PAYMENT']));
  const env = { DATABASE_URL: `sqlite:${folder}/journal.db` };
  await withKeywright({ providers: ['paddle'], rules: { paddle }, env }, async (keywright) => {
    const { status, json } = await keywright.sendSample('paddle', 'subscription.past_due');
    expect(status).toBe(400);
    expect(json['error']).toBe('TIMER_KEY');
    expect(json['message']).toContain('but the event is about');
  });
});
