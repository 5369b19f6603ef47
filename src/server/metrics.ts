// GET /metrics: on the server's own port, behind the admin token where there is one, and without a token on
// a port of its own (METRICS_PORT). Takes a way to make the page; knows nothing of what is counted.

import { Hono } from 'hono';
import type { Secret } from '../core/secret.ts';
import { createBearerCheck } from './bearer.ts';

export interface MetricsPage {
  readonly contentType: string;
  render(): Promise<string>;
}

/** Answers for /metrics; with a token, only to whoever has it. */
export function createMetricsAnswer(
  page: MetricsPage,
  token: Secret | undefined,
): (request: Request) => Promise<Response> {
  const isAllowed = token === undefined ? () => true : createBearerCheck(token);
  return async (request) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return answer(405, 'This address is only read.\n', { allow: 'GET, HEAD' });
    }
    if (!isAllowed(request.headers.get('authorization') ?? undefined)) {
      return answer(401, 'The admin token is missing or wrong.\n', {
        'www-authenticate': 'Bearer',
      });
    }
    return answer(200, await page.render(), { 'content-type': page.contentType });
  };
}

/** The app of METRICS_PORT: the page, and nothing else. */
export function createMetricsApp(page: MetricsPage): Hono {
  const app = new Hono();
  const respond = createMetricsAnswer(page, undefined);
  app.all('/metrics', (c) => respond(c.req.raw));
  app.notFound(() => answer(404, 'There is only /metrics here.\n'));
  app.onError(() => answer(503, 'The page could not be made.\n'));
  return app;
}

function answer(status: number, body: string, headers: Record<string, string> = {}): Response {
  const all = {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...headers,
  };
  return new Response(body, { status, headers: all });
}
