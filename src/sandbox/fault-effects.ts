// Carrying out a fault. Takes an effect and the work, gives the answer that the caller sees, or none.
// Never decides which call is struck.

import type { Clock } from '../core/model.ts';
import { type Answer, jsonAnswer, refusal } from './answer.ts';
import type { FaultBody, FaultEffect } from './faults.ts';

export interface FaultContext {
  readonly clock: Clock;
  /** Held until the caller gives up: its signal would otherwise be collected with it and never fire. */
  readonly request: Request;
  /** Does what was asked for and gives the true answer. */
  readonly work: (staleListMs?: number) => Answer;
  /** Tells of work that goes on without the caller. */
  readonly track: (work: Promise<unknown>) => void;
}

const waiting = new Set<Request>();

/**
 * Rejects where there is no answer: with a TypeError as Node's fetch does when a connection fails,
 * or with the abort reason once the caller gives up.
 */
export async function perform(effect: FaultEffect, context: FaultContext): Promise<Answer> {
  const { clock, work } = context;
  switch (effect.kind) {
    case 'disconnect':
      if (effect.when === 'afterCommit') work();
      else if (effect.when !== 'onTheWay') throw connectionError('ECONNREFUSED');
      throw connectionError('ECONNRESET');
    case 'timeout':
      if (effect.when === 'afterCommit') work();
      return untilAborted(context.request);
    case 'lateCommit':
      context.track(clock.sleep(effect.afterMs).then(() => work()));
      return untilAborted(context.request);
    case 'status':
      if (effect.when === 'afterCommit') work();
      return statusAnswer(effect);
    case 'garble':
      return garble(work(), effect.body);
    case 'slow': {
      const answer = clock.sleep(effect.ms).then(() => work());
      context.track(answer);
      return Promise.race([answer, untilAborted(context.request, answer)]);
    }
    case 'staleList':
      return work(effect.ms);
    default:
      return effect satisfies never;
  }
}

/** As undici words it: the reason is in the cause. */
function connectionError(code: 'ECONNREFUSED' | 'ECONNRESET'): TypeError {
  const cause = Object.assign(new Error(`sandbox fault: ${code}`), { code });
  return new TypeError('fetch failed', { cause });
}

/** Rejects when the caller gives up; never resolves. `unless` ends the waiting, too. */
function untilAborted(request: Request, unless?: Promise<unknown>): Promise<never> {
  const { signal } = request;
  return new Promise((_, reject) => {
    const leave = (): void => {
      waiting.delete(request);
      reject(signal.reason);
    };
    if (signal.aborted) {
      leave();
      return;
    }
    waiting.add(request);
    signal.addEventListener('abort', leave, { once: true });
    const forget = (): void => {
      waiting.delete(request);
      signal.removeEventListener('abort', leave);
    };
    unless?.then(forget, forget);
  });
}

function statusAnswer(effect: Extract<FaultEffect, { kind: 'status' }>): Answer {
  const { status, retryAfterSeconds, retryAfterAtMs } = effect;
  const headers: Record<string, string> = {};
  if (retryAfterSeconds !== undefined) headers['retry-after'] = String(retryAfterSeconds);
  if (retryAfterAtMs !== undefined) {
    headers['retry-after'] = new Date(retryAfterAtMs).toUTCString();
  }
  const plain = refusal(status, `sandbox fault: ${status}`);
  return { ...garble(plain, effect.body ?? 'json'), headers };
}

const HTML = '<!doctype html><html><head><title>Sorry</title></head><body>Back soon.</body></html>';

function garble(answer: Answer, body: FaultBody): Answer {
  const { status } = answer;
  const raw = (text: string, contentType: string): Answer => {
    // A 204 cannot carry a body, so a garbled one claims to be a 200.
    return {
      status: status === 204 ? 200 : status,
      content: { kind: 'raw', text, contentType },
    };
  };
  switch (body) {
    case 'json':
      return answer;
    case 'empty':
      return { status, content: { kind: 'empty' } };
    case 'html':
      return raw(HTML, 'text/html; charset=utf-8');
    case 'text':
      return raw('Something went wrong.', 'text/plain; charset=utf-8');
    case 'invalidJson':
      return raw('{"id": "', 'application/json; charset=utf-8');
    case 'emptyObject':
      return raw('{}', 'application/json; charset=utf-8');
    case 'withoutId':
      return answer.content.kind === 'json'
        ? jsonAnswer(status, withoutId(answer.content.value))
        : raw('{}', 'application/json; charset=utf-8');
    default:
      return body satisfies never;
  }
}

function withoutId(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutId);
  return { ...(value as object), id: undefined };
}
