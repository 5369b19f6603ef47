// One event in the memory journal. Takes what happens to it, gives it as the interface shows it.

import type { AttemptRecord } from './archive.ts';
import type { BrakeMark } from './brake.ts';
import type { EventRecord, NewEvent, ReplayMark, Settlement, StoredPlan } from './journal.ts';

export interface Entry {
  readonly key: string;
  event: NewEvent['event'];
  subjects: readonly string[];
  readonly sequence: number;
  firstAcceptedAtMs: number;
  begunAtMs: number;
  status: EventRecord['status'];
  attempts: number;
  dueAtMs: number | undefined;
  timerKey: string | undefined;
  /** Its place in line, where that is not its own time. */
  placeMs: number | undefined;
  outcome: EventRecord['outcome'];
  settledAtMs: number | undefined;
  rulesHash: string | undefined;
  isErased: boolean;
  /** See references.ts. */
  references: readonly string[];
  startedAtMs: number;
  replay: ReplayMark | undefined;
  brake: BrakeMark | undefined;
  readonly tries: AttemptRecord[];
  storedPlan: StoredPlan | undefined;
}

/** An event that has just been accepted. */
export function newEntry(
  { event, subjects }: NewEvent,
  key: string,
  sequence: number,
  nowMs: number,
): Entry {
  return {
    ...{ key, event, subjects, sequence, status: 'queued', attempts: 0, tries: [] },
    ...{
      firstAcceptedAtMs: nowMs,
      begunAtMs: nowMs,
      startedAtMs: 0,
      isErased: false,
      dueAtMs: undefined,
    },
    ...{ timerKey: undefined, placeMs: undefined, outcome: undefined, settledAtMs: undefined },
    ...{
      rulesHash: undefined,
      replay: undefined,
      brake: undefined,
      storedPlan: undefined,
      references: [],
    },
  };
}

export function toRecord(entry: Entry): EventRecord {
  const { key, event, subjects, status, attempts, firstAcceptedAtMs, dueAtMs, outcome } = entry;
  const { settledAtMs, rulesHash, isErased, begunAtMs, brake } = entry;
  const timerKey = status === 'waiting' ? entry.timerKey : undefined;
  return {
    ...{ key, event, subjects, status, attempts, firstAcceptedAtMs, dueAtMs, outcome },
    ...{ settledAtMs, rulesHash, isErased, timerKey, begunAtMs, brake },
  };
}

/** Keys, outcome and references stay: they answer duplicates. */
export function erasePayload(entry: Entry): void {
  entry.event = { ...entry.event, payload: {} };
  entry.isErased = true;
  entry.storedPlan = undefined;
  entry.tries.length = 0;
}

/** The last tries are told; an event in back-off for days has many. */
const TRIES_MAX = 20;

export function noteTry(entry: Entry, { outcome, calls = [] }: Settlement): void {
  const { attempts: attempt, startedAtMs, settledAtMs: endedAtMs = startedAtMs } = entry;
  const { status, reason } = outcome;
  entry.tries.push({ attempt, startedAtMs, endedAtMs, status, reason, calls });
  if (entry.tries.length > TRIES_MAX) entry.tries.shift();
}
