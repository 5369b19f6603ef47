// The journal: what was received, what was decided, what was done. The interface in domain verbs that
// every kind (memory, SQLite, PostgreSQL) keeps; nothing above it knows where things are stored.
// Types only. Longer than usual: the whole interface in one place. How the promises follow from it stands in docs/decisions/0002-journal.md.
//
// Words: an *event* is accepted, taken, settled. An *operation* is one writing call to Cryptlex: it is
// intended, then completed, or withdrawn when it certainly did nothing. A *last write* is the time of
// the event that last set a field of a license or user.

import type {
  EventOutcome,
  EventStatus,
  JsonObject,
  OperationResult,
  Plan,
  RulePointer,
  WebhookEvent,
} from '../core/model.ts';
import type { BrakeAnswer, BrakeMark, BrakeQuestion } from './brake.ts';
import type { TimerAnswer, TimerCancel, TimerQuestion } from './timers.ts';

/** A verified event on its way into the journal. */
export interface NewEvent {
  readonly event: WebhookEvent;
  /** Events that share one of these are worked on one after the other. */
  readonly subjects: readonly string[];
}

/** What the journal knew of an event when it was delivered. */
export type Acceptance = {
  readonly key: string;
} & (
  | { readonly kind: 'queued' }
  /** Another delivery of it is being worked on: wait for that one. */
  | { readonly kind: 'running' }
  /** Done before: answered from the journal, no call made. */
  | { readonly kind: 'done'; readonly outcome: EventOutcome }
  /** The brake holds it, or a person dropped it: answered from the journal, too. */
  | { readonly kind: 'held'; readonly outcome: EventOutcome }
);

/** A plan as it was stored before its first write; it is finished as it stands. */
export interface StoredPlan {
  readonly plan: Plan;
  readonly rules: readonly RulePointer[];
  readonly rulesHash: string;
  /** The clock that has run out, where it waited for one, and when that was. */
  readonly timer?: { readonly key: string; readonly dueAtMs: number };
}

/** One call to Cryptlex, as it is kept. */
export interface CallSummary {
  readonly method: string;
  readonly path: string;
  /** Null when no answer came. */
  readonly status: number | null;
  readonly durationMs: number;
}

/** A replay that was asked for; see archive.ts. */
export interface ReplayMark {
  readonly mode: 'again' | 'retarget' | 'force';
  /** The event was done: its licenses are those that it touched then. */
  readonly wasDone: boolean;
  /** Tells this replay from others: what is forced is done once for each. */
  readonly id: string;
  /** The user and the licenses that it was done for, where it was done. */
  readonly userId?: string;
  readonly licenseIds?: readonly string[];
}

/** An event that this process may work on until it settles it. */
export interface TakenEvent {
  readonly key: string;
  readonly event: WebhookEvent;
  readonly subjects: readonly string[];
  /** 1 for the first. */
  readonly attempt: number;
  /** When it was accepted, or begun anew: delivered again after it had ended otherwise than done, or replayed. */
  readonly begunAtMs: number;
  readonly storedPlan: StoredPlan | undefined;
  /** The clock that it has waited for. */
  readonly timerKey: string | undefined;
  readonly replay: ReplayMark | undefined;
  /** A person released it, so the brake holds it no more. */
  readonly isReleased?: boolean;
}

/** How an attempt ended. */
export interface Settlement {
  readonly outcome: EventOutcome;
  /** When it is worked on again; only for `queued`, `waiting` and `parked`. */
  readonly dueAtMs?: number;
  /** The clock that it holds: it waits until that is due, or it has run out in this attempt. */
  readonly timer?: { readonly key: string; readonly isOver: boolean };
  /** The brake holds it: it is parked until a person releases it, whatever happens to the access token. */
  readonly isHeld?: boolean;
  /** It made a license: events of the same subjects that wait for one are worked on again. */
  readonly wakesWaiting: boolean;
  /** Subjects that it was found to be about; only for `queued`. From now on it takes its turn there as well. */
  readonly joins?: readonly string[];
  /** The version of the rules that decided it. */
  readonly rulesHash?: string;
  /** The calls that were made, for whoever reads the journal. */
  readonly calls?: readonly CallSummary[];
}

