// Rows of the database as the journal's own types. Takes rows, gives records; SQL ends here.

import {
  type EventOutcome,
  type EventStatus,
  eventKeyOf,
  type OperationResult,
  type WebhookEvent,
} from '../../core/model.ts';
import type { RecordedEvent } from '../archive.ts';
import type { BrakeMark } from '../brake.ts';
import type {
  EventRecord,
  LastWrite,
  OperationRecord,
  ReplayMark,
  StoredPlan,
} from '../journal.ts';

export interface EventRow {
  readonly sequence: number;
  readonly event_key: string;
  readonly source: string;
  readonly provider: WebhookEvent['provider'];
  readonly event_id: string;
  readonly type: string;
  readonly time_ms: number;
  readonly live: number | null;
  readonly payload: string | null;
  readonly subjects: string;
  readonly status: EventStatus;
  readonly due_ms: number;
  readonly attempts: number;
  readonly accepted_ms: number;
  /** When it was last begun anew; null where it never was. */
  readonly begun_ms: number | null;
  readonly settled_ms: number | null;
  readonly plan: string | null;
  readonly rules_hash: string | null;
  readonly outcome: string | null;
  readonly replay: string | null;
  readonly timer_key: string | null;
  readonly brake: BrakeMark | null;
}

/** The payload, which lies in a table of its own; null once it was erased. */
export const PAYLOAD_COLUMN =
  '(select payload from payloads where payloads.sequence = events.sequence) as payload';

export const EVENT_COLUMNS = `sequence, event_key, source, provider, event_id, type, time_ms, live,
  ${PAYLOAD_COLUMN}, subjects, status, due_ms, attempts, accepted_ms, settled_ms, plan, rules_hash, outcome, replay,
  timer_key, begun_ms, brake`;

export interface OperationRow {
  readonly operation_key: string;
  readonly event_key: string;
  readonly action: string;
  readonly target_id: string | null;
  readonly product_id: string | null;
  readonly before: string;
  readonly choice: string | null;
  readonly state: 'intended' | 'done';
  readonly result: string | null;
  readonly intended_ms: number;
  readonly done_ms: number | null;
}

export const OPERATION_COLUMNS = `operation_key, event_key, action, target_id, product_id, before, choice,
  state, result, intended_ms, done_ms`;

export type TrafficRow = Pick<
  EventRow,
  'sequence' | 'source' | 'provider' | 'event_id' | 'type' | 'time_ms' | 'live' | 'payload'
>;

/** The event with its payload as text. */
export function toRecorded(row: TrafficRow): RecordedEvent {
  return {
    source: row.source,
    provider: row.provider,
    id: row.event_id,
    type: row.type,
    timeMs: row.time_ms,
    live: row.live === null ? null : row.live === 1,
    payload: row.payload ?? undefined,
  };
}

/** The event itself; its payload is empty once it was erased. */
export function toEvent(row: EventRow): WebhookEvent {
  const { payload, ...event } = toRecorded(row);
  const isOwn = row.event_key !== eventKeyOf(event);
  return {
    ...event,
    payload: payload === undefined ? {} : JSON.parse(payload),
    ...(isOwn ? { isOwn } : {}),
  };
}

export function toSubjects(row: Pick<EventRow, 'subjects'>): readonly string[] {
  return JSON.parse(row.subjects) as readonly string[];
}

export function toStoredPlan(row: EventRow): StoredPlan | undefined {
  return row.plan === null ? undefined : (JSON.parse(row.plan) as StoredPlan);
}

export function toOutcome(row: Pick<EventRow, 'outcome'>): EventOutcome | undefined {
  return row.outcome === null ? undefined : (JSON.parse(row.outcome) as EventOutcome);
}

export function toReplay(row: EventRow): ReplayMark | undefined {
  return row.replay === null ? undefined : (JSON.parse(row.replay) as ReplayMark);
}

export function toRecord(row: EventRow): EventRecord {
  const unfinished = ['queued', 'waiting', 'parked'].includes(row.status);
  return {
    key: row.event_key,
    event: toEvent(row),
    subjects: toSubjects(row),
    status: row.status,
    attempts: row.attempts,
    firstAcceptedAtMs: row.accepted_ms,
    begunAtMs: row.begun_ms ?? row.accepted_ms,
    settledAtMs: row.settled_ms ?? undefined,
    dueAtMs: unfinished ? row.due_ms : undefined,
    timerKey: row.status === 'waiting' ? (row.timer_key ?? undefined) : undefined,
    outcome: toOutcome(row),
    rulesHash: row.rules_hash ?? undefined,
    brake: row.brake ?? undefined,
    isErased: row.payload === null,
  };
}

/** @param nowMs on the database's clock; any, where nothing is open */
export function toOperation(row: OperationRow, nowMs: number): OperationRecord {
  const base = {
    key: row.operation_key,
    eventKey: row.event_key,
    action: row.action,
    targetId: row.target_id ?? undefined,
    productId: row.product_id ?? undefined,
    before: JSON.parse(row.before),
    choice: row.choice ?? undefined,
    intendedAtMs: row.intended_ms,
  };
  return row.state === 'done' && row.result !== null
    ? { ...base, state: 'done', result: JSON.parse(row.result) as OperationResult }
    : { ...base, state: 'intended', openForMs: nowMs - row.intended_ms };
}

export interface LastWriteRow {
  readonly field: string;
  readonly time_ms: number;
  readonly is_payment: number;
  readonly written: string | null;
}

export function toLastWrite(row: LastWriteRow): LastWrite {
  const base = { field: row.field, timeMs: row.time_ms, rank: row.is_payment };
  return row.written === null ? base : { ...base, written: JSON.parse(row.written) };
}
