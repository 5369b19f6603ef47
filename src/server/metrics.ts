// GET /metrics: on the server's own port, behind the admin token where there is one, and without a token on
// a port of its own (METRICS_PORT). Takes a way to make the page; knows nothing of what is counted.

import { type Context, Hono } from 'hono';
import type { RequestOrigin } from './read-body.ts';
import type { TokenGuard } from './token-guard.ts';

export interface MetricsPage {
  readonly contentType: string;
  render(): Promise<string>;
}

/** Answers for /metrics; with a guard, only to whoever has its token. */
export function createMetricsAnswer(
  page: MetricsPage,
  refusalOf?: TokenGuard,
): (c: Context<{ Bindings: RequestOrigin }>) => Promise<Response> {
  return async (c) => {
    if (c.req.method !== 'GET' && c.req.method !== 'HEAD') {
      return answer(405, 'This address is only read.\n', { allow: 'GET, HEAD' });
    }
    const headers = await refusalOf?.(c);
    if (headers !== undefined) {
      const all = { ...headers, 'www-authenticate': 'Bearer' };
      return answer(401, 'The admin token is missing or wrong.\n', all);
    }
    return answer(200, await page.render(), { 'content-type': page.contentType });
  };
}

/** The app of METRICS_PORT: the page, and nothing else. */
export function createMetricsApp(page: MetricsPage): Hono<{ Bindings: RequestOrigin }> {
  const app = new Hono<{ Bindings: RequestOrigin }>();
  app.all('/metrics', createMetricsAnswer(page));
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
