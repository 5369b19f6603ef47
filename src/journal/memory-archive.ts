// Reading the memory journal: the same lists and replays as a durable one gives, over what is still
// remembered. Takes a view of the journal's entries; keeps nothing itself but rule texts and notices.

import {
  type Archive,
  type AttemptRecord,
  BACKLOG_STATUSES,
  type BacklogStatus,
  backlogOf,
  type EventFilter,
  type HeldDecision,
  type HeldVerdict,
  type IssuedLicenses,
  NOTICE_FRESH_MS,
  type ReplayMode,
  type ReplayRequest,
  type RuleText,
  type ServerNotice,
  type TimeCount,
} from './archive.ts';
import type { EventRecord, OperationRecord, StoredPlan } from './journal.ts';
import type { KeyedHash } from './keyed-hash.ts';
import { referencesFor } from './references.ts';

/** One event as the memory journal holds it. */
export interface MemoryEntryView {
  readonly sequence: number;
  readonly record: EventRecord;
  /** The end of the time that it waits for, or waited for; undefined where it never did. */
  readonly sinceMs: number | undefined;
  readonly storedPlan: StoredPlan | undefined;
  readonly attempts: readonly AttemptRecord[];
  readonly references: readonly string[];
}

/** What the archive needs of the journal. */
export interface MemoryView {
  /** Oldest first. */
  entries(): Iterable<MemoryEntryView>;
  find(key: string): MemoryEntryView | undefined;
  operationsOf(key: string): readonly OperationRecord[];
  /** Oldest first. */
  operations(): Iterable<OperationRecord>;
  /** Puts an event that is not in work back into line. */
  requeue(key: string, mode: ReplayMode): void;
  /** A person's word on an event that the brake holds. */
  decide(key: string, verdict: HeldVerdict): void;
  erase(key: string): void;
  nowMs(): number;
  /** Of the hashes of e-mail addresses. */
  readonly hash: KeyedHash;
}

export function createMemoryArchive(view: MemoryView): Archive {
  const rules = new Map<string, RuleText>();
  const notices = new Map<string, ServerNotice>();
  const matching = (filter: EventFilter): MemoryEntryView[] => {
    const { about } = filter;
    const wanted = about === undefined ? [] : referencesFor(about, view.hash).references;
    return [...view.entries()].filter(
      (entry) =>
        matches(entry.record, filter) &&
        (about === undefined || isAbout(entry.record, about) || shares(entry.references, wanted)),
    );
  };
  const page = (
    filter: EventFilter,
    { limit, cursor }: { limit: number; cursor?: string | undefined },
  ) => {
    const before = cursor === undefined ? Number.POSITIVE_INFINITY : Number(cursor);
    const found = matching(filter).filter(({ sequence }) => sequence < before);
    const newestFirst = found.sort((a, b) => b.sequence - a.sequence);
    const shown = newestFirst.slice(0, limit);
    const last = shown.at(-1);
    return {
      records: shown.map(({ record }) => record),
      cursor: newestFirst.length > limit && last !== undefined ? String(last.sequence) : undefined,
    };
  };
  return {
    list: async (filter, which) => {
      const { records, cursor } = page(filter, which);
      const events = records.map((record) => ({
        ...record,
        event: { ...record.event, payload: {} },
      }));
      return { events, cursor };
    },
    traffic: async (filter, which) => {
      const { records, cursor } = page(filter, which);
      const events = records.map(({ event, isErased }) => ({
        ...event,
        payload: isErased ? undefined : JSON.stringify(event.payload),
      }));
      return { events, cursor };
    },
    count: async (filter) => matching(filter).length,
    countByTime: async (sinceMs, stepMs) => {
      const counts = new Map<string, TimeCount>();
      for (const { record } of matching({ sinceMs })) {
        const fromMs = record.firstAcceptedAtMs - (record.firstAcceptedAtMs % stepMs);
        const { source } = record.event;
        const key = JSON.stringify([fromMs, source, record.status]);
        const events = (counts.get(key)?.events ?? 0) + 1;
        counts.set(key, { fromMs, source, status: record.status, events });
      }
      return [...counts.values()].sort(
        (a, b) =>
          a.fromMs - b.fromMs ||
          a.source.localeCompare(b.source) ||
          a.status.localeCompare(b.status),
      );
    },
    types: async () =>
      [...new Set([...view.entries()].map(({ record }) => record.event.type))].sort().slice(0, 500),
    findKeys: async (eventId) =>
      [...view.entries()]
        .filter(({ record }) => record.event.id === eventId || record.key === eventId)
        .map(({ record }) => record.key),
    details: async (key) => {
      const entry = view.find(key);
      if (entry === undefined) return undefined;
      const { record, storedPlan, attempts } = entry;
      return { record, storedPlan, attempts, operations: view.operationsOf(key) };
    },
    issued: async (productIds, lastMax) => issuedOf(view.operations(), productIds, lastMax),
    requestReplay: async (key, mode): Promise<ReplayRequest> => {
      const record = view.find(key)?.record;
      if (record === undefined) return { kind: 'unknown' };
      if (record.status === 'running') return { kind: 'running' };
      if (record.isErased) return { kind: 'erased' };
      view.requeue(key, mode);
      return { kind: 'queued' };
    },
    decideHeld: async (key, verdict): Promise<HeldDecision> => {
      const record = view.find(key)?.record;
      if (record === undefined) return { kind: 'unknown' };
      if (record.brake !== 'held') return { kind: 'not held' };
      view.decide(key, verdict);
      return { kind: verdict === 'release' ? 'released' : 'dropped' };
    },
    rememberRules: async (text) => {
      rules.set(text.hash, text);
    },
    findRules: async (hash) => rules.get(hash),
    setNotice: async (server, text) => {
      if (text === undefined) notices.delete(server);
      else notices.set(server, { server, text, atMs: view.nowMs() });
    },
    notices: async () =>
      [...notices.values()].filter(({ atMs }) => atMs >= view.nowMs() - NOTICE_FRESH_MS),
    backlog: async () => {
      const found = new Map<BacklogStatus, { events: number; oldestAgeMs: number }>();
      for (const { record, sinceMs } of view.entries()) {
        const waitsForTime = record.timerKey !== undefined;
        const isHeld = record.brake === 'held' && record.status === 'parked';
        const stands = isHeld ? 'held' : waitsForTime ? 'timer' : record.status;
        const status = BACKLOG_STATUSES.find((known) => known === stands);
        if (status === undefined) continue;
        const { events, oldestAgeMs } = found.get(status) ?? { events: 0, oldestAgeMs: 0 };
        const ageMs = Math.max(0, view.nowMs() - (sinceMs ?? record.begunAtMs));
        found.set(status, { events: events + 1, oldestAgeMs: Math.max(ageMs, oldestAgeMs) });
      }
      return backlogOf([...found].map(([status, counts]) => ({ status, ...counts })));
    },
    erase: async (settledBeforeMs) => {
      let erased = 0;
      for (const { record } of [...view.entries()]) {
        const { settledAtMs, status, isErased, key } = record;
        const finished = ['done', 'ignored', 'unmatched', 'failed'].includes(status);
        if (isErased || !finished || settledAtMs === undefined || settledAtMs >= settledBeforeMs) {
          continue;
        }
        view.erase(key);
        erased += 1;
      }
      return erased;
    },
  };
}

