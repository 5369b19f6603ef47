// Answers to a webhook. Takes what is known of a delivery's events, or an error; gives status, body and headers.
// Pure: the contract's table of answers in code. Success is exactly 200, because FastSpring counts
// a 201 as a failure and a 202 without ids as "nothing processed". Never says more than the sender may know.

import type { AppError, AppErrorCode } from '../core/error-codes.ts';
import { registryEntry } from '../core/error-codes.ts';
import type { EventFailure, EventOutcome, JsonObject, Problem } from '../core/model.ts';

export interface Answer {
  readonly status: 200 | 202 | 400 | 404 | 405 | 413 | 415 | 503;
  /** An object is sent as JSON, a text as text/plain. */
  readonly body: JsonObject | string;
  readonly headers: Readonly<Record<string, string>>;
  /** The registry's codes that the answer tells of, for the log. */
  readonly codes: readonly AppErrorCode[];
}

interface DeliveryFacts {
  /** More than one event came in one POST; only FastSpring does that. */
  readonly isBatch: boolean;
  /** Whether a stored event outlives this process: what is not done may then be answered 200. */
  readonly journalKeepsState: boolean;
  /** What the source wants to be answered on 200, word for word. */
  readonly fixedAnswer?: JsonObject | undefined;
  /** 200 says that the events are stored; what failed is told by the journal, not by the answer. */
  readonly acknowledgesStored?: boolean | undefined;
}

type Verdict =
  | { readonly kind: 'fine' }
  | { readonly kind: 'unfinished' }
  | { readonly kind: 'refused'; readonly failure: EventFailure };

/** The answer to a verified delivery; see the contract's table of answers. */
export function answerDelivery(outcomes: readonly EventOutcome[], facts: DeliveryFacts): Answer {
  const judged = outcomes.map((outcome) => ({ outcome, verdict: verdictOn(outcome, facts) }));
  const [first] = judged;
  if (!facts.isBatch && first !== undefined && judged.length === 1) {
    return answerSingle(first.outcome, first.verdict, facts);
  }

  const codes = judged.flatMap(({ verdict }) =>
    verdict.kind === 'refused' ? [verdict.failure.code] : [],
  );
  const events = judged.map(({ outcome, verdict }) => describe(outcome, verdict));
  // Asking for the whole batch again does no harm: what is done will be told as a duplicate.
  if (!facts.journalKeepsState && judged.some(({ verdict }) => verdict.kind === 'unfinished')) {
    const body = errorBody('NOT_FINISHED', countStatuses(outcomes), { details: {} });
    return answer(503, { ...body, events }, [...codes, 'NOT_FINISHED']);
  }
  const [firstCode] = codes;
  if (firstCode === undefined) {
    const body = { message: countStatuses(outcomes), events };
    return answer(200, facts.fixedAnswer ?? body, []);
  }
  if (codes.length < judged.length) {
    // FastSpring: "list the ID number of the event you processed. On a new line, repeat for other
    // IDs"; the ids left out are sent again. Source: processed-and-unprocessed-webhook-events, 2026-09.
    const processed = judged.filter(({ verdict }) => verdict.kind !== 'refused');
    const ids = processed.map(({ outcome }) => outcome.eventId);
    return answer(202, ids.join('\n'), codes);
  }
  const message = `None of the ${events.length} events can be processed: ${countStatuses(outcomes)}`;
  return answer(400, { message, error: firstCode, details: {}, events }, codes);
}

/**
 * The answer to what was not let in, or not taken; 503 for codes that no sender should meet.
 * @param refusalCode what a 400 calls it in place of our own code, which then stands in `details`
 */
export function answerError(
  error: Pick<AppError, 'code' | 'message' | 'hint'>,
  {
    details = {},
    headers = {},
    refusalCode,
  }: {
    details?: JsonObject;
    headers?: Record<string, string>;
    refusalCode?: string | undefined;
  } = {},
): Answer {
  const status = registryEntry(error.code).httpStatus;
  // A code without a status is none for senders, so its message is not meant for them.
  if (status === undefined || error.code === 'INTERNAL') return answerInternal();
  const body = errorBody(error.code, error.message, { hint: error.hint, details });
  if (status === 400 && refusalCode !== undefined) {
    body['error'] = refusalCode;
    body['details'] = { ...details, code: error.code };
  }
  return { status, body, headers, codes: [error.code] };
}

/** The answer to our own mistake: it says nothing of what went wrong, the log does. */
export function answerInternal(): Answer {
  return answer(503, errorBody('INTERNAL', '', { details: {} }), ['INTERNAL']);
}

/** Title says what happened, detail says which, hint says what to do. */
function errorBody(
  code: AppErrorCode,
  detail: string,
  { hint, details }: { hint?: string | undefined; details: JsonObject },
): JsonObject {
  const { title, hint: registryHint } = registryEntry(code);
  const what = detail === '' ? title : `${title}: ${detail.replace(/\.$/, '')}`;
  return { message: `${what}. ${hint ?? registryHint}`, error: code, details };
}

