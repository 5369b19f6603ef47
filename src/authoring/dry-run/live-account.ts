// The real Cryptlex as a stage for a dry run: it is read, and never written to. Takes the account's address
// and token, gives a Stage. A request that would write is answered by a sandbox which holds what was read
// so far, so that the steps behind it go on as they would; what it changed is what later reads show.
// The one place from which a request leaves is `send` below, and it sends nothing but GET.

import { AppError } from '../../core/error-codes.ts';
import type { Clock, JsonObject, JsonValue } from '../../core/model.ts';
import type { Secret } from '../../core/secret.ts';
import type { Pace } from '../../cryptlex/rate-limiter.ts';
import type { Fetch } from '../../http/fetch.ts';
import { createSandbox, type Sandbox } from '../../sandbox/sandbox.ts';
import type { SandboxLicense, SandboxUser } from '../../sandbox/types.ts';
import { mirrorLicense, mirrorTemplate, mirrorUser } from './mirror-account.ts';
import { type Stage, stateOf, type TryoutRequest } from './run-plan.ts';

/** The token that the sandbox takes. The account's own never reaches it. */
const INNER_TOKEN = 'captured';
const INNER_URL = 'http://captured.invalid';

export interface LiveAccount {
  /** As Cryptlex's client takes it: without `/v3`. */
  readonly baseUrl: string;
  readonly token: Secret;
  readonly pace: Pace;
  readonly clock: Clock;
  /** How requests leave. */
  readonly fetch: Fetch;
}

export function liveStage(account: LiveAccount): Stage {
  const capture = new Capture(account);
  return {
    baseUrl: account.baseUrl,
    token: account.token,
    fetch: (request) => capture.fetch(request),
    clock: account.clock,
    pace: account.pace,
    requests: () => capture.requests,
    before: () => ({
      users: [...capture.users.values()],
      licenses: [...capture.licenses.values()],
    }),
    after: () => stateOf(capture.sandbox.state),
    notePayments: async () => undefined,
    assumed: [],
    notes: () => [...capture.notes],
  };
}

type Kind = 'users' | 'licenses';

/** A path of the API, taken apart: `/v3/licenses/{id}/renew`. */
interface Target {
  readonly kind: Kind | undefined;
  readonly id: string | undefined;
  /** As in the API's description, with its query. */
  readonly inner: string;
}

class Capture {
  readonly sandbox: Sandbox;
  readonly requests: TryoutRequest[] = [];
  readonly notes = new Set<string>();
  /** As they were when they were first read. */
  readonly users = new Map<string, SandboxUser>();
  readonly licenses = new Map<string, SandboxLicense>();
  readonly #account: LiveAccount;
  readonly #templates = new Set<string>();
  #hasWritten = false;

  constructor(account: LiveAccount) {
    this.#account = account;
    let count = 0;
    this.sandbox = createSandbox({
      clock: account.clock,
      token: INNER_TOKEN,
      rateLimit: false,
      // In the shape of Cryptlex's ids, and told apart from them at a glance.
      newId: () => {
        count += 1;
        return `cafecafe-0000-4000-8000-${String(count).padStart(12, '0')}`;
      },
    });
  }

  async fetch(request: Request): Promise<Response> {
    const target = this.#target(request.url);
    const isRead = request.method === 'GET';
    const body = isRead ? undefined : await request.clone().text();
    const isSent = isRead && !this.#answersFor(target);
    this.#note(request, target, { body, captured: !isSent });
    if (isSent) return this.#read(request, target);
    if (!isRead) {
      this.#hasWritten = true;
      await this.#prepare(request, target, body);
    }
    return this.#inner(request.method, target, body);
  }

