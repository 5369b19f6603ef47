// What is told of a formula that cannot be read. Takes what JSONata's parser threw, gives a problem with its
// place and, where the mistake is a common one, a hint. Never parses anything itself.

import type { ExpressionProblem } from './refusals.ts';

/** What people write who come from other languages, and what they mean. */
const HABITS: readonly (readonly [RegExp, string])[] = [
  [/==/, 'Equality is one "=".'],
  [/&&/, 'Write "and".'],
  [/\|\|/, 'Write "or".'],
  [/(?:^|[^<>=])!(?!=)|(?:^|[\s(])not\s/, 'Write $not( … ).'],
  [/\$\{/, 'Join texts with "&".'],
  [/(?:^|\s)(?:\/\/|#)/, 'Comments inside a formula are /* … */.'],
];

/** The problem with a formula that JSONata's parser threw at. */
export function syntaxProblem(thrown: unknown, text: string): ExpressionProblem {
  const error = thrown as { code?: string; position?: number; token?: unknown; message?: string };
  const token = error.token === '(end)' ? '' : String(error.token ?? '');
  const end = error.position ?? text.length;
  // Some errors name a token that stands before the place where the parser gave up.
  const found = token === '' ? -1 : text.lastIndexOf(token, end - token.length);
  const offset = found === -1 ? Math.max(0, Math.min(end - token.length, text.length - 1)) : found;
  let hint = HABITS.find(([pattern]) => pattern.test(text))?.[1];
  if ((text.split('"').length - 1) % 2 === 1) {
    hint = 'A quote is never closed. YAML ends the line at " #": put the whole formula in quotes.';
  } else if (count(text, /[([{]/g) !== count(text, /[)\]}]/g)) {
    hint =
      'A bracket is never closed. In a { map } or [ list ] of YAML, put the formula in quotes.';
  }
  return {
    code: 'FORMULA_SYNTAX',
    message: (error.message ?? 'the formula cannot be read').replace(/\.$/, ''),
    offset,
    length: Math.max(1, token.length),
    ...(hint === undefined ? {} : { hint }),
  };
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