/** One event as it stands. */
export interface EventRecord {
  readonly key: string;
  readonly event: WebhookEvent;
  readonly subjects: readonly string[];
  readonly status: EventStatus;
  readonly attempts: number;
  /** Never changes, whatever becomes of it. */
  readonly firstAcceptedAtMs: number;
  /** See `TakenEvent`. */
  readonly begunAtMs: number;
  readonly dueAtMs: number | undefined;
  /** The clock that it waits for; undefined where it waits for something else, or not at all. */
  readonly timerKey: string | undefined;
  readonly outcome: EventOutcome | undefined;
  /** When its last attempt ended. */
  readonly settledAtMs: number | undefined;
  /** The version of the rules that decided it. */
  readonly rulesHash: string | undefined;
  /** What became of it at the brake; undefined for most. */
  readonly brake: BrakeMark | undefined;
  /** Its payload was erased after RETENTION_DAYS; what answers duplicates is still there. */
  readonly isErased: boolean;
}

/** One writing call, before it is made. */
export interface IntendedOperation {
  /** Effect identity: the same fact gives the same key, whatever event tells of it. */
  readonly key: string;
  readonly eventKey: string;
  readonly action: string;
  /** The license or user it changes; undefined when it creates one. */
  readonly targetId: string | undefined;
  /** The product of a license that is created; another one under the same key is a conflict. */
  readonly productId: string | undefined;
  /** What was read before, so that an unclear outcome can be read back. */
  readonly before: JsonObject;
  /** What was decided; it is not decided again. */
  readonly choice: string | undefined;
  /** On the journal's clock, which is that of the database. */
  readonly intendedAtMs: number;
}

/** What an attempt asks to be noted as intended. */
export type Intention = Omit<IntendedOperation, 'intendedAtMs'> & { readonly attempt: number };
/** The same as it was noted; whoever holds it may complete or withdraw it. */
export type Intended = IntendedOperation & { readonly attempt: number };

export type OperationRecord = IntendedOperation &
  (
    | {
        readonly state: 'intended';
        /** How long ago it was intended, on the journal's clock. */
        readonly openForMs: number;
      }
    | { readonly state: 'done'; readonly result: OperationResult }
  );

/** That an event of this time set a field. */
export interface LastWrite {
  /** `license:{id}:suspended`, `user:{id}:profile`, `user:{id}:metadata:{key}`, … */
  readonly field: string;
  readonly timeMs: number;
  /** Of two events of the same time the higher one counts as the later; a payment has 1, others 0. */
  readonly rank: number;
  /** What was written, where later events need it. */
  readonly written?: JsonObject;
}

/**
 * One thing that later facts need to find what an earlier one did. Under a payment (`stripe:pi_1`): a license
 * that it paid for, a subject of the events that told of it, or another id that it has. Under a license
 * (`license:…`): what suspended or revoked it, see actions/causes.ts.
 */
export interface Reference {
  readonly key: string;
  readonly kind: 'license' | 'subject' | 'payment' | 'cause';
  readonly value: string;
}

/** What is known under some keys; other ids of a payment are followed. */
export type KnownReferences = Readonly<
  Record<Exclude<Reference['kind'], 'payment'>, readonly string[]>
>;

/** Every method rejects with an AppError JOURNAL_UNAVAILABLE when it cannot keep its promise. */
export interface Journal {
  readonly kind: 'memory' | 'sqlite' | 'postgres';
  /** Whether what was accepted survives this process. */
  readonly keepsState: boolean;

  /**
   * Writes the events of one delivery, all or none, before anything is done for them. An event that
   * ended without being done begins anew: with today's rules, and with its whole time before it.
   * @param takeAtOnce for whoever has a hand free and knows of nothing older that could be taken: may be
   *   given a single new event in whose lines nobody stands, as `take` would give it, as soon as all see it
   */
  accept(
    events: readonly NewEvent[],
    takeAtOnce?: (taken: TakenEvent) => void,
  ): Promise<readonly Acceptance[]>;
  /**
   * The next event that may be worked on: due, none of its subjects in work, and none of them with
   * an older event before it. An event in back-off keeps its place; a waiting one steps aside; one with an
   * open operation stays before all others, whatever its status.
   */
  take(): Promise<TakenEvent | undefined>;
  /**
   * Ends an attempt and frees its subjects. Does nothing where this process does not work on the event, or
   * works on another attempt at it: the one that ends was taken over meanwhile.
   */
  settle(key: string, settlement: Settlement, attempt?: number): Promise<void>;
  /**
   * Whether this process may still act for the attempt, by its own clocks and what it last heard of its
   * lease; asks nobody. False as soon as another replica may take the event over.
   */
  holdsLease(eventKey: string, attempt: number): boolean;
  /** Gives up an event whose end cannot be written: it may be taken again, by this process or another. */
  giveUp(key: string, attempt: number): void;
  /** When the next event that was put off is due; undefined when there is none. */
  nextDueAtMs(): Promise<number | undefined>;
  /** Calls the listener whenever there may be something to take. Gives the way to stop. */
  onWork(listener: () => void): () => void;
  /** Calls the listener, too, whenever an event has come or ended, for who looks on. Gives the way to stop. */
  onChange(listener: () => void): () => void;