  /** What was made or changed here exists, or is so, only here. */
  #answersFor(target: Target): boolean {
    return this.#hasWritten && this.#isKnown(target);
  }

  /** Reads there; what was made or changed here is laid over a list. */
  async #read(request: Request, target: Target): Promise<Response> {
    const response = await this.#send(request);
    const found = response.ok ? parsed(await response.clone().text()) : undefined;
    for (const item of [found ?? []].flat()) this.#mirror(target.kind, item);
    if (!this.#hasWritten || target.kind === undefined || !Array.isArray(found)) return response;
    const inner = parsed(await (await this.#inner('GET', target, undefined)).text());
    const ours = Array.isArray(inner) ? inner.filter(isObject) : [];
    const known = target.kind === 'licenses' ? this.licenses : this.users;
    const theirs = found.filter((item) => !isObject(item) || !known.has(String(item['id'])));
    return new Response(JSON.stringify([...theirs, ...ours]), { status: 200, headers: JSON_TYPE });
  }

  #isKnown({ kind, id }: Target): boolean {
    if (kind === undefined || id === undefined) return false;
    const { state } = this.sandbox;
    return this[kind].has(id) || state[kind].some((item) => item.id === id);
  }

  /** What the sandbox has to know before it can answer for Cryptlex. */
  async #prepare(request: Request, target: Target, body: string | undefined): Promise<void> {
    const { kind, id } = target;
    if (kind !== undefined && id !== undefined && !this.#isKnown(target)) {
      await this.#learn(request, kind, id);
    }
    const value = parsed(body ?? '');
    if (kind !== 'licenses' || id !== undefined || !isObject(value)) return;
    const { userId, licenseTemplateId } = value;
    if (typeof userId === 'string' && !this.#isKnown({ kind: 'users', id: userId, inner: '' })) {
      await this.#learn(request, 'users', userId);
    }
    await this.#learnTemplate(request, licenseTemplateId);
  }

  async #learn(request: Request, kind: Kind, id: string): Promise<void> {
    this.#mirror(kind, await this.#look(request, `/v3/${kind}/${encodeURIComponent(id)}`));
  }

  /** Without its template nobody could say how long a new license would run. */
  async #learnTemplate(request: Request, id: JsonValue | undefined): Promise<void> {
    const unknown = 'how long a new license would run is assumed (a year, unless the rule says it)';
    if (typeof id !== 'string' || id === '') {
      this.notes.add(`The product's own license template is not read; ${unknown}.`);
      return;
    }
    if (this.#templates.has(id)) return;
    this.#templates.add(id);
    const found = await this.#look(request, `/v3/license-templates/${encodeURIComponent(id)}`);
    if (isObject(found) && mirrorTemplate(this.sandbox, found)) return;
    this.notes.add(`The license template ${id} could not be read; ${unknown}.`);
  }

  /** A read beside those of the plan; undefined when there is no such thing. */
  async #look(request: Request, path: string): Promise<JsonValue | undefined> {
    const { headers, signal } = request;
    const url = `${this.#account.baseUrl}${path}`;
    const own = new Headers(headers);
    own.delete('content-type');
    const response = await this.#send(new Request(url, { headers: own, signal }));
    const text = await response.text();
    return response.ok ? parsed(text) : undefined;
  }

  /** The way out. A redirect is not followed, by `redirect: manual`; its target is asked for nothing. */
  #send(request: Request): Promise<Response> {
    if (request.method !== 'GET') {
      throw new AppError('INTERNAL', `a dry run was about to send ${request.method}`);
    }
    return this.#account.fetch(new Request(request, { redirect: 'manual' }));
  }

  #inner(method: string, { inner }: Target, body: string | undefined): Promise<Response> {
    const headers = { authorization: `Bearer ${INNER_TOKEN}`, accept: 'application/json' };
    const sent = body === undefined || body === '' ? {} : { body };
    const typed = 'body' in sent ? { ...headers, ...JSON_TYPE } : headers;
    return this.sandbox.fetch(new Request(INNER_URL + inner, { method, headers: typed, ...sent }));
  }

  #mirror(kind: Kind | undefined, item: JsonValue | undefined): void {
    if (kind === undefined || !isObject(item)) return;
    const id = String(item['id']);
    if (this[kind].has(id) || this.#isKnown({ kind, id, inner: '' })) return;
    const mirror = kind === 'users' ? mirrorUser : mirrorLicense;
    mirror(this.sandbox, item);
    const { users, licenses } = this.sandbox.state;
    for (const user of users) if (!this.users.has(user.id)) this.users.set(user.id, user);
    for (const license of licenses) {
      if (license.id === id) this.licenses.set(id, license);
    }
  }

  #note(
    request: Request,
    { inner }: Target,
    { body = '', captured }: { body: string | undefined; captured: boolean },
  ): void {
    const url = new URL(inner, INNER_URL);
    const sent = parsed(body);
    this.requests.push({
      method: request.method,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      ...(sent === undefined ? {} : { body: withoutPassword(sent) }),
      captured,
    });
  }

  #target(address: string): Target {
    const { pathname, search } = new URL(address);
    const prefix = new URL(this.#account.baseUrl).pathname.replace(/\/$/, '');
    const path = pathname.slice(prefix.length);
    const [, kind, id] = /^\/v3\/(users|licenses)(?:\/([^/]+))?/.exec(path) ?? [];
    return {
      kind: kind as Kind | undefined,
      id: id === undefined ? undefined : decodeURIComponent(id),
      inner: path + search,
    };
  }
}

const JSON_TYPE = { 'content-type': 'application/json' } as const;

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parsed(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

function withoutPassword(body: JsonValue): JsonValue {
  return isObject(body) && 'password' in body ? { ...body, password: '<secret>' } : body;
}
