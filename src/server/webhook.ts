// One webhook. Takes a POST and where it was sent, gives the answer, and writes one line into the log.
// Order: method and headers, source, body, signature, and only then the events are worked on.
// Never parses, logs or passes on anything of a body whose signature was not found good.

import { AppError } from '../core/error-codes.ts';
import type { Logger } from '../core/log.ts';
import type {
  Clock,
  EventOutcome,
  JsonObject,
  VerifiedDelivery,
  WebhookEvent,
} from '../core/model.ts';
import { PROVIDER_FACTS, PROVIDERS } from '../core/providers.ts';

import type { ServerSource } from '../sources/source.ts';
import { describeFault } from './describe-fault.ts';
import { BODY_BYTES_MAX, type RequestOrigin, readBody } from './read-body.ts';
import type { Strangers } from './refusal-limiter.ts';
import type { Answer } from './responses.ts';
import { answerDelivery, answerError, answerInternal } from './responses.ts';

export interface WebhookDependencies {
  /** The sources as they are now; rules may be reloaded while the server runs. */
  currentSources(): ReadonlyMap<string, ServerSource>;
  /**
   * Works on a verified delivery until it is done or until the deadline; gives what is known of
   * each event. @throws AppError JOURNAL_UNAVAILABLE
   */
  receive(delivery: VerifiedDelivery): Promise<readonly EventOutcome[]>;
  /** Whether a stored event survives (false for memory:): decides 200 or 503 for what is not done. */
  readonly journalKeepsState: boolean;
  readonly clock: Clock;
  readonly log: Logger;
  /** Slows down whoever sends what is refused, again and again. */
  readonly strangers?: Strangers;
  /** Hears of each delivery once its answer is known. */
  readonly onAnswer?: (delivery: DeliveryFacts) => void;
}

/** One delivery and its answer, for whoever counts. Nothing of a body is in it. */
export interface DeliveryFacts {
  /** Undefined where it could not be told, since nobody knows who sent it. */
  readonly source: string | undefined;
  /** None where it was refused before it was known to be genuine. */
  readonly events: readonly WebhookEvent[];
  readonly outcomes: readonly EventOutcome[];
  readonly httpStatus: number;
  readonly codes: readonly string[];
  readonly receivedAtMs: number;
  /** When its signature was found good, or it was refused. */
  readonly verifiedAtMs: number;
  readonly answeredAtMs: number;
}

/** Where it was sent: to `/v1`, or to the address of one source. */
export type WebhookTarget =
  | { readonly kind: 'by_signature' }
  | { readonly kind: 'source'; readonly source: ServerSource };

/** Why a request is not let in; `source` and `bytes` are all that the log will hold of it. */
interface Refused {
  readonly kind: 'refused';
  readonly answer: Answer;
  readonly source: string | undefined;
  readonly bytes: number;
}

type Admission =
  | {
      readonly kind: 'admitted';
      readonly source: ServerSource;
      readonly delivery: VerifiedDelivery;
      readonly bytes: number;
    }
  | Refused;

