// Reading the SQL journal: one event whole, replays, rule texts, erasure; its lists are in event-pages.ts.
// Marks events to be replayed; never works on one.

import { randomUUID } from 'node:crypto';
import type { EventFailure, EventOutcome } from '../../core/model.ts';
import {
  type Archive,
  type AttemptRecord,
  type EventDetails,
  type ReplayMode,
  type ReplayRequest,
  type RuleText,
  replayMark,
} from '../archive.ts';
import { findBacklog } from './backlog.ts';
import { decideHeld, forgetCounted } from './brake.ts';
import { type SqlDatabase, type SqlTransaction, WITHOUT_WAITING } from './database.ts';
import { countEvents, FIND_TYPES, listEvents, listTraffic } from './event-pages.ts';
import { findIssued } from './issued.ts';
import { findNotices, setNotice } from './notices.ts';
import {
  EVENT_COLUMNS,
  type EventRow,
  OPERATION_COLUMNS,
  type OperationRow,
  toOperation,
  toOutcome,
  toRecord,
  toReplay,
  toStoredPlan,
  toSubjects,
} from './rows.ts';
import { anyProvider, FIND_EVENT } from './statements.ts';
import { afterEntering, POSITION, putOff } from './subject-order.ts';
import { createTimeCounts } from './time-counts.ts';
import { forgetTimers } from './timers.ts';

const ERASE_AT_ONCE = 500;
const ERASED = 'Handled; the details were erased.';

/** The archive over a database whose schema is up to date. */
export function createSqlArchive(database: SqlDatabase): Archive {
  return {
    list: (filter, page) =>
      database.transaction((tx) => listEvents(tx, filter, page), WITHOUT_WAITING),
    traffic: (filter, page) =>
      database.transaction((tx) => listTraffic(tx, filter, page), WITHOUT_WAITING),
    count: (filter) => database.transaction((tx) => countEvents(tx, filter), WITHOUT_WAITING),
    countByTime: createTimeCounts(database),
    types: () =>
      database.transaction(async (tx) => {
        const rows = await tx.query<{ type: string }>(FIND_TYPES);
        return rows.map(({ type }) => type);
      }, WITHOUT_WAITING),
    findKeys: (eventId) =>
      database.transaction(async (tx) => {
        const rows = await tx.query<{ event_key: string }>(FIND_KEYS, [eventId]);
        return rows.map((row) => row.event_key);
      }, WITHOUT_WAITING),
    details: (key) => database.transaction((tx) => details(tx, key), WITHOUT_WAITING),
    issued: (productIds, lastMax) =>
      database.transaction((tx) => findIssued(tx, productIds, lastMax), WITHOUT_WAITING),
    requestReplay: (key, mode) => requestReplay(database, key, mode),
    decideHeld: (key, verdict) => decideHeld(database, key, verdict),
    rememberRules: async ({ hash, file, text, beside }) => {
      const texts = JSON.stringify({ text, beside });
      await database.transaction(
        (tx) => tx.query(REMEMBER_RULES, [hash, file, texts]),
        WITHOUT_WAITING,
      );
    },
    findRules: (hash) =>
      database.transaction(async (tx) => {
        const [row] = await tx.query<{ hash: string; file: string; rule_text: string }>(
          'select hash, file, rule_text from rule_texts where hash = $1',
          [hash],
        );
        if (row === undefined) return undefined;
        const texts = JSON.parse(row.rule_text) as Pick<RuleText, 'text' | 'beside'>;
        return { hash: row.hash, file: row.file, ...texts };
      }, WITHOUT_WAITING),
    setNotice: (server, text) =>
      database.transaction((tx) => setNotice(tx, server, text), WITHOUT_WAITING),
    notices: () => database.transaction(findNotices, WITHOUT_WAITING),
    backlog: () => database.transaction(findBacklog, WITHOUT_WAITING),
    erase: (settledBeforeMs) => erase(database, settledBeforeMs),
  };
}

interface AttemptRow {
  readonly attempt: number;
  readonly started_ms: number;
  readonly ended_ms: number;
  readonly status: AttemptRecord['status'];
  readonly reason: string | null;
  readonly calls: string;
}

async function details(tx: SqlTransaction, key: string): Promise<EventDetails | undefined> {
  const [row] = await tx.query<EventRow>(FIND_EVENT, [key]);
  if (row === undefined) return undefined;
  const operations = await tx.query<OperationRow>(
    `select ${OPERATION_COLUMNS} from operations where event_key = $1 order by intended_ms, operation_key`,
    [key],
  );
  const attempts = await tx.query<AttemptRow>(
    'select attempt, started_ms, ended_ms, status, reason, calls from attempts where event_key = $1 order by attempt',
    [key],
  );
  return {
    record: toRecord(row),
    storedPlan: toStoredPlan(row),
    operations: operations.map((operation) => toOperation(operation, tx.nowMs)),
    attempts: attempts.map((attempt) => ({
      attempt: attempt.attempt,
      startedAtMs: attempt.started_ms,
      endedAtMs: attempt.ended_ms,
      status: attempt.status,
      reason: attempt.reason ?? undefined,
      calls: JSON.parse(attempt.calls),
    })),
  };
}

