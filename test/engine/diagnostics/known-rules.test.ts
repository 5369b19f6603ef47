// Rules from files that were read when Keywright was built, loaded as a server loads them.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ACTIONS } from '../../../src/actions/definitions.ts';
import { PROVIDERS } from '../../../src/core/providers.ts';
import { noteYaml } from '../../../src/engine/diagnostics/prebuilt-yaml.ts';
import { loadRuleFile } from '../../../src/engine/load/load.ts';

function knowing(text: string): ReadonlyMap<string, string> {
  const noted = noteYaml(text);
  if (noted === undefined) throw new Error('it has findings');
  return new Map([noted]);
}

function inputOf(file: string) {
  return { file, text: readFileSync(file, 'utf8'), readBeside: () => undefined };
}

/** Without functions, which no comparison can look into. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, member: unknown) =>
      member instanceof Map || member instanceof Set ? [...member] : member,
    ),
  );
}

test.each(PROVIDERS)('the rules of %s are the same, known or read', (provider) => {
  const input = inputOf(`rules/${provider}.yaml`);
  const read = loadRuleFile(input, ACTIONS);
  const known = loadRuleFile(input, ACTIONS, { known: knowing(input.text) });
  expect(known.ruleSet).toBeDefined();
  expect(plain(known)).toEqual(plain(read));
});

test('settings of a rule test are checked, whatever is known of the file', () => {
  const input = inputOf('rules/fastspring.yaml');
  const options = { known: knowing(input.text), settings: { mode: 5 } };
  const { ruleSet, diagnostics } = loadRuleFile(input, ACTIONS, options);
  expect(ruleSet).toBeUndefined();
  expect(diagnostics).not.toEqual([]);
});

test('a mistake in a file that was known ends in the finding it always had', () => {
  const input = inputOf('rules/stripe.yaml');
  const broken = { ...input, text: input.text.replace('provider:', 'provder:') };
  const found = loadRuleFile(broken, ACTIONS, { known: knowing(input.text) });
  expect(found.ruleSet).toBeUndefined();
  expect(found.diagnostics).toEqual(loadRuleFile(broken, ACTIONS).diagnostics);
});
