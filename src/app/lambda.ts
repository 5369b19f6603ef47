// Keywright on AWS Lambda. Takes an environment, gives the handler of a function: webhooks by a function
// URL or by API Gateway (payload 2.0), and a schedule that works off what is waiting.
// A function is frozen with its answer and finishes nothing behind it. So each call works, pauses and
// only then ends; and without the schedule 200 is answered for nothing that is not done.

import { handle } from 'hono/aws-lambda';
import { DEFAULT_DATABASE_URL, parseDatabaseUrl } from '../config/config.ts';
import { createEnvironment, type Environment, invalid } from '../config/environment.ts';
import { AppError } from '../core/error-codes.ts';
import { type Answer, answerError, answerInternal } from '../server/responses.ts';
import { formatProblem } from '../sources/sources.ts';
import { type HttpEvent, usableRequest } from './lambda-request.ts';
import { composeServer } from './server.ts';
import type { ServerHandle, World } from './server-options.ts';

/** The part of Lambda's context that is used. */
export interface LambdaContext {
  getRemainingTimeInMillis(): number;
}

export interface LambdaWorld extends World {
  /** Takes a line for the function's log, while there is no logger yet. */
  readonly writeError: (line: string) => void;
}

export interface LambdaResult {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
  readonly isBase64Encoded: boolean;
}

export interface DrainResult {
  /** Events that were settled: done, ignored, or put off again. */
  readonly settled: number;
  /** Events that were still being worked on when the time was over. */
  readonly unfinished: number;
}

/** Each call gives the answer to its event. @throws Error for an event that is neither of both */
export type LambdaHandler = (
  event: unknown,
  context: LambdaContext,
) => Promise<LambdaResult | DrainResult>;

const SCHEDULE = 'LAMBDA_DRAIN_SCHEDULE';
/** Of the function's time, what is left for pausing and for the way of the answer. */
const MARGIN_MS = 700;
/** Longest that an answer waits for transactions to end; what runs longer goes on at the next call. */
const PAUSE_MS = 400;
/** A drain stops taking events this long before the function's time is over. */
const DRAIN_MARGIN_MS = 3_000;
const LOOK_MS = 50;

export function createLambdaHandler(world: LambdaWorld): LambdaHandler {
  let composing: Promise<ServerHandle | undefined> | undefined;
  let remainingMs: () => number = () => Number.POSITIVE_INFINITY;

  /** A start that failed is tried again with the next call: the database may only be late. */
  const server = async (): Promise<ServerHandle | undefined> => {
    composing ??= compose(world, () => Math.max(1, remainingMs() - MARGIN_MS));
    const composed = await composing;
    if (composed === undefined) composing = undefined;
    return composed;
  };

  return async (event, context) => {
    const isHttp = isHttpEvent(event);
    if (!isHttp && !isSchedule(event)) {
      throw new Error('the event is no request (payload 2.0) and no schedule');
    }
    remainingMs = () => context.getRemainingTimeInMillis();
    const composed = await server();
    if (composed === undefined) {
      if (isHttp) return toResult(answerInternal());
      // A schedule that fails shows in the metrics of the function.
      throw new Error('Keywright did not start; the lines before say why');
    }
    composed.worker.start();
    if (!isHttp) return drain(composed, remainingMs);
    try {
      await awaitCryptlex(composed, remainingMs);
      return await answer(composed, event, context);
    } finally {
      await composed.worker.pause(Math.max(1, Math.min(PAUSE_MS, remainingMs() - PAUSE_MS)));
    }
  };
}

async function compose(
  world: LambdaWorld,
  deadlineMsMax: () => number,
): Promise<ServerHandle | undefined> {
  const environment = createEnvironment(world.env, world.readFile);
  const hasSchedule = readSchedule(environment);
  const own = environment.problems().map(formatProblem);
  const composition = await composeServer({
    ...world,
    worksBehindAnswers: hasSchedule,
    journalMayComeLater: false,
    deadlineMsMax,
  });
  const found = composition.kind === 'refused' ? composition.problems : [];
  for (const problem of new Set([...own, ...found])) world.writeError(problem);
  if (composition.kind === 'refused') return undefined;
  const { server } = composition;
  if (own.length > 0) {
    await server.stop(0);
    return undefined;
  }
  for (const warning of server.warnings) world.writeError(warning);
  server.start();
  return server;
}

