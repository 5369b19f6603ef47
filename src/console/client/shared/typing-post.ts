// Sends what is being typed, again and again, without ever getting in the way. Takes a path and a body, gives the
// answer or why there is none. Unlike post.ts it opens no dialog by itself: whoever is typing would type into it.

import { csrfToken } from './post.ts';

export type Sending =
  | { readonly kind: 'answered'; readonly answer: Record<string, unknown> }
  /** The session has ended; nothing was done. */
  | { readonly kind: 'signed-out' }
  /** The server cannot be reached, or is starting. */
  | { readonly kind: 'unreachable' }
  | { readonly kind: 'refused'; readonly status: number };

export async function send(path: string, body: unknown): Promise<Sending> {
  try {
    const first = await fetchOnce(path, body);
    if (first.status !== 403) return await readAnswer(first);
    // Signed in again in another tab: the session is new, and so is its token.
    const renewed = await renewToken();
    return renewed === undefined
      ? { kind: 'refused', status: 403 }
      : await readAnswer(await fetchOnce(path, body));
  } catch {
    return { kind: 'unreachable' };
  }
}

function fetchOnce(path: string, body: unknown): Promise<Response> {
  const headers = { 'content-type': 'application/json', 'x-csrf-token': csrfToken() };
  return fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
}

async function readAnswer(response: Response): Promise<Sending> {
  if (response.status === 401) return { kind: 'signed-out' };
  if (response.status >= 502 && response.status <= 504) return { kind: 'unreachable' };
  if (!response.ok) return { kind: 'refused', status: response.status };
  return { kind: 'answered', answer: (await response.json()) as Record<string, unknown> };
}

async function renewToken(): Promise<string | undefined> {
  const response = await fetch('/console/session');
  if (!response.ok) return undefined;
  const { csrfToken: token } = (await response.json()) as { csrfToken: string };
  const meta = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]');
  if (meta !== null) meta.content = token;
  for (const field of document.querySelectorAll<HTMLInputElement>('input[name="csrf"]'))
    field.value = token;
  return token;
}
