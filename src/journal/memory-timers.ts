// The clocks of the memory journal: what is known of each, and of the failures and payments that were told.
// Takes questions and payments, gives what timers.ts decides; wakes nobody itself.

import {
  cancelTimer,
  decideTimer,
  type TimerCancel,
  type TimerDecision,
  type TimerQuestion,
  type TimerState,
} from './timers.ts';

interface Known {
  state: TimerState | undefined;
  /** When each fact was told first, by the provider's clock. */
  readonly failures: Map<string, number>;
  readonly payments: Map<string, number>;
}

export class MemoryTimers {
  readonly #known = new Map<string, Known>();

  ask(question: TimerQuestion): TimerDecision {
    const known = this.#of(question.timerKey);
    const timeMs = noteEarliest(known.failures, question.fact, question.timeMs);
    const decision = decideTimer(known.state, { ...question, timeMs }, latestOf(known.payments));
    known.state = decision.state;
    return decision;
  }

  cancel({ timerKey, fact, timeMs }: TimerCancel): { released?: string } {
    const known = this.#of(timerKey);
    noteEarliest(known.payments, fact, timeMs);
    const { state, ...rest } = cancelTimer(known.state, latestOf(known.payments) ?? timeMs);
    known.state = state;
    return rest;
  }

  /** The clock has run out, where the event still holds it. */
  end(timerKey: string, eventKey: string): void {
    const known = this.#of(timerKey);
    if (known.state?.eventKey === eventKey) known.state = { ...known.state, isOver: true };
  }

  #of(timerKey: string): Known {
    const known = this.#known.get(timerKey) ?? {
      state: undefined,
      failures: new Map(),
      payments: new Map(),
    };
    this.#known.set(timerKey, known);
    return known;
  }
}

function noteEarliest(facts: Map<string, number>, fact: string, timeMs: number): number {
  const earliestMs = Math.min(timeMs, facts.get(fact) ?? timeMs);
  facts.set(fact, earliestMs);
  return earliestMs;
}

function latestOf(facts: ReadonlyMap<string, number>): number | undefined {
  return facts.size === 0 ? undefined : Math.max(...facts.values());
}
