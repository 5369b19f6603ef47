// Looks for what must never stand in a log. Takes a run's secrets and its log, gives what was found.

import type { Keywright } from '../support/keywright.ts';
import { SECRETS } from '../support/keywright.ts';

/** Notes the passwords that are sent, which the sandbox itself does not keep. */
export function listenForPasswords({ sandbox }: Pick<Keywright, 'sandbox'>): readonly string[] {
  const passwords: string[] = [];
  sandbox.faults.onCall(({ body }) => {
    const password =
      typeof body === 'object' && body !== null && !Array.isArray(body) ? body['password'] : null;
    if (typeof password === 'string') passwords.push(password);
    return undefined;
  });
  return passwords;
}

/** Every secret thing of a run that its log holds; empty when all is well. */
export function secretsIn(
  log: readonly string[],
  { sandbox }: Pick<Keywright, 'sandbox'>,
  further: readonly string[] = [],
): readonly string[] {
  const keys = sandbox.state.licenses.map(({ key }) => key);
  const wanted = [...Object.values(SECRETS), 'sandbox-token', 'Bearer', ...keys, ...further];
  const text = log.join('');
  const found = wanted.filter((secret) => secret.length > 3 && text.includes(secret));
  const long = log
    .filter((line) => line.length > 8_000)
    .map((line) => `long: ${line.slice(0, 99)}`);
  return [...found, ...long];
}