/** Answers one webhook. Never throws: whatever goes wrong is an answer of the contract. */
export async function answerWebhook(
  request: Request,
  target: WebhookTarget,
  dependencies: WebhookDependencies,
  origin: RequestOrigin = {},
): Promise<Answer> {
  const { clock, log } = dependencies;
  const receivedAtMs = clock.nowMs();
  const admission = await admit(request, target, { dependencies, receivedAtMs, origin });
  const { onAnswer } = dependencies;
  const verifiedAtMs = onAnswer === undefined ? receivedAtMs : clock.nowMs();
  if (admission.kind === 'refused') {
    const { answer, source, bytes } = admission;
    const durationMs = clock.nowMs() - receivedAtMs;
    if (dependencies.strangers?.note({ address: origin.address, source }) === true) {
      return { ...answer, headers: { ...answer.headers, connection: 'close' } };
    }
    log.warn(
      { source, codes: answer.codes, bytes, httpStatus: answer.status, durationMs },
      'delivery refused',
    );
    onAnswer?.({
      ...{ source, events: [], outcomes: [], httpStatus: answer.status, codes: answer.codes },
      ...{ receivedAtMs, verifiedAtMs, answeredAtMs: verifiedAtMs },
    });
    return answer;
  }

  const { source, delivery, bytes } = admission;
  const { answer, outcomes } = await work(delivery, source, dependencies);
  const line = answer.status === 200 ? log.info : log.warn;
  line(
    {
      source: source.name,
      provider: source.provider,
      eventIds: delivery.events.map((event) => event.id),
      types: delivery.events.map((event) => event.type),
      statuses: outcomes.map((outcome) => outcome.status),
      httpStatus: answer.status,
      durationMs: clock.nowMs() - receivedAtMs,
      bytes,
      codes: answer.codes.length > 0 ? answer.codes : undefined,
    },
    'delivery answered',
  );
  onAnswer?.({
    ...{ source: source.name, events: delivery.events, outcomes },
    ...{ httpStatus: answer.status, codes: answer.codes },
    ...{ receivedAtMs, verifiedAtMs, answeredAtMs: clock.nowMs() },
  });
  return answer;
}

async function admit(
  request: Request,
  target: WebhookTarget,
  {
    dependencies,
    receivedAtMs,
    origin,
  }: { dependencies: WebhookDependencies; receivedAtMs: number; origin: RequestOrigin },
): Promise<Admission> {
  const announced = Number(request.headers.get('content-length') ?? 0);
  const named = target.kind === 'source' ? target.source.name : undefined;
  const problem = checkRequest(request);
  if (problem !== undefined) {
    const headers = problem.code === 'METHOD_NOT_ALLOWED' ? { allow: 'POST' } : {};
    return refuse(answerError(problem, { headers }), named, announced);
  }
  const chosen = chooseSource(request.headers, target, dependencies.currentSources());
  if (chosen.kind === 'refused') return { ...chosen, source: named, bytes: announced };

  const { source, verifier, signature } = chosen;
  const body = await readBody(request, BODY_BYTES_MAX, origin);
  if (body.kind === 'too_large') {
    const error = new AppError('BODY_TOO_LARGE', `the limit is ${BODY_BYTES_MAX} bytes`);
    // The rest of the body is not wanted, so the connection cannot carry another request.
    return refuse(
      answerError(error, { headers: { connection: 'close' } }),
      source.name,
      body.bytes,
    );
  }
  if (body.kind === 'broken_off') {
    const hint = 'The sender or a proxy closed the connection.';
    const error = new AppError('BODY_MALFORMED', 'it ended too early', { hint });
    return refuse(answerError(error, { refusalCode: source.refusalCode }), source.name, body.bytes);
  }

  const bytes = body.bytes.byteLength;
  try {
    const raw = { signature, rawBody: body.bytes, receivedAtMs };
    const delivery = await verifier.verify(raw, source.name);
    return { kind: 'admitted', source, delivery, bytes };
  } catch (error) {
    if (error instanceof AppError) {
      const refusalCode = source.refusalCode;
      return refuse(answerError(error, { refusalCode }), source.name, bytes);
    }
    // No message of it: a parser's error quotes the body, a library's error may quote the header.
    const fault = describeFault(error, false);
    dependencies.log.error({ source: source.name, ...fault }, 'a verifier broke');
    return refuse(answerInternal(), source.name, bytes);
  }
}

