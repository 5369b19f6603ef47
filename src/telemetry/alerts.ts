// Messages to a person, by a webhook: events that failed for good, are parked, or held by the brake, work that
// grows old, rules on disk that are broken. Hears what happens, gathers it, and says it in few messages.
// Never holds up or breaks the work: what cannot be sent is tried again with what came since. Nothing of an
// event is in a message but its id, type, source and code: no payload, no name, no address.

import { messageOf } from '../core/error-codes.ts';
import type { Logger } from '../core/log.ts';
import type { Clock } from '../core/model.ts';
import type { Secret } from '../core/secret.ts';
import type { Transport } from '../http/transport.ts';
import type { Backlog } from '../journal/archive.ts';
import type { AttemptFacts } from '../pipeline/pipeline.ts';
import type { RulesState } from '../sources/reload.ts';
import {
  type Alert,
  type AlertKind,
  bodyOf,
  describeAlert,
  type FailedEvents,
  type HeldEvent,
} from './alert-text.ts';

export interface Alerts {
  hearAttempt(attempt: Pick<AttemptFacts, 'taken' | 'outcome'>): void;
  start(): void;
  stop(): Promise<void>;
}

interface AlertsParts {
  readonly url: Secret;
  readonly format: 'json' | 'slack';
  /** Work that is due and older than this is told of. */
  readonly queueAgeMs: number;
  backlog(): Promise<Backlog>;
  rulesState(): RulesState;
  readonly clock: Clock;
  readonly log: Logger;
  readonly transport: Transport;
  /** Hears of each message that was sent, or could not be. */
  onSent(kind: AlertKind, result: 'sent' | 'failed'): void;
}

/** How often it looks, and so how long the first failures are gathered. */
const LOOK_MS = 10_000;
/** At most one message of failed events in this time. */
const FAILED_EVERY_MS = 15 * 60 * 1000;
/** What lasts is said again after this. */
const AGAIN_MS = 6 * 60 * 60 * 1000;
const SEND_TIMEOUT_MS = 10_000;
const RETRY_MS_MAX = 15 * 60 * 1000;
const EXAMPLES_MAX = 5;
const HELD_MAX = 1_000;

/** What lasts for a while, as it was last told. */
interface Told {
  readonly atMs: number;
}

export function createAlerts(parts: AlertsParts): Alerts {
  const { clock, log } = parts;
  const stopped = new AbortController();
  const told = new Map<AlertKind, Told>();
  let failed: FailedEvents = noFailures();
  let held: readonly HeldEvent[] = [];
  let failedToldAtMs = Number.NEGATIVE_INFINITY;
  let failures = 0;
  let notBeforeMs = 0;
  let working: Promise<void> = Promise.resolve();

  /** Whether it arrived. */
  const deliver = async (alert: Alert): Promise<boolean> => {
    try {
      const response = await parts.transport({
        url: parts.url.reveal(),
        method: 'POST',
        headers: new Headers({ 'content-type': 'application/json', 'user-agent': 'keywright' }),
        body: JSON.stringify(bodyOf(alert, parts.format)),
        signal: AbortSignal.any([stopped.signal, AbortSignal.timeout(SEND_TIMEOUT_MS)]),
      });
      if (response.ok) {
        failures = 0;
        parts.onSent(alert.kind, 'sent');
        return true;
      }
      tellFailure(alert, `it answered ${response.status}`);
    } catch (error) {
      // Its message may quote the address, which is a secret.
      tellFailure(alert, error instanceof Error ? error.name : 'an unexpected error');
    }
    return false;
  };

  const tellFailure = ({ kind, title }: Alert, reason: string): void => {
    if (stopped.signal.aborted) return;
    failures += 1;
    notBeforeMs = clock.nowMs() + Math.min(LOOK_MS * 2 ** failures, RETRY_MS_MAX);
    parts.onSent(kind, 'failed');
    log.warn({ kind, title, reason }, 'an alert could not be sent; it is tried again');
  };

  const sayFailed = async (): Promise<void> => {
    const nowMs = clock.nowMs();
    if (failed.count === 0 || nowMs - failedToldAtMs < FAILED_EVERY_MS) return;
    const told = failed;
    failed = noFailures();
    const alert = describeAlert({ kind: 'events_failed', state: 'new', failed: told }, nowMs);
    if (await deliver(alert)) failedToldAtMs = nowMs;
    else failed = merge(told, failed);
  };

  /** Says that something begins, that it lasts, and that it is over; each once. */
  const sayState = async (
    kind: Exclude<AlertKind, 'events_failed'>,
    isSo: boolean,
    facts: { backlog: Backlog; rules: RulesState },
  ): Promise<void> => {
    const nowMs = clock.nowMs();
    const before = told.get(kind);
    if (!isSo && before === undefined) return;
    if (isSo && before !== undefined && nowMs - before.atMs < AGAIN_MS) return;
    const state = isSo ? (before === undefined ? 'new' : 'again') : 'over';
    if (!(await deliver(describeAlert({ kind, state, held, ...facts }, nowMs)))) return;
    if (kind === 'events_held') held = [];
    if (isSo) told.set(kind, { atMs: nowMs });
    else told.delete(kind);
  };

  const look = async (): Promise<void> => {
    if (clock.nowMs() < notBeforeMs) return;
    await sayFailed();
    const facts = { backlog: await parts.backlog(), rules: parts.rulesState() };
    const countOf = (status: 'parked' | 'held') => facts.backlog.get(status)?.events ?? 0;
    const ageMs = facts.backlog.get('queued')?.oldestAgeMs ?? 0;
    await sayState('rules_not_current', !facts.rules.isCurrent, facts);
    await sayState('events_parked', countOf('parked') > 0, facts);
    await sayState('events_held', countOf('held') > 0, facts);
    await sayState('queue_old', ageMs > parts.queueAgeMs, facts);
  };

  const work = async (): Promise<void> => {
    while (await clock.sleep(LOOK_MS, stopped.signal)) {
      // A journal that does not answer has an alarm of its own; the next look is soon.
      await look().catch((error: unknown) => {
        log.warn({ cause: messageOf(error) }, 'what to alert of could not be found out');
      });
    }
  };

  return {
    hearAttempt: ({ taken, outcome }) => {
      if (outcome.code === 'BRAKE_HELD') {
        const { source, type, id: eventId } = taken.event;
        const { rule = '', reason = '' } = outcome;
        held = [...held, { eventId, source, type, rule, reason }].slice(-HELD_MAX);
      }
      if (outcome.status !== 'failed') return;
      const { source, type, id } = taken.event;
      const code = outcome.failure?.code ?? 'INTERNAL';
      failed = merge(failed, {
        count: 1,
        bySourceAndCode: new Map([[`${source} ${code}`, 1]]),
        examples: [{ eventId: id, source, type, code }],
      });
    },
    start: () => {
      working = work();
    },
    stop: async () => {
      stopped.abort();
      await working;
    },
  };
}

function noFailures(): FailedEvents {
  return { count: 0, bySourceAndCode: new Map(), examples: [] };
}

function merge(a: FailedEvents, b: FailedEvents): FailedEvents {
  const bySourceAndCode = new Map(a.bySourceAndCode);
  for (const [key, count] of b.bySourceAndCode) {
    bySourceAndCode.set(key, (bySourceAndCode.get(key) ?? 0) + count);
  }
  const examples = [...a.examples, ...b.examples].slice(0, EXAMPLES_MAX);
  return { count: a.count + b.count, bySourceAndCode, examples };
}
