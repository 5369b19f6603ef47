// Requests to the console as a browser would make them, without one. Takes a server's address, signs in, gives
// ways to ask and to change, with the session's cookie and its CSRF token.

import { expect } from 'vitest';

export const ADMIN_TOKEN = 'admin-token-of-the-test';

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

export interface SignedIn {
  readonly cookie: string;
  readonly csrfToken: string;
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  /** @param fields the CSRF token is added, unless it is among them */
  post(
    path: string,
    fields?: Record<string, string>,
    headers?: Record<string, string>,
  ): Promise<Answer>;
}

export async function ask(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, { redirect: 'manual', ...init });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

export function signInWith(
  url: string,
  fields: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const body = new URLSearchParams(fields);
  return ask(`${url}/console/sign-in`, { method: 'POST', headers, body });
}

/** The value of the cookie that an answer sets; empty where it sets none. */
export function cookieOf({ headers }: Answer): string {
  return headers.get('set-cookie')?.split(';')[0] ?? '';
}

export async function signedIn(url: string, token = ADMIN_TOKEN): Promise<SignedIn> {
  const answer = await signInWith(url, { token });
  expect(answer.status).toBe(303);
  const cookie = cookieOf(answer);
  const session = await ask(`${url}/console/session`, { headers: { cookie } });
  const { csrfToken } = JSON.parse(session.text) as { csrfToken: string };
  return {
    ...{ cookie, csrfToken },
    get: (path, headers = {}) => ask(`${url}${path}`, { headers: { cookie, ...headers } }),
    post: (path, fields = {}, headers = {}) =>
      ask(`${url}${path}`, {
        method: 'POST',
        headers: { cookie, ...headers },
        body: new URLSearchParams({ csrf: csrfToken, ...fields }),
      }),
  };
}