async function work(
  delivery: VerifiedDelivery,
  source: ServerSource,
  dependencies: WebhookDependencies,
): Promise<{ answer: Answer; outcomes: readonly EventOutcome[] }> {
  const { journalKeepsState, log } = dependencies;
  try {
    const outcomes = await dependencies.receive(delivery);
    const known = new Set(outcomes.map((outcome) => outcome.eventId));
    const lost = delivery.events.find((event) => !known.has(event.id));
    // An event nobody knows anything of must not be acknowledged along with the others.
    if (lost !== undefined) throw new AppError('INTERNAL', `no outcome for event ${lost.id}`);
    const isBatch = delivery.events.length > 1;
    const { answer: fixedAnswer, acknowledgesStored } = source;
    const facts = { isBatch, journalKeepsState, fixedAnswer, acknowledgesStored };
    return { answer: answerDelivery(outcomes, facts), outcomes };
  } catch (error) {
    log.error({ source: source.name, ...describeFault(error, true) }, 'a delivery broke');
    // A sender told 400 may give up. After the signature, nothing thrown is the event's own fault.
    const isOurs = error instanceof AppError && error.code === 'JOURNAL_UNAVAILABLE';
    return { answer: isOurs ? answerError(error) : answerInternal(), outcomes: [] };
  }
}

function checkRequest(request: Request): AppError | undefined {
  if (request.method !== 'POST') return new AppError('METHOD_NOT_ALLOWED', '');
  const contentType = request.headers.get('content-type');
  if (contentType === null) return new AppError('BODY_NOT_JSON', 'there is no content type');
  const [mediaType = ''] = contentType.split(';');
  if (!/^application\/([a-z0-9.+-]+\+)?json$/i.test(mediaType.trim())) {
    return new AppError('BODY_NOT_JSON', '');
  }
  const encoding = request.headers.get('content-encoding')?.trim().toLowerCase();
  if (encoding !== undefined && encoding !== '' && encoding !== 'identity') {
    return new AppError('BODY_NOT_JSON', 'the body is compressed', {
      hint: 'Send the event without content-encoding; the signature is made over the plain bytes.',
    });
  }
  return undefined;
}

type Chosen =
  | {
      readonly kind: 'chosen';
      readonly source: ServerSource;
      readonly verifier: NonNullable<ServerSource['verifier']>;
      readonly signature: string;
    }
  | Refused;

/** The source, when it is on and its provider's signature header is there; its text is not looked at. */
function chooseSource(
  headers: Headers,
  target: WebhookTarget,
  sources: ReadonlyMap<string, ServerSource>,
): Chosen {
  const present = PROVIDERS.filter((provider) =>
    headers.has(PROVIDER_FACTS[provider].signatureHeader),
  );
  const named = target.kind === 'source' ? target.source : undefined;
  const provider = named?.provider ?? present[0];
  if (provider === undefined) {
    const names = PROVIDERS.map((candidate) => PROVIDER_FACTS[candidate].signatureHeader).join(
      ', ',
    );
    return refuseWith(new AppError('SIGNATURE_MISSING', `none of the headers ${names} is there`));
  }
  if (named === undefined && present.length > 1) {
    const names = present
      .map((candidate) => PROVIDER_FACTS[candidate].signatureHeader)
      .join(' and ');
    const message = `there is more than one: ${names}`;
    return refuseWith(new AppError('SIGNATURE_MALFORMED', message));
  }
  const source = named ?? sources.get(provider);
  const { verifier } = source ?? {};
  if (source === undefined || verifier === undefined) {
    const service = PROVIDER_FACTS[provider].title;
    const message = `the source ${source?.name ?? provider} (${service}) is not switched on`;
    return refuseWith(new AppError('external_service_error', message), { service });
  }
  const signature = headers.get(PROVIDER_FACTS[provider].signatureHeader);
  if (signature === null) {
    const message = `the header ${PROVIDER_FACTS[provider].signatureHeader} is not there`;
    return refuseWith(new AppError('SIGNATURE_MISSING', message), {}, source.refusalCode);
  }
  return { kind: 'chosen', source, verifier, signature };
}

function refuseWith(error: AppError, details: JsonObject = {}, refusalCode?: string): Refused {
  return refuse(answerError(error, { details, refusalCode }), undefined, 0);
}

function refuse(answer: Answer, source: string | undefined, bytes: number): Refused {
  return { kind: 'refused', answer, source, bytes };
}
