// The address of the Cryptlex Web API. Takes what the operator wrote, gives it without a trailing
// slash and without `/v3`, which the paths of the API hold already. Never contacts it.

import { AppError } from '../core/error-codes.ts';

/**
 * Accepts the address with and without `/v3`, since the vendor's own pages name both; taken as it
 * is, one of them would give `/v3/v3/…`.
 * @throws ENV_INVALID when it is no http(s) address, or holds a user name, a query or a fragment
 */
export function normalizeBaseUrl(text: string): string {
  const trimmed = text.trim();
  const url = URL.canParse(trimmed) ? new URL(trimmed) : undefined;
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new AppError('ENV_INVALID', 'the base URL of Cryptlex is no http(s) address');
  }
  // The address itself is not repeated in the message: a user name in it comes with a password.
  if (url.username !== '' || url.password !== '') {
    throw new AppError('ENV_INVALID', 'the base URL of Cryptlex holds a user name or password');
  }
  if (/[?#]/.test(trimmed)) {
    throw new AppError('ENV_INVALID', 'the base URL of Cryptlex holds a query or a fragment');
  }
  const path = url.pathname.replace(/\/+$/, '').replace(/\/v3$/i, '').replace(/\/+$/, '');
  return url.origin + path;
}
