// The embedded Cryptlex. Takes requests as the vendor's Web API v3 does, gives its answers from
// state in memory, each checked against our OpenAPI document. Never calls the real service.

import { AppError } from '../core/error-codes.ts';
import type { JsonObject } from '../core/model.ts';
import { type Answer, refusal, toResponse } from './answer.ts';
import { createGate, type Gate } from './auth.ts';
import { perform } from './fault-effects.ts';
import { createFaultBook, type FaultBook, type Faults } from './faults.ts';
import { type Incoming, readRequest, recordableBody } from './incoming.ts';
import { type Contract, loadContract, type Operation } from './openapi.ts';
import { createRateLimiter, type RateLimiter } from './rate-limit.ts';
import { HANDLERS } from './routes.ts';
import { seedWorld } from './seed.ts';
import { stateOf } from './store.ts';
import type {
  RateLimit,
  RecordedRequest,
  SandboxGiven,
  SandboxOptions,
  SandboxState,
  Violation,
} from './types.ts';
import { createWorld, type World } from './world.ts';

/** The vendor's limit, per address (its reference, read 2026-08). */
const VENDOR_RATE_LIMIT: RateLimit = { requests: 50, periodMs: 5000 };

export interface Sandbox {
  /**
   * Serves one request in process; the same handler is served over HTTP.
   * Rejects like Node's fetch where a fault breaks the connection, and with the signal's reason
   * where there is no answer until the caller gives up.
   */
  fetch(request: Request): Promise<Response>;
  /** What is there now, in the order of insertion. */
  readonly state: SandboxState;
  /** Puts things there. @throws INPUT_UNREADABLE for what cannot be. */
  seed(given: SandboxGiven): readonly string[];
  /** Every request in the order of arrival. */
  readonly requests: readonly RecordedRequest[];
  clearRequests(): void;
  /** Requests that break the OpenAPI document, served or not, and answers of ours that do. */
  readonly violations: readonly Violation[];
  readonly faults: Faults;
  /** Forgets state, requests, violations, the rate limit's window and late commits; faults stay. */
  clear(): void;
}

export function createSandbox(options: SandboxOptions): Sandbox {
  return new EmbeddedSandbox(options);
}

type Recorded = { -readonly [K in keyof RecordedRequest]: RecordedRequest[K] };

class EmbeddedSandbox implements Sandbox {
  readonly #options: SandboxOptions;
  readonly #contract: Contract = loadContract();
  readonly #world: World;
  readonly #gate: Gate;
  readonly #limiter: RateLimiter;
  readonly #book: FaultBook;
  readonly state: SandboxState;
  #requests: Recorded[] = [];
  #violations: Violation[] = [];
  #calls = 0;
  /** Counts how often everything was forgotten, so that a late commit does not land in the next life. */
  #life = 0;

  constructor(options: SandboxOptions) {
    this.#options = options;
    this.#world = createWorld(options);
    this.#gate = createGate(options);
    this.#limiter = createRateLimiter(
      options.rateLimit ?? VENDOR_RATE_LIMIT,
      options.rateLimitBody,
    );
    this.#book = createFaultBook(options.faults);
    this.state = stateOf(this.#world.store);
    // Clients are handed `sandbox.fetch` by itself.
    this.fetch = this.fetch.bind(this);
  }

  get requests(): readonly RecordedRequest[] {
    return this.#requests;
  }

  get violations(): readonly Violation[] {
    return this.#violations;
  }

  get faults(): Faults {
    return this.#book;
  }

  seed(given: SandboxGiven): readonly string[] {
    return seedWorld(this.#world, given);
  }

  clearRequests(): void {
    this.#requests = [];
  }

  clear(): void {
    this.#life += 1;
    this.#calls = 0;
    this.#world.clear();
    this.#limiter.reset();
    this.#requests = [];
    this.#violations = [];
  }

  async fetch(request: Request): Promise<Response> {
    request.signal.throwIfAborted();
    const incoming = await readRequest(request);
    const record = this.#record(incoming);
    this.#calls += 1;
    const { method, path, query } = incoming;
    const effect = await this.#book.decide({
      method,
      path,
      query,
      body: incoming.body.kind === 'json' ? incoming.body.value : undefined,
      index: this.#calls,
    });
    // A call that was given up while a hook waited never left the caller.
    request.signal.throwIfAborted();

