// What the benchmarks send. Events of one payment, order or subscription are done one after the other, so that
// deliveries which share one would measure a queue and not the work.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CASES, createDeliveries, missingCase, SECRET } from '../../bench/events.ts';
import { ACTIONS } from '../../src/actions/definitions.ts';
import { PROVIDERS } from '../../src/core/providers.ts';
import { Secret } from '../../src/core/secret.ts';
import { loadRuleFile } from '../../src/engine/load/load.ts';
import { subjectsOf } from '../../src/engine/plan/match.ts';
import { createVerifier } from '../../src/verifiers/create-verifier.ts';

const SIGNED = CASES.filter((name) => name !== 'forged' && name !== 'duplicate');

for (const provider of PROVIDERS) {
  const cases = SIGNED.filter((name) => missingCase(provider, name) === undefined);
  test.each(cases)(`two deliveries of ${provider}, %s, have no subject in common`, async (name) => {
    const text = readFileSync(new URL(`../../rules/${provider}.yaml`, import.meta.url), 'utf8');
    const file = { file: `${provider}.yaml`, text, readBeside: () => undefined };
    const { ruleSet } = loadRuleFile(file, ACTIONS);
    if (ruleSet === undefined) throw new Error(`rules/${provider}.yaml has errors`);
    const verifier = createVerifier(provider, {
      secrets: [new Secret(SECRET)],
      toleranceSeconds: 3600,
    });
    const make = createDeliveries(provider, name, { run: 'test', customers: 2 });
    const subjects: string[] = [];
    for (const number of [0, 1]) {
      const { headers, body } = make(number);
      const [signature = ''] = Object.entries(headers).flatMap(([header, value]) =>
        header === 'content-type' ? [] : [value],
      );
      const request = { signature, rawBody: body, receivedAtMs: Date.now() };
      const { events } = await verifier.verify(request, provider);
      for (const event of events) subjects.push(...(await subjectsOf(ruleSet, event, {})));
    }
    expect(subjects.length).toBeGreaterThan(1);
    expect(new Set(subjects).size).toBe(subjects.length);
  });
}