function matches(record: EventRecord, filter: EventFilter): boolean {
  const { event, subjects, firstAcceptedAtMs } = record;
  const { status, source, type, subject, sinceMs, untilMs } = filter;
  return (
    (status === undefined || record.status === status) &&
    (filter.isHeld !== true || (record.brake === 'held' && record.status === 'parked')) &&
    (source === undefined || event.source === source) &&
    (type === undefined || event.type === type) &&
    (subject === undefined || subjects.some((own) => isSubject(own, subject))) &&
    (sinceMs === undefined || firstAcceptedAtMs >= sinceMs) &&
    (untilMs === undefined || firstAcceptedAtMs < untilMs)
  );
}

function isAbout({ key, event, subjects }: EventRecord, about: string): boolean {
  return (
    event.id === about ||
    key === about ||
    event.type === about ||
    subjects.some((own) => isSubject(own, about))
  );
}

function shares(own: readonly string[], wanted: readonly string[]): boolean {
  return wanted.some((reference) => own.includes(reference));
}

/** Subjects carry the name of their provider; people give them without it. */
function isSubject(own: string, wanted: string): boolean {
  return own === wanted || own.slice(own.indexOf(':') + 1) === wanted;
}

function issuedOf(
  operations: Iterable<OperationRecord>,
  productIds: readonly string[],
  lastMax: number,
): ReadonlyMap<string, IssuedLicenses> {
  const wanted = new Set(productIds);
  const issued = new Map<string, IssuedLicenses>();
  for (const operation of operations) {
    const { action, productId, eventKey, intendedAtMs: atMs } = operation;
    const isMade = action === 'license.create' && operation.state === 'done';
    if (!isMade || productId === undefined || !wanted.has(productId)) continue;
    const { licenses, last } = issued.get(productId) ?? { licenses: 0, last: [] };
    const newest = [{ licenseId: operation.result.targetId, eventKey, atMs }, ...last];
    newest.sort((a, b) => b.atMs - a.atMs);
    issued.set(productId, { licenses: licenses + 1, last: newest.slice(0, lastMax) });
  }
  return issued;
}