    // A connection that is refused never reaches the limiter.
    const reaches = effect?.kind !== 'disconnect' || effect.when === 'afterCommit';
    const verdict = reaches ? this.#limiter.count(this.#world.nowMs()) : undefined;
    if (verdict?.kind === 'refused') return this.#finish(record, verdict.answer);

    const life = this.#life;
    const work = (staleListMs = this.#world.settings.staleListMs): Answer =>
      life === this.#life ? this.#serve(incoming, staleListMs) : refusal(503, 'forgotten');
    const answer =
      effect === undefined
        ? work()
        : await perform(effect, {
            clock: this.#options.clock,
            request,
            work,
            track: this.#book.track,
          });
    const headers = verdict?.headers;
    return this.#finish(record, { ...answer, headers: { ...headers, ...answer.headers } });
  }

  #record(incoming: Incoming): Recorded {
    const { method, path, query } = incoming;
    const atMs = this.#world.nowMs();
    const record = { method, path, query, body: recordableBody(incoming.body), status: null, atMs };
    if (this.#options.recordRequests !== false) this.#requests.push(record);
    return record;
  }

  #finish(record: Recorded, answer: Answer): Response {
    record.status = answer.status;
    return toResponse(answer);
  }

  /** Does the work, in one go: two calls never mix. */
  #serve(incoming: Incoming, staleListMs: number): Answer {
    const { method, path } = incoming;
    const route = this.#contract.match(method, path);
    const operation = route.kind === 'found' ? route.operation : undefined;
    const handler = operation && HANDLERS.get(operation.operationId);
    let answer: Answer;
    if (route.kind === 'otherMethod') {
      answer = this.#refuse(incoming, 405, `${method} is not allowed here.`);
    } else if (route.kind === 'none' || operation === undefined || handler === undefined) {
      answer = this.#refuse(incoming, 404, `There is nothing at ${path}.`);
    } else {
      answer =
        this.#gate.refuse(incoming.authorization, operation.scopes, this.#world.nowMs()) ??
        this.#refuseContent(incoming, operation) ??
        handler(this.#world, {
          id: route.id,
          query: incoming.query,
          body: bodyOf(incoming, operation),
          staleListMs,
        });
    }
    this.#checkAnswer(incoming, operation, answer);
    return answer;
  }

  #refuseContent(incoming: Incoming, operation: Operation): Answer | undefined {
    const { body } = incoming;
    if (body.kind === 'otherType' && operation.takesBody) {
      return this.#refuse(incoming, 415, `The content type ${body.contentType} is not JSON.`);
    }
    if (body.kind === 'malformed' && operation.takesBody) {
      return this.#refuse(incoming, 400, 'The body is not JSON.');
    }
    const value = body.kind === 'json' ? body.value : undefined;
    let refused: Answer | undefined;
    for (const objection of this.#contract.checkRequest(operation, incoming.query, value)) {
      this.#violate(incoming, objection.message);
      if (objection.kind === 'refused') refused ??= refusal(400, objection.message);
    }
    return refused;
  }

  #checkAnswer(incoming: Incoming, operation: Operation | undefined, answer: Answer): void {
    const { content, status } = answer;
    // A 401 may come without a body; the document says so in words only.
    if (content.kind === 'empty' && status === 401) return;
    const body = content.kind === 'json' ? content.value : undefined;
    const wrong = this.#contract.checkAnswer(operation, status, body);
    if (wrong === undefined) return;
    const message = `the sandbox's own answer breaks the document: ${wrong}`;
    this.#violate(incoming, message);
    throw new AppError('INTERNAL', `${incoming.method} ${incoming.path}: ${message}`);
  }

  #refuse(incoming: Incoming, status: number, message: string): Answer {
    this.#violate(incoming, message);
    return refusal(status, message);
  }

  #violate(incoming: Incoming, message: string): void {
    this.#violations.push({ method: incoming.method, path: incoming.path, message });
  }
}

function bodyOf(incoming: Incoming, operation: Operation): JsonObject {
  return operation.takesBody && incoming.body.kind === 'json'
    ? (incoming.body.value as JsonObject)
    : {};
}