async function requestReplay(
  database: SqlDatabase,
  key: string,
  mode: ReplayMode,
): Promise<ReplayRequest> {
  return database.transaction(async (tx) => {
    const [found] = await tx.query<{ subjects: string }>(
      'select subjects from events where event_key = $1',
      [key],
    );
    if (found === undefined) return { kind: 'unknown' };
    const subjects = toSubjects(found);
    await database.lockSubjects(tx, subjects);
    const [row] = await tx.query<EventRow>(FIND_EVENT, [key]);
    if (row === undefined) return { kind: 'unknown' };
    if (row.status === 'running') return { kind: 'running' };
    if (row.payload === null) return { kind: 'erased' };
    const { status } = row;
    const known = { status, outcome: toOutcome(row), replay: toReplay(row) };
    const mark = replayMark(mode, randomUUID(), known);
    await tx.query(MARK_REPLAY, [key, tx.nowMs, JSON.stringify(mark)]);
    await putOff(tx, key, POSITION.queued);
    await afterEntering(tx, database, key, subjects);
    await database.announce(tx);
    return { kind: 'queued' };
  });
}

/** In portions, so that accepting is never held up for long. */
async function erase(database: SqlDatabase, settledBeforeMs: number): Promise<number> {
  let erased = 0;
  for (;;) {
    const portion = await database.transaction(async (tx) => {
      const rows = await tx.query<EventRow>(FIND_ERASABLE, [settledBeforeMs]);
      for (const row of rows) await eraseOne(tx, row);
      return rows.length;
    });
    erased += portion;
    if (portion < ERASE_AT_ONCE) break;
  }
  await database.transaction((tx) => tx.query(FORGET_RULES));
  await database.transaction((tx) => forgetTimers(tx, settledBeforeMs));
  await database.transaction(forgetCounted);
  if (erased > 0) await database.scrub();
  return erased;
}

/** What answers duplicates stays: status, user and license ids. */
async function eraseOne(tx: SqlTransaction, row: EventRow): Promise<void> {
  const outcome = row.outcome === null ? undefined : (JSON.parse(row.outcome) as EventOutcome);
  const kept =
    outcome === undefined
      ? null
      : JSON.stringify({
          eventId: outcome.eventId,
          status: outcome.status,
          message: ERASED,
          ...(outcome.rule === undefined ? {} : { rule: outcome.rule }),
          ...(outcome.userId === undefined ? {} : { userId: outcome.userId }),
          ...(outcome.licenseIds === undefined ? {} : { licenseIds: outcome.licenseIds }),
          ...(outcome.rejected === undefined ? {} : { rejected: outcome.rejected }),
          ...(outcome.failure === undefined ? {} : { failure: codeOnly(outcome.failure) }),
        } satisfies EventOutcome);
  await tx.query(ERASE_PAYLOAD, [row.sequence]);
  await tx.query(ERASE_EVENT, [row.event_key, kept]);
  await tx.query("update operations set before = '{}' where event_key = $1", [row.event_key]);
  await tx.query('delete from attempts where event_key = $1', [row.event_key]);
}

/** Messages may quote the payload; a code does not. */
function codeOnly({ code }: EventFailure): EventFailure {
  return { code, message: ERASED, hint: undefined, problems: [] };
}

/** By the key, which has an index: it is the provider and the id. */
const FIND_KEYS = `select event_key from events
  where event_key in (${anyProvider('$1')}) order by sequence`;

const REMEMBER_RULES = `insert into rule_texts (hash, file, rule_text) values ($1, $2, $3)
  on conflict (hash) do nothing`;

const MARK_REPLAY = `update events set status = 'queued', ready = 0, due_ms = $2, begun_ms = $2,
  plan = null, replay = $3, brake = null, lease_owner = null, lease_ms = null where event_key = $1`;

const FIND_ERASABLE = `select ${EVENT_COLUMNS} from events
  where is_erased = 0 and settled_ms < $1
    and status not in ('queued', 'running', 'waiting', 'parked')
  order by settled_ms limit ${ERASE_AT_ONCE}`;

const ERASE_PAYLOAD = 'delete from payloads where sequence = $1';

const ERASE_EVENT = `update events set is_erased = 1, plan = null, rules_hash = null, outcome = $2
  where event_key = $1`;

const FORGET_RULES = `delete from rule_texts where hash not in (
  select rules_hash from events where rules_hash is not null)`;
