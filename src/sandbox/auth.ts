// Access tokens. Takes the Authorization header and the scopes a call needs, gives a refusal or none.
// Never decodes a token: in the sandbox it is only a name.

import { type Answer, refusal } from './answer.ts';
import type { SandboxOptions, TokenGrant } from './types.ts';

export const DEFAULT_TOKEN = 'sandbox-token';

export interface Gate {
  /** Undefined when the call may pass. Any one of `scopes` is enough. */
  refuse(header: string | null, scopes: readonly string[], nowMs: number): Answer | undefined;
}

export function createGate(options: SandboxOptions): Gate {
  const grants = new Map<string, TokenGrant>(Object.entries(options.tokens ?? {}));
  // A table without a token of its own shuts the default one out; otherwise it would stay open unseen.
  if (options.token !== undefined || options.tokens === undefined) {
    grants.set(options.token ?? DEFAULT_TOKEN, { scopes: 'all' });
  }
  const unauthorized = (message: string): Answer => {
    const headers = { 'www-authenticate': 'Bearer' };
    return options.unauthorizedBody === 'empty'
      ? { status: 401, headers, content: { kind: 'empty' } }
      : { ...refusal(401, message), headers };
  };

  return {
    refuse(header, scopes, nowMs) {
      const token = header === null ? undefined : /^Bearer +(\S+)$/i.exec(header)?.[1];
      if (token === undefined) return unauthorized('The access token is missing or malformed.');
      const grant = grants.get(token);
      if (grant === undefined) return unauthorized('The access token is not known.');
      if (grant.revoked === true) return unauthorized('The access token has been revoked.');
      if (grant.expiresAtMs !== undefined && grant.expiresAtMs <= nowMs) {
        return unauthorized('The access token has expired.');
      }
      const granted = grant.scopes;
      if (granted === 'all' || scopes.some((scope) => granted.includes(scope))) return undefined;
      return refusal(403, `The access token lacks the scope ${scopes.join(' or ')}.`);
    },
  };
}