function answer(
  status: Answer['status'],
  body: Answer['body'],
  codes: readonly AppErrorCode[],
): Answer {
  return { status, body, headers: {}, codes };
}

function answerSingle(outcome: EventOutcome, verdict: Verdict, facts: DeliveryFacts): Answer {
  switch (verdict.kind) {
    case 'fine':
      return answer(200, facts.fixedAnswer ?? describe(outcome, verdict), []);
    case 'unfinished': {
      if (facts.journalKeepsState) {
        return answer(200, facts.fixedAnswer ?? describe(outcome, verdict), []);
      }
      const detail = outcome.reason ?? outcome.message;
      const details = { ...referencesOf(outcome), status: statusOf(outcome), reason: detail };
      return answer(503, errorBody('NOT_FINISHED', detail, { details }), ['NOT_FINISHED']);
    }
    case 'refused': {
      const { code, message, hint, problems } = verdict.failure;
      const details = {
        ...referencesOf(outcome),
        reason: outcome.reason ?? message,
        problems: problems.map(describeProblem),
      };
      return answer(400, errorBody(code, message, { hint, details }), [code]);
    }
    default:
      return verdict satisfies never;
  }
}

/** What failed for good in memory is gone with it, so that the provider has to keep it. */
function verdictOn(outcome: EventOutcome, facts: DeliveryFacts): Verdict {
  const verdict = judge(outcome);
  if (verdict.kind !== 'refused' || facts.acknowledgesStored !== true) return verdict;
  return { kind: facts.journalKeepsState ? 'fine' : 'unfinished' };
}

function judge(outcome: EventOutcome): Verdict {
  switch (outcome.status) {
    case 'done':
    case 'ignored':
      return { kind: 'fine' };
    case 'queued':
    case 'running':
    case 'waiting':
    case 'parked':
      return { kind: 'unfinished' };
    case 'unmatched':
      return outcome.rejected === true
        ? { kind: 'refused', failure: failureOf(outcome, 'EVENT_UNMATCHED') }
        : { kind: 'fine' };
    case 'failed':
      return { kind: 'refused', failure: failureOf(outcome, 'INTERNAL') };
    default:
      return outcome.status satisfies never;
  }
}

function failureOf(outcome: EventOutcome, code: AppErrorCode): EventFailure {
  return outcome.failure ?? { code, message: outcome.message, hint: undefined, problems: [] };
}

/** One event as the contract writes it: `{message, status, eventId, …}`, only what applies. */
function describe(outcome: EventOutcome, verdict: Verdict): JsonObject {
  const { rule, userId, licenseIds = [], duplicate, reason } = outcome;
  const described: JsonObject = {
    message: outcome.message,
    status: statusOf(outcome),
    eventId: outcome.eventId,
  };
  if (rule !== undefined) described['rule'] = rule;
  if (userId !== undefined) described['userId'] = userId;
  if (licenseIds.length > 0) described['licenseIds'] = [...licenseIds];
  if (duplicate === true) described['duplicate'] = true;
  if (reason !== undefined) described['reason'] = reason;
  if (verdict.kind === 'refused') {
    const { code, message, hint, problems } = verdict.failure;
    const { message: text } = errorBody(code, message, { hint, details: {} });
    described['message'] = text ?? message;
    described['error'] = code;
    described['reason'] = reason ?? message;
    described['problems'] = problems.map(describeProblem);
  }
  return described;
}

/** What a failure says in any case: which event, and what has been done for it so far. */
function referencesOf(outcome: EventOutcome): JsonObject {
  return {
    eventId: outcome.eventId,
    ...(outcome.rule === undefined ? {} : { rule: outcome.rule }),
    userId: outcome.userId ?? null,
    licenseIds: [...(outcome.licenseIds ?? [])],
  };
}

function describeProblem({ code, message, hint, location }: Problem): JsonObject {
  return {
    code,
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(location === undefined ? {} : { location }),
  };
}

/** A sender cannot tell an event that is being worked on from one that will be. */
function statusOf(outcome: EventOutcome): string {
  return outcome.status === 'running' ? 'queued' : outcome.status;
}

/** "3 events: 2 done, 1 ignored" */
function countStatuses(outcomes: readonly EventOutcome[]): string {
  const counts = new Map<string, number>();
  for (const outcome of outcomes) {
    const status = statusOf(outcome);
    counts.set(status, (counts.get(status) ?? 0) + 1);
  }
  const parts = [...counts].map(([status, count]) => `${count} ${status}`);
  return [`${outcomes.length} events`, parts.join(', ')].filter((part) => part !== '').join(': ');
}
