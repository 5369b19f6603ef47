// What the shipped rules make of every shipped sample, and what changes when a seller fills the catalog
// or turns one of the settings. The tables in golden/ are the expectation; a change shows as a diff.

import { describe, expect, it } from 'vitest';
import { ACTIONS } from '../../../src/actions/definitions.ts';
import { PROVIDERS, type Provider } from '../../../src/core/providers.ts';
import { loadRuleFile } from '../../../src/engine/load/load.ts';
import { samples } from '../../support/read-samples.ts';
import {
  linesOf,
  match,
  sampleEvent,
  sampleEvents,
  shippedRules,
  shippedText,
} from '../support/rules.ts';
import { FASTSPRING } from './golden/fastspring.ts';
import { PADDLE } from './golden/paddle.ts';
import { STRIPE } from './golden/stripe.ts';
import { VARIANTS } from './golden/variants.ts';

const GOLDEN = { stripe: STRIPE, fastspring: FASTSPRING, paddle: PADDLE };

const SHIPPED = {
  stripe: shippedRules('stripe'),
  fastspring: shippedRules('fastspring'),
  paddle: shippedRules('paddle'),
};

describe('the shipped rule files', () => {
  it.each(PROVIDERS)('rules/%s.yaml loads without a finding', (provider) => {
    const input = {
      file: `rules/${provider}.yaml`,
      text: shippedText(provider),
      readBeside: () => undefined,
    };
    expect(loadRuleFile(input, ACTIONS).diagnostics).toEqual([]);
  });

  it.each(samples.filter(({ name }) => name !== 'v1.invoice.paid-thin'))(
    'make of $provider/$name what the table says',
    async ({ provider, name }) => {
      const rules = SHIPPED[provider];
      const lines: string[] = [];
      for (const event of sampleEvents(`${provider}/${name}`)) {
        lines.push(...linesOf(await match(rules, event)));
      }
      expect(lines).toEqual(GOLDEN[provider][name]);
    },
  );

  it('refuse the thin event before any rule is asked', () => {
    expect(() => sampleEvents('stripe/v1.invoice.paid-thin')).toThrow('thin');
  });

  it('are compared with no more and no fewer samples than there are', () => {
    const named = PROVIDERS.flatMap((provider) => Object.keys(GOLDEN[provider])).length;
    expect(named).toBe(samples.length - 1);
  });
});

describe('the shipped rules, set up by a seller', () => {
  for (const [name, sample, changes, wanted, payload] of VARIANTS) {
    it(name, async () => {
      const rules = shippedRules(sample.split('/')[0] as Provider, changes);
      const lines = linesOf(await match(rules, sampleEvent(sample, payload)));
      expect(lines).toHaveLength(wanted.length);
      for (const [index, line] of wanted.entries()) {
        if (typeof line === 'string') expect(lines[index]).toBe(line);
        else expect(lines[index]).toMatch(line);
      }
    });
  }
});
