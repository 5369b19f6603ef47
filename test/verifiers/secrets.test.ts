// Signing secrets as operators write them.

import { expect, test } from 'vitest';
import { parseSecrets } from '../../src/verifiers/signature-mismatch.ts';

test.each([
  ['one', 'whsec_a', ['whsec_a']],
  ['several, for rotation', 'whsec_a,whsec_b,whsec_c', ['whsec_a', 'whsec_b', 'whsec_c']],
  ['spaces after the commas', 'whsec_a, whsec_b', ['whsec_a', 'whsec_b']],
  ['a pasted line break', '\twhsec_a\r\n', ['whsec_a']],
  ['a space inside is kept', 'my own secret', ['my own secret']],
  ['signs of base64', 'pdl_ntfset_01_a+/b==', ['pdl_ntfset_01_a+/b==']],
])('%s', (_name, text, values) => {
  expect(parseSecrets(text).map((secret) => secret.reveal())).toEqual(values);
});

test.each([
  ['nothing', ''],
  ['spaces', ' \t\n'],
  ['a comma', ','],
  ['a comma behind', 'whsec_a,'],
  ['a comma before', ',whsec_a'],
  ['a blank between', 'whsec_a, ,whsec_b'],
])('%s: refused, and no secret is shown', (_name, text) => {
  const parse = () => parseSecrets(text);
  expect(parse).toThrow(expect.objectContaining({ code: 'ENV_BLANK' }));
  expect(parse).not.toThrow(/whsec/);
});