  /** Makes everything due that was put off or parked since then, but for what the brake holds: what it waited for is there again. */
  wakePutOff(sinceMs: number): Promise<void>;

  /** From now on it is finished as it stands; one that waited for a time stands in line by its own again. */
  storePlan(key: string, plan: StoredPlan): Promise<void>;

  /** What is so of a clock for this event, which starts it where nothing speaks against it. */
  askTimer(question: TimerQuestion): Promise<TimerAnswer>;
  /**
   * Notes payments, also where no clock runs: a failure of before may come later. Gives the keys of the
   * clocks that were stopped. The events that held them are worked on again, and end; so is a failure of
   * after the payment that had joined such a clock, and starts one of its own.
   */
  cancelTimers(cancels: readonly TimerCancel[]): Promise<readonly string[]>;
  findOperations(keys: readonly string[]): Promise<ReadonlyMap<string, OperationRecord>>;
  /** Every operation that was last intended for this event. */
  operationsOf(eventKey: string): Promise<readonly OperationRecord[]>;
  /** Which of these licenses an operation created or adopted. */
  findCreated(licenseIds: readonly string[]): Promise<ReadonlySet<string>>;
  /**
   * Notes a call before it is made, in place of what `findOperations` gave for its key. When something
   * else is there by now, nothing is noted: another event of the same fact was faster.
   * @throws JOURNAL_LEASE_LOST
   */
  intend(
    intention: Intention,
    replaces: Pick<OperationRecord, 'eventKey' | 'intendedAtMs' | 'state'> | undefined,
  ): Promise<Intended | 'overtaken'>;
  /**
   * Notes the result and the fields that were set, together; only while what was intended is as it was
   * noted, and the event is still this attempt's.
   * @throws JOURNAL_LEASE_LOST
   */
  complete(
    intended: Intended,
    result: OperationResult,
    lastWrites: readonly LastWrite[],
  ): Promise<void>;
  /** Forgets an intention that certainly did nothing; under the same condition, else nothing. */
  withdraw(intended: Intended): Promise<void>;
  /**
   * Notes that an event of this time found the fields as it wants them, without a call. What is known
   * of a field never goes back: a write of an older event, or of one of the same time and a lower
   * rank, changes nothing. The same holds for `complete`.
   */
  noteLastWrites(lastWrites: readonly LastWrite[]): Promise<void>;
  findLastWrites(fields: readonly string[]): Promise<ReadonlyMap<string, LastWrite>>;
  /** Adds references; what is noted stays, also when payloads are erased. */
  noteReferences(references: readonly Reference[]): Promise<void>;
  findReferences(keys: readonly string[]): Promise<KnownReferences>;

  /**
   * Counts what an event is about to take away, all of it or nothing, unless that is too many of its source: in
   * one step, so that two replicas at once cannot both pass.
   */
  askBrake(question: BrakeQuestion): Promise<BrakeAnswer>;
  /** What the event was counted for and did not do counts no more. */
  uncountUndone(eventKey: string): Promise<void>;

  find(key: string): Promise<EventRecord | undefined>;
  /** Remembers a user by what it was found by, `email:ann@example.com`; kept as a keyed hash only. */
  rememberUser(lookup: string, userId: string): Promise<void>;
  /** Undefined where nothing is remembered: a journal that keeps no state remembers nobody. */
  recallUser(lookup: string): Promise<string | undefined>;
  /** The user is not what was remembered any more. */
  forgetUser(userId: string): Promise<void>;
  /**
   * Since when the journal certainly knows everything that was done: since this process opened it, or since it
   * found an older copy in its place. What is older may have been done by other software, or by a journal that
   * was lost.
   */
  readonly knowsAllSinceMs: number;
  /** Rejects when the journal cannot be written. */
  ping(): Promise<void>;
  close(): Promise<void>;
  /** Closes at once, as if the process had died; every call after it rejects. */
  abandon(): Promise<void>;
}