/** Whether the schedule is there, with what cannot be on Lambda told. */
function readSchedule(environment: Environment): boolean {
  const schedule = environment.resolveEnv(SCHEDULE) ?? 'off';
  if (!['on', 'off'].includes(schedule)) {
    environment.report(invalid(SCHEDULE, 'on or off', schedule));
  }
  const database = parseDatabaseUrl(environment.resolveEnv('DATABASE_URL') ?? DEFAULT_DATABASE_URL);
  if (database?.kind === 'sqlite') {
    const message = 'DATABASE_URL takes postgres://… or memory: on AWS Lambda';
    const hint = 'A file there is lost with its instance, and no other instance sees it.';
    environment.report({ code: 'ENV_INVALID', message, hint });
  }
  if (database?.kind === 'memory' && schedule === 'on') {
    const message = `${SCHEDULE} is on, but the journal is in memory`;
    const hint = 'The schedule may reach another instance. Use postgres://…, or switch it off.';
    environment.report({ code: 'ENV_INVALID', message, hint });
  }
  return schedule === 'on';
}

/**
 * An instance that knew Cryptlex to be away was frozen with that knowledge: its probe only goes on while
 * a call runs, so the call gives it the time.
 */
async function awaitCryptlex(server: ServerHandle, remainingMs: () => number): Promise<void> {
  const waitMs = Math.min(server.config.webhookDeadlineMs, remainingMs() - MARGIN_MS);
  const endMs = performance.now() + waitMs;
  while (server.worker.isDown() && performance.now() < endMs) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

async function answer(
  server: ServerHandle,
  event: HttpEvent,
  context: LambdaContext,
): Promise<LambdaResult> {
  const { event: usable, isBodyBroken } = usableRequest(withoutStage(event));
  const result = (await handle(server.app)(usable as never, context as never)) as LambdaResult;
  // Whatever else is wrong with the request comes first, as everywhere.
  if (!isBodyBroken || result.statusCode !== 400) return result;
  const message = 'it is no text, or not the base64 that it claims to be';
  return toResult(answerError(new AppError('BODY_MALFORMED', message)));
}

/** API Gateway puts the name of a stage that is not $default in front of the path. */
function withoutStage(event: HttpEvent): HttpEvent {
  const prefix = `/${event.requestContext.stage ?? '$default'}`;
  if (!event.rawPath.startsWith(`${prefix}/`)) return event;
  return { ...event, rawPath: event.rawPath.slice(prefix.length) };
}

async function drain(server: ServerHandle, remainingMs: () => number): Promise<DrainResult> {
  const { worker } = server;
  const timeMs = Math.max(1, Math.floor(remainingMs() - DRAIN_MARGIN_MS));
  const settled = await worker.workOff(AbortSignal.timeout(timeMs));
  const unfinished = await worker.pause(Math.max(1, remainingMs() - MARGIN_MS));
  server.log.info({ settled, unfinished }, 'what was waiting was worked off');
  return { settled, unfinished };
}

function toResult({ status, body }: Answer): LambdaResult {
  return {
    statusCode: status,
    headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' },
    body: JSON.stringify(body),
    isBase64Encoded: false,
  };
}

function isHttpEvent(event: unknown): event is HttpEvent {
  if (!isObject(event) || typeof event['rawPath'] !== 'string') return false;
  const context = event['requestContext'];
  return isObject(context) && isObject(context['http']);
}

/** EventBridge's own event, or `{"keywright": "drain"}`, which a schedule may be set up to send. */
function isSchedule(event: unknown): boolean {
  if (!isObject(event)) return false;
  return event['source'] === 'aws.events' || event['keywright'] === 'drain';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
