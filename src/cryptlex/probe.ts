// Whether Cryptlex answers at all. Takes a client, asks for a user and a license that nobody has, gives what that
// tells: one of both routes that answers is enough. Costs Cryptlex nothing, and changes nothing.

import { AppError } from '../core/error-codes.ts';
import type { CryptlexClient } from './client.ts';
import { CryptlexError } from './errors.ts';

/** No object has it. */
export const NOBODY = '00000000-0000-0000-0000-000000000000';

/** What a call tells of Cryptlex, whatever it found. */
export type Reach =
  | { readonly kind: 'fine' }
  /** It answers, but refuses our token, or lets it do less than was asked. */
  | { readonly kind: 'refused'; readonly status: number | undefined }
  | { readonly kind: 'failed'; readonly error: AppError };

type ProbeClient = Pick<CryptlexClient, 'getUser' | 'getLicense'>;

/** Both routes at once: only when neither answers is Cryptlex away. */
export async function probe(client: ProbeClient, signal?: AbortSignal): Promise<Reach> {
  const [user, license] = await Promise.all([
    probeRoute('user', client, signal),
    probeRoute('license', client, signal),
  ]);
  const reaches = [user, license];
  return (
    reaches.find(({ kind }) => kind === 'fine') ??
    reaches.find(({ kind }) => kind === 'refused') ??
    user
  );
}

/** One of them, while Cryptlex is known to be away. */
export function probeRoute(
  route: 'user' | 'license',
  client: ProbeClient,
  signal?: AbortSignal,
): Promise<Reach> {
  const options = { signal };
  return reachOf(() =>
    route === 'user' ? client.getUser(NOBODY, options) : client.getLicense(NOBODY, options),
  );
}

export async function reachOf(call: () => Promise<unknown>): Promise<Reach> {
  try {
    await call();
    return { kind: 'fine' };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (isFailure(error)) return { kind: 'failed', error };
    const status = error instanceof CryptlexError ? error.status : undefined;
    return error.code === 'CRYPTLEX_TOKEN' ? { kind: 'refused', status } : { kind: 'fine' };
  }
}

/**
 * Whether a call that ended so got no true answer of Cryptlex. A refusal of one request is one: an id that
 * nobody has may be answered 400 or 404, and 429 asks to slow down.
 */
export function isFailure({ code }: AppError): boolean {
  return ['CRYPTLEX_UNAVAILABLE', 'CRYPTLEX_UNCLEAR', 'CRYPTLEX_NONSENSE'].includes(code);
}
