// The journal as a person reads it: lists, one event whole, replays, and what is erased after a time.
// The interface that every kind of journal keeps, and what they share of it; nothing is stored here.

import type { EventOutcome, EventStatus, WebhookEvent } from '../core/model.ts';
import type {
  CallSummary,
  EventRecord,
  OperationRecord,
  ReplayMark,
  StoredPlan,
} from './journal.ts';

export interface EventFilter {
  readonly status?: EventStatus | undefined;
  readonly source?: string | undefined;
  readonly type?: string | undefined;
  /** A subject as the rules give it, `sub_1`. */
  readonly subject?: string | undefined;
  /**
   * What a person looks for: an event's id or type, a subject, the id of a license or a user, or an e-mail
   * address; the whole of it, and events that it is any of.
   */
  readonly about?: string | undefined;
  /** Only those that the brake holds. */
  readonly isHeld?: boolean | undefined;
  /** Accepted at or after this time, in milliseconds since 1970. */
  readonly sinceMs?: number | undefined;
  /** Accepted before this time. */
  readonly untilMs?: number | undefined;
}

export interface EventPage {
  /** Newest first; payloads are left out. */
  readonly events: readonly EventRecord[];
  /** For the next page; undefined on the last one. */
  readonly cursor: string | undefined;
}

/** An event as it came, for whoever reads very many: its payload stays text. */
export interface RecordedEvent extends Omit<WebhookEvent, 'payload'> {
  /** Undefined once it was erased. */
  readonly payload: string | undefined;
}

/** How many events of one source stand so, of those accepted within one stretch of time. */
export interface TimeCount {
  /** Where the stretch begins. */
  readonly fromMs: number;
  readonly source: string;
  readonly status: EventStatus;
  readonly events: number;
}

export interface TrafficPage {
  /** Newest first. */
  readonly events: readonly RecordedEvent[];
  /** For the next page; undefined on the last one. */
  readonly cursor: string | undefined;
}

/** One try at an event. */
export interface AttemptRecord {
  readonly attempt: number;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly status: EventStatus;
  readonly reason: string | undefined;
  readonly calls: readonly CallSummary[];
}

/** One event with all that is known of it. */
export interface EventDetails {
  readonly record: EventRecord;
  readonly storedPlan: StoredPlan | undefined;
  readonly operations: readonly OperationRecord[];
  readonly attempts: readonly AttemptRecord[];
}

/** The text of a rule file as it was when events were handled by it. */
export interface RuleText {
  readonly hash: string;
  readonly file: string;
  readonly text: string;
  /** Texts of files beside it (a catalog), by name. */
  readonly beside: Readonly<Record<string, string>>;
}

/** What a running server wants whoever looks into the journal to know. */
export interface ServerNotice {
  /** Tells one process from another. */
  readonly server: string;
  readonly text: string;
  /** When it was last said; a server that still means it says it again each minute. */
  readonly atMs: number;
}

/** Older ones come from servers that are gone. */
export const NOTICE_FRESH_MS = 3 * 60 * 1000;

/**
 * Those that wait for a time are told apart (`timer`): they are late only once their time is over. So are those
 * that the brake holds (`held`): they are parked, and no token helps them.
 */
export const BACKLOG_STATUSES = [
  'queued',
  'running',
  'waiting',
  'parked',
  'timer',
  'held',
] as const;
export type BacklogStatus = (typeof BACKLOG_STATUSES)[number];

/** What is not finished, by status; all of them are there, with zeros where there is nothing. */
export type Backlog = ReadonlyMap<
  BacklogStatus,
  {
    readonly events: number;
    /**
     * Since the oldest of them was accepted, or since its time was over where it has waited for one; 0 where
     * there is none.
     */
    readonly oldestAgeMs: number;
  }
>;

export function backlogOf(
  found: Iterable<{ status: BacklogStatus; events: number; oldestAgeMs: number }>,
): Backlog {
  const none = { events: 0, oldestAgeMs: 0 };
  const backlog = new Map<BacklogStatus, { events: number; oldestAgeMs: number }>(
    BACKLOG_STATUSES.map((status) => [status, none]),
  );
  for (const { status, events, oldestAgeMs } of found) backlog.set(status, { events, oldestAgeMs });
  return backlog;
}

/**
 * `again`: today's rules; what was done is skipped, and a done event keeps its licenses.
 * `retarget`: licenses are looked up anew. `force`: what was done is done once more.
 */
export type ReplayMode = ReplayMark['mode'];
export const REPLAY_MODES: readonly ReplayMode[] = ['again', 'retarget', 'force'];

