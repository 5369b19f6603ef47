// Clocks of rules: what is decided of one, whatever keeps it. Takes what is known of a clock and a question,
// gives the answer and what is known then. Pure; the journals keep the state and the facts.
//
// A clock is started by the first failure since the last payment, by the events' own times, in whatever
// order they come. A payment stops it. When it has run out, failures of the time that is over start no other.

/** What is known of one clock. */
export interface TimerState {
  /** The event that holds it. */
  readonly eventKey: string;
  readonly startMs: number;
  readonly dueMs: number;
  /** It has run out, and what was to be done was done, or failed for good. */
  readonly isOver: boolean;
}

/** An event that would start a clock, or asks for its own. */
export interface TimerQuestion {
  /** `stripe:grace:sub_1` */
  readonly timerKey: string;
  readonly eventKey: string;
  /** What makes the failure one; its first telling counts. */
  readonly fact: string;
  readonly timeMs: number;
  /** When it is due if this event starts it. */
  readonly dueAtMs: number;
}

/** A payment that stops a clock. */
export interface TimerCancel {
  readonly timerKey: string;
  readonly eventKey: string;
  readonly fact: string;
  readonly timeMs: number;
}

export type TimerAnswer =
  /** The event holds the clock: its plan is carried out when it is due. */
  | {
      readonly kind: 'holds';
      readonly startMs: number;
      readonly dueAtMs: number;
      /** By the journal's clock, which all replicas share. */
      readonly isDue: boolean;
    }
  /** An earlier failure holds it. */
  | { readonly kind: 'joined'; readonly startMs: number; readonly dueAtMs: number }
  /** It had run out when this failure happened, or this failure is older. */
  | { readonly kind: 'over'; readonly dueAtMs: number }
  /** A payment came at the time of the failure or after it. */
  | { readonly kind: 'cancelled'; readonly paidAtMs: number };

export interface TimerDecision {
  readonly answer: TimerAnswer;
  readonly state: TimerState | undefined;
  /** The event that held the clock and does no more; it is worked on again, to end. */
  readonly released?: string;
}

/**
 * @param timeMs when the failure was first told, by the provider's clock
 * @param paidAtMs the latest payment that is known
 */
export function decideTimer(
  state: TimerState | undefined,
  {
    eventKey,
    timeMs,
    dueAtMs,
    nowMs,
  }: Pick<TimerQuestion, 'eventKey' | 'timeMs' | 'dueAtMs'> & { readonly nowMs: number },
  paidAtMs: number | undefined,
): TimerDecision {
  if (state?.eventKey === eventKey && !isPaid(state, paidAtMs)) {
    const { startMs, dueMs } = state;
    // Once promised, the time is not changed by a change of the rules.
    const answer = { kind: 'holds', startMs, dueAtMs: dueMs, isDue: nowMs >= dueMs } as const;
    return { state, answer };
  }
  if (paidAtMs !== undefined && paidAtMs >= timeMs) {
    return { state, answer: { kind: 'cancelled', paidAtMs } };
  }
  if (state?.isOver === true && timeMs <= state.dueMs) {
    return { state, answer: { kind: 'over', dueAtMs: state.dueMs } };
  }
  if (state !== undefined && !state.isOver && state.startMs <= timeMs) {
    const { startMs, dueMs } = state;
    return { state, answer: { kind: 'joined', startMs, dueAtMs: dueMs } };
  }
  const started = { eventKey, startMs: timeMs, dueMs: dueAtMs, isOver: false };
  return {
    state: started,
    answer: { kind: 'holds', startMs: timeMs, dueAtMs, isDue: nowMs >= dueAtMs },
    ...(state === undefined || state.isOver ? {} : { released: state.eventKey }),
  };
}

/**
 * What a payment makes of a clock: nothing of one that a later failure has started. Where it stops one, a
 * failure of after the payment may be known that had joined: its event has to ask again.
 */
export function cancelTimer(
  state: TimerState | undefined,
  paidAtMs: number,
): { state: TimerState | undefined; released?: string } {
  if (state === undefined || !isPaid(state, paidAtMs)) return { state };
  return { state: undefined, ...(state.isOver ? {} : { released: state.eventKey }) };
}

function isPaid({ startMs }: TimerState, paidAtMs: number | undefined): boolean {
  return paidAtMs !== undefined && paidAtMs >= startMs;
}

/**
 * Where an event stands in line once its time is over: behind all that happened until then, so that a
 * payment of the last moment comes first, also one that was delivered late.
 */
export function lineTimeOf(dueAtMs: number): number {
  return dueAtMs + 1;
}
