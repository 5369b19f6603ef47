// The HTTP server's routes. Takes what the rest of Keywright offers, gives a Hono app.
// Every answer that is no webhook's own is made here: health, readiness, unknown paths, our own mistakes.
// Never holds state, and never knows about rules, journals or Cryptlex.

import { type Context, Hono } from 'hono';
import { AppError } from '../core/error-codes.ts';
import type { JsonObject } from '../core/model.ts';
import { PROVIDER_FACTS } from '../core/providers.ts';

import type { Secret } from '../core/secret.ts';
import type { ServerSource } from '../sources/source.ts';
import { type AdminDependencies, createAdmin } from './admin.ts';
import { type BillingDependencies, createBilling } from './billing.ts';
import { describeFault } from './describe-fault.ts';
import { createMetricsAnswer, type MetricsPage } from './metrics.ts';
import type { RequestOrigin } from './read-body.ts';
import { createStrangers } from './refusal-limiter.ts';
import type { Answer } from './responses.ts';
import { answerError, answerInternal } from './responses.ts';
import { createGuessLimiter, createTokenGuard } from './token-guard.ts';
import type { WebhookDependencies, WebhookTarget } from './webhook.ts';
import { answerWebhook } from './webhook.ts';

export interface ServerDependencies extends WebhookDependencies {
  /** The admin API; left out where there is no token for it. */
  readonly admin?: AdminDependencies;
  /** Billing links; left out where they are not switched on. */
  readonly billing?: BillingDependencies;
  /** The page of /metrics and its token, where one is set; left out where it is on a port of its own only. */
  readonly metrics?: { readonly page: MetricsPage; readonly token: Secret | undefined };
  /** Answers for /console; left out where there is no token for it. */
  readonly console?: (
    request: Request,
    visitor: {
      /** To be called for a refused token; resolves with headers of the answer when that may go out. */
      refused(): Promise<Record<string, string>>;
    },
  ) => Promise<Response>;
  /** Ready: rules are loaded and the journal answers. Concerns are told, but do not make it unready. */
  readiness(): Promise<{
    readonly ready: boolean;
    readonly concerns: readonly { readonly code: string; readonly message: string }[];
    readonly details: JsonObject;
  }>;
}

/** What `listen` tells of a request; in process (`app.request`) there is nothing to tell. */
type App = Hono<{ Bindings: RequestOrigin }>;

/** Builds the app. It can be called in process (`app.request`), or be given to `listen`. */
export function createApp(given: ServerDependencies): App {
  const { log, clock } = given;
  const strangers = createStrangers({ clock, log });
  const guesses = createGuessLimiter({ strangers, clock });
  const dependencies = { strangers, ...given };
  const app = new Hono<{ Bindings: RequestOrigin }>();

  const webhook = async (c: Context<{ Bindings: RequestOrigin }>, target: WebhookTarget) =>
    toResponse(await answerWebhook(c.req.raw, target, dependencies, c.env));

  const notFound = (request: Request, code: 'SOURCE_UNKNOWN' | 'PATH_UNKNOWN') => {
    // A signature tells a provider with a mistyped address from the scanners of the internet.
    const isSigned = Object.values(PROVIDER_FACTS).some(({ signatureHeader: name }) =>
      request.headers.has(name),
    );
    const line = isSigned ? log.warn : log.debug;
    const path = new URL(request.url).pathname.slice(0, 200);
    line({ method: request.method, path, httpStatus: 404, code }, 'nothing at this address');
    return toResponse(answerError(new AppError(code, '')));
  };

  app.all('/v1', (c) => webhook(c, { kind: 'by_signature' }));

  app.all('/healthz', (c) =>
    isReading(c.req.method) ? json(200, { status: 'ok' }) : refuseMethod(),
  );

  app.all('/readyz', async (c) => {
    if (!isReading(c.req.method)) return refuseMethod();
    const { ready, concerns, details } = await dependencies.readiness();
    const body = {
      ...details,
      status: ready ? 'ready' : 'not ready',
      concerns: concerns.map(({ code, message }) => ({ code, message })),
    };
    return json(ready ? 200 : 503, body);
  });

  const { metrics } = dependencies;
  if (metrics !== undefined) {
    const { page, token } = metrics;
    const guard = token === undefined ? undefined : createTokenGuard(token, 'metrics', guesses);
    app.all('/metrics', createMetricsAnswer(page, guard));
  }

  if (dependencies.admin !== undefined) {
    app.route('/admin', createAdmin(dependencies.admin, guesses));
  }

  const { console: webConsole } = dependencies;
  if (webConsole !== undefined) {
    const answer = (c: Context<{ Bindings: RequestOrigin }>) =>
      webConsole(c.req.raw, { refused: () => guesses.refuse(c, 'console') });
    app.all('/console', answer);
    app.all('/console/*', answer);
  }

  if (dependencies.billing !== undefined) {
    app.route('/billing', createBilling(dependencies.billing, guesses));
  }

  app.all('/webhooks/:source', (c) => {
    const sources = dependencies.currentSources();
    const source = sources.get(c.req.param('source')) ?? findByPath(sources, c.req.path);
    if (source !== undefined) return webhook(c, { kind: 'source', source });
    return notFound(c.req.raw, 'SOURCE_UNKNOWN');
  });

  app.all('*', (c) => {
    const source = findByPath(dependencies.currentSources(), c.req.path);
    if (source !== undefined) return webhook(c, { kind: 'source', source });
    return notFound(c.req.raw, 'PATH_UNKNOWN');
  });

  app.onError((error) => {
    log.error(describeFault(error, true), 'a request broke');
    return toResponse(answerInternal());
  });
  return app;
}

function findByPath(
  sources: ReadonlyMap<string, ServerSource>,
  path: string,
): ServerSource | undefined {
  return [...sources.values()].find((source) => source.path === path);
}

function isReading(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

function refuseMethod(): Response {
  const hint = 'Send a GET request; webhooks go to POST /v1 or POST /webhooks/{source}.';
  const body = { message: `This address is only read. ${hint}`, error: 'METHOD_NOT_ALLOWED' };
  return json(405, { ...body, details: {} }, { allow: 'GET, HEAD' });
}

function toResponse({ status, body, headers }: Answer): Response {
  if (typeof body !== 'string') return json(status, body, headers);
  const all = responseHeaders('text/plain; charset=utf-8', headers);
  return new Response(body, { status, headers: all });
}

function json(status: number, body: JsonObject, headers: Record<string, string> = {}): Response {
  const all = responseHeaders('application/json; charset=utf-8', headers);
  return new Response(JSON.stringify(body), { status, headers: all });
}

function responseHeaders(contentType: string, headers: Record<string, string>) {
  return {
    ...headers,
    'content-type': contentType,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  };
}
