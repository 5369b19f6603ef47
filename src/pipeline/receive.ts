// A delivery from its verification to what is known of it when it has to be answered.
// Takes a VerifiedDelivery; gives one outcome for each of its events: what the journal knew already,
// what was done within the deadline, or that it goes on behind the answer.

import type { Reach } from '../core/failpoints.ts';
import type { Clock, EventOutcome, VerifiedDelivery, WebhookEvent } from '../core/model.ts';
import { eventKeyOf } from '../core/model.ts';
import type { Journal } from '../journal/journal.ts';
import type { Pipeline } from './pipeline.ts';
import type { Worker } from './worker.ts';

export interface ReceiveDependencies {
  readonly pipeline: Pick<Pipeline, 'accept'>;
  readonly journal: Journal;
  readonly worker: Pick<Worker, 'awaitOutcome' | 'offerHand'>;
  readonly clock: Clock;
  /** Whether Cryptlex is known to be down. */
  readonly isDown?: () => boolean;
  /** Tells a test where it stands; nothing otherwise. */
  readonly reach?: Reach | undefined;
  /** Longest an event is worked on before its delivery is answered. */
  readonly deadlineMs: number;
}

/** Nobody reads the reason; without one, each delivery would make an exception with its stack. */
const ANSWERED = 'answered';

/** @throws JOURNAL_UNAVAILABLE when the events could not be written down */
export async function receive(
  delivery: VerifiedDelivery,
  dependencies: ReceiveDependencies,
): Promise<readonly EventOutcome[]> {
  const { pipeline, worker, clock, deadlineMs } = dependencies;
  const deadline = new AbortController();
  const stopTimer = new AbortController();
  const hand = worker.offerHand();
  void clock.sleep(deadlineMs, stopTimer.signal).then(() => deadline.abort(ANSWERED));
  try {
    // Listening begins before accepting, since a quick event is settled before `accept` returns.
    const waiting = delivery.events.map((event) => {
      const key = eventKeyOf(event);
      return { key, event, outcome: worker.awaitOutcome(key, deadline.signal) };
    });
    const acceptances = await pipeline.accept(delivery, hand);
    hand?.(undefined);
    await dependencies.reach?.('accepted');
    return await Promise.all(
      waiting.map(async ({ key, event, outcome }) => {
        const acceptance = acceptances.find((candidate) => candidate.key === key);
        if (acceptance?.kind === 'done') return { ...acceptance.outcome, duplicate: true };
        if (acceptance?.kind === 'held') return acceptance.outcome;
        // Nothing is worked on now, so neither the deadline nor the journal would tell anything more.
        if (acceptance?.kind === 'queued' && dependencies.isDown?.() === true) {
          return stored(event, 'Cryptlex is away');
        }
        let known = await outcome;
        // A short back-off ends within the deadline; redelivery by the provider takes up to an hour.
        while (known?.status === 'queued') known = await worker.awaitOutcome(key, deadline.signal);
        if (known === undefined) return goesOn(key, event, dependencies.journal);
        // The second delivery of an event that was being worked on made no call of its own.
        return acceptance?.kind === 'running' && known.status === 'done'
          ? { ...known, duplicate: true }
          : known;
      }),
    );
  } finally {
    hand?.(undefined);
    stopTimer.abort(ANSWERED);
    deadline.abort(ANSWERED);
  }
}

/** The deadline has come; the event goes on behind the answer. */
async function goesOn(key: string, event: WebhookEvent, journal: Journal): Promise<EventOutcome> {
  const record = await journal.find(key);
  if (record?.outcome !== undefined && record.status !== 'running') {
    return { ...record.outcome, status: record.status };
  }
  return { ...stored(event, 'it is still being worked on'), status: record?.status ?? 'queued' };
}

function stored(event: WebhookEvent, reason: string): EventOutcome {
  const message = 'The event is stored and will be done.';
  return { eventId: event.id, status: 'queued', message, reason };
}
