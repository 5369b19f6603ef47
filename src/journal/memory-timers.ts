// The clocks of the memory journal: what is known of each, and of the failures and payments that were told.
// Takes questions and payments, keeps what timers.ts decides of them. A part of the journal, as its operations
// are; how an event is woken is the journal's own business.

import { MemoryOperations } from './memory-operations.ts';
import {
  cancelTimer,
  decideTimer,
  type TimerAnswer,
  type TimerCancel,
  type TimerQuestion,
  type TimerState,
} from './timers.ts';

interface Known {
  state: TimerState | undefined;
  /** When each fact was told first, by the provider's clock. */
  readonly failures: Map<string, Fact>;
  readonly payments: Map<string, Fact>;
}

interface Fact {
  readonly eventKey: string;
  readonly timeMs: number;
}

export abstract class MemoryTimers extends MemoryOperations {
  readonly #known = new Map<string, Known>();

  /** An event that waited for its time holds its clock no more, and is worked on again. */
  protected abstract release(eventKey: string): void;

  /** An event that had joined a clock has to ask for one of its own. */
  protected abstract revive(eventKey: string): void;

  async askTimer(question: TimerQuestion): Promise<TimerAnswer> {
    const known = this.#of(question.timerKey);
    const timeMs = noteEarliest(known.failures, question);
    const asked = { ...question, timeMs, nowMs: this.nowMs() };
    const decision = decideTimer(known.state, asked, latestOf(known.payments));
    known.state = decision.state;
    if (decision.released !== undefined) this.release(decision.released);
    return decision.answer;
  }

  async cancelTimers(cancels: readonly TimerCancel[]): Promise<readonly string[]> {
    const stopped: string[] = [];
    for (const cancel of cancels) {
      const known = this.#of(cancel.timerKey);
      noteEarliest(known.payments, cancel);
      const paidAtMs = latestOf(known.payments) ?? cancel.timeMs;
      const { state, released } = cancelTimer(known.state, paidAtMs);
      known.state = state;
      if (released !== undefined) {
        this.release(released);
        stopped.push(cancel.timerKey);
      }
      const [next] = [...known.failures.values()]
        .filter(({ timeMs }) => timeMs > paidAtMs)
        .sort((one, other) => one.timeMs - other.timeMs);
      if (state === undefined && next !== undefined) this.revive(next.eventKey);
    }
    return stopped;
  }

  /** The clock has run out, where the event still holds it. */
  protected endTimer(timerKey: string, eventKey: string): void {
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

function noteEarliest(
  facts: Map<string, Fact>,
  { fact, eventKey, timeMs }: Fact & { readonly fact: string },
): number {
  const known = facts.get(fact);
  if (known !== undefined && known.timeMs <= timeMs) return known.timeMs;
  facts.set(fact, { eventKey, timeMs });
  return timeMs;
}

function latestOf(facts: ReadonlyMap<string, Fact>): number | undefined {
  return facts.size === 0
    ? undefined
    : Math.max(...[...facts.values()].map(({ timeMs }) => timeMs));
}
