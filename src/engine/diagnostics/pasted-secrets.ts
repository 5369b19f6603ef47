// Secrets that were pasted into a file, wherever they stand: in a value, a key or a comment. Takes a text,
// reports each at its place, and hides them where a line of the file is shown.

import type { Findings } from './findings.ts';

/** How secrets of the providers, of Cryptlex and of other well-known services look. */
const SECRETS: readonly (readonly [pattern: RegExp, what: string])[] = [
  [/\bwhsec_[A-Za-z0-9+/=_-]{8,}/g, 'a signing secret of Stripe'],
  [/\b(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{8,}/g, 'a secret key of Stripe'],
  [/\bpdl_ntfset_[A-Za-z0-9_+/=-]{8,}/g, 'a signing secret of Paddle'],
  [/\bpdl_(?:live|sdbx)_[A-Za-z0-9_]{8,}/g, 'an API key of Paddle'],
  [/\beyJ[\w-]{16,}\.[\w-]{8,}(?:\.[\w-]*)?/g, 'an access token'],
  [
    /\b(?:ghp|gho|ghs|github_pat)_\w{20,}|\bAKIA[A-Z0-9]{16}\b|\bxox[bp]-[\w-]{10,}/g,
    'an access token',
  ],
  [/-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/g, 'a private key'],
  [/\bpostgres(?:ql)?:\/\/[^\s:@/]+:[^\s@/]{3,}@/g, 'a password of a database'],
];

/** Reports every secret in a text. */
export function lintSecrets(file: string, text: string, findings: Findings): void {
  if (!SECRETS.some(([pattern]) => text.search(pattern) !== -1)) return;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    for (const [pattern, what] of SECRETS) {
      for (const { index: start, 0: secret } of line.matchAll(pattern)) {
        const location = { file, line: index + 1, column: start + 1 };
        const options = { location, length: secret.length };
        findings.error('RULE_SECRET', `this looks like ${what}`, options);
      }
    }
  }
}

/** The same line with its secrets unreadable, and every character where it was. */
export function hideSecrets(line: string): string {
  return SECRETS.reduce(
    (rest, [pattern]) =>
      rest.replaceAll(pattern, (secret) => secret.slice(0, 6) + '*'.repeat(secret.length - 6)),
    line,
  );
}