/**
 * The mark of a replay that is asked for now. One that is asked for again before it was worked on, or
 * while it is in back-off, still replays an event that was done.
 */
export function replayMark(
  mode: ReplayMode,
  id: string,
  {
    status,
    outcome,
    replay,
  }: {
    status: EventStatus;
    outcome: EventOutcome | undefined;
    replay: ReplayMark | undefined;
  },
): ReplayMark {
  const isDone = status === 'done';
  const { userId, licenseIds } = (isDone ? outcome : replay) ?? {};
  return {
    mode,
    id,
    wasDone: isDone || replay?.wasDone === true,
    ...(userId === undefined ? {} : { userId }),
    ...(licenseIds === undefined ? {} : { licenseIds }),
  };
}

export type ReplayRequest =
  | { readonly kind: 'queued' }
  | { readonly kind: 'running' }
  | { readonly kind: 'unknown' }
  /** Its payload was erased, so it cannot be evaluated any more. */
  | { readonly kind: 'erased' };

/** What a person says of an event that the brake holds. */
export type HeldVerdict = 'release' | 'drop';

export type HeldDecision =
  | { readonly kind: 'released' }
  | { readonly kind: 'dropped' }
  /** It was decided before, replayed, or never held. */
  | { readonly kind: 'not held' }
  | { readonly kind: 'unknown' };

/** How an event ends that a person dropped. */
export function droppedOutcome({
  eventId,
  rule,
  reason,
}: Pick<EventOutcome, 'eventId' | 'rule' | 'reason'>): EventOutcome {
  const why = 'the brake held it, and a person dropped it';
  return {
    eventId,
    status: 'ignored',
    message: 'Nothing was done for this event: a person dropped it.',
    reason: reason === undefined ? why : `${why}: ${reason}`,
    ...(rule === undefined ? {} : { rule }),
  };
}

/** The licenses of one product that were made for events. */
export interface IssuedLicenses {
  /** How many there are. */
  readonly licenses: number;
  /** The last of them, newest first. */
  readonly last: readonly {
    readonly licenseId: string;
    readonly eventKey: string;
    readonly atMs: number;
  }[];
}

/** Every method rejects with an AppError JOURNAL_UNAVAILABLE when the journal does not answer. */
export interface Archive {
  /** @param cursor of the page before; @param limit 1 to 1000 */
  list(
    filter: EventFilter,
    page: { limit: number; cursor?: string | undefined },
  ): Promise<EventPage>;
  count(filter: EventFilter): Promise<number>;
  /** Events accepted since then, by stretches of `stepMs` that begin at whole multiples of it. */
  countByTime(sinceMs: number, stepMs: number): Promise<readonly TimeCount[]>;
  /** The types of events that have come, in alphabetical order; the first 500. */
  types(): Promise<readonly string[]>;
  /** The same events with their payloads, and nothing of what became of them. */
  traffic(
    filter: EventFilter,
    page: { limit: number; cursor?: string | undefined },
  ): Promise<TrafficPage>;
  /** The keys of the events with this id: ids are unique within a provider only. */
  findKeys(eventId: string): Promise<readonly string[]>;
  details(key: string): Promise<EventDetails | undefined>;
  /** What was made of these products, by product; those of which nothing was made are left out. */
  issued(
    productIds: readonly string[],
    lastMax: number,
  ): Promise<ReadonlyMap<string, IssuedLicenses>>;
  /** Marks an event to be worked on again; whoever works on the journal does it. */
  requestReplay(key: string, mode: ReplayMode): Promise<ReplayRequest>;
  /**
   * Lets an event that the brake holds go on, not to be held again and without counting; or ends it as
   * `ignored`, so that no later delivery of it does anything either.
   */
  decideHeld(key: string, verdict: HeldVerdict): Promise<HeldDecision>;
  /** Kept once per hash, as long as an event refers to it. */
  rememberRules(rules: RuleText): Promise<void>;
  findRules(hash: string): Promise<RuleText | undefined>;
  /** Says it to whoever looks, or takes it back. */
  setNotice(server: string, text: string | undefined): Promise<void>;
  /** Those that still hold, `NOTICE_FRESH_MS` old at most. */
  notices(): Promise<readonly ServerNotice[]>;
  backlog(): Promise<Backlog>;
  /**
   * Erases payloads, plans, messages and answers of events that were finished before the time. Keys,
   * outcomes and references stay. Gives how many events were erased.
   */
  erase(settledBeforeMs: number): Promise<number>;
}
