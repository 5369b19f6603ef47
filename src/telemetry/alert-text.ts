// What an alert says. Takes what is wrong, gives a message for a person and facts for a program, in a form of
// our own or in Slack's. Pure; what it is given holds no payload, so nothing of one can be in a message.

import type { JsonObject } from '../core/model.ts';
import type { Backlog } from '../journal/archive.ts';
import type { RulesState } from '../sources/reload.ts';

export const ALERT_KINDS = [
  'events_failed',
  'events_parked',
  'events_held',
  'queue_old',
  'rules_not_current',
] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];

/** An event that the brake holds: which rule, and why. */
export interface HeldEvent {
  readonly eventId: string;
  readonly source: string;
  readonly type: string;
  readonly rule: string;
  readonly reason: string;
}

export interface FailedEvents {
  readonly count: number;
  /** Counts by `stripe RULE_REJECTED`. */
  readonly bySourceAndCode: ReadonlyMap<string, number>;
  readonly examples: readonly {
    readonly eventId: string;
    readonly source: string;
    readonly type: string;
    readonly code: string;
  }[];
}

/** `new`: it began. `again`: it still is so. `over`: it is not so any more. */
export type AlertState = 'new' | 'again' | 'over';

export interface Alert {
  readonly kind: AlertKind;
  readonly state: AlertState;
  readonly title: string;
  readonly text: string;
  readonly at: string;
  readonly details: JsonObject;
}

export type AlertFacts =
  | { readonly kind: 'events_failed'; readonly state: AlertState; readonly failed: FailedEvents }
  | {
      readonly kind: Exclude<AlertKind, 'events_failed'>;
      readonly state: AlertState;
      readonly backlog: Backlog;
      readonly rules: RulesState;
      /** What the brake held since the last message; another replica may have held more. */
      readonly held?: readonly HeldEvent[];
    };

export function describeAlert(facts: AlertFacts, nowMs: number): Alert {
  const { kind, state } = facts;
  const at = new Date(nowMs).toISOString();
  const said = facts.kind === 'events_failed' ? ofFailures(facts.failed) : ofState(facts);
  return { kind, state, at, ...said };
}

type Said = Pick<Alert, 'title' | 'text' | 'details'>;

function ofFailures({ count, bySourceAndCode, examples }: FailedEvents): Said {
  const counts = [...bySourceAndCode].sort(([, a], [, b]) => b - a);
  const lines = [
    ...counts.slice(0, 10).map(([key, number]) => `${number} × ${key}`),
    `For example: ${examples.map(({ eventId, type }) => `${eventId} (${type})`).join(', ')}.`,
    'Ask `keywright why EVENT_ID`, repair the cause, then `keywright events replay`.',
  ];
  const bySource = counts.slice(0, 50).map(([key, number]) => {
    const [source = '', code = ''] = key.split(' ');
    return { source, code, events: number };
  });
  return {
    title: `${count === 1 ? 'An event' : `${count} events`} failed for good`,
    text: lines.join('\n'),
    details: { events: count, bySource, examples: examples.map((example) => ({ ...example })) },
  };
}

function ofState({
  kind,
  state,
  backlog,
  rules,
  held = [],
}: Extract<AlertFacts, { rules: RulesState }>): Said {
  const still = state === 'again' ? 'Still: ' : '';
  if (kind === 'events_parked') {
    const { events, minutes } = standing(backlog, 'parked');
    const details = { events, oldestMinutes: minutes };
    if (state === 'over') {
      return { title: 'No event is parked any more', text: 'Cryptlex takes the token.', details };
    }
    const text = `Cryptlex refuses the access token: ${events} parked, the oldest for ${minutes} min. They go on by themselves when the token works; see CRYPTLEX_ACCESS_TOKEN and its scopes.`;
    return { title: `${still}events are parked`, text, details };
  }
  if (kind === 'events_held') return ofHeld(state, held, backlog);
  if (kind === 'queue_old') {
    const { events, minutes } = standing(backlog, 'queued');
    const details = { events, oldestMinutes: minutes };
    if (state === 'over') {
      return { title: 'The work is done in time again', text: `${events} queued.`, details };
    }
    const text = `${events} events are queued, the oldest for ${minutes} min. Is Cryptlex away? See /readyz and the log.`;
    return { title: `${still}work is waiting for long`, text, details };
  }
  const details = { errors: rules.problems.length, runningSince: isoOf(rules.loadedAtMs) };
  if (state === 'over') {
    return { title: 'The rules on disk are what runs again', text: '', details };
  }
  const text = `They have errors (${rules.problems.length}), so the rules of ${details.runningSince} go on. Ask \`keywright check\`.`;
  return { title: `${still}the rules on disk are NOT what runs`, text, details };
}

/** Which rules want too much, and how much. */
function ofHeld(state: AlertState, held: readonly HeldEvent[], backlog: Backlog): Said {
  const { events, minutes } = standing(backlog, 'held');
  const byRule = new Map<string, HeldEvent[]>();
  for (const event of held) {
    const name = `${event.source}/${event.rule}`;
    byRule.set(name, [...(byRule.get(name) ?? []), event]);
  }
  const rules = [...byRule].slice(0, 10).map(([rule, some]) => ({
    ...{ rule, events: some.length },
    ...{ reason: some[0]?.reason ?? '', example: some[0]?.eventId ?? '' },
  }));
  const details = { events, oldestMinutes: minutes, rules };
  if (state === 'over') {
    return { title: 'The brake holds no event any more', text: '', details };
  }
  const lines = [
    `${events} held, the oldest for ${minutes} min. Nothing was done for them.`,
    ...rules.map(
      (one) => `${one.events} × ${one.rule}: ${one.reason} (for example ${one.example})`,
    ),
    'Ask `keywright why EVENT_ID`. If it is meant, `keywright events release`; if not, repair the rule and add --drop.',
  ];
  const still = state === 'again' ? 'Still: ' : '';
  return { title: `${still}the brake holds events`, text: lines.join('\n'), details };
}

function standing(
  backlog: Backlog,
  status: 'parked' | 'queued' | 'held',
): { events: number; minutes: number } {
  const { events, oldestAgeMs } = backlog.get(status) ?? { events: 0, oldestAgeMs: 0 };
  return { events, minutes: Math.round(oldestAgeMs / 60_000) };
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString();
}

/** The body of the POST. */
export function bodyOf(alert: Alert, format: 'json' | 'slack'): JsonObject {
  const { kind, state, title, text, at, details } = alert;
  if (format === 'json') return { from: 'keywright', kind, state, title, text, at, details };
  const sign = state === 'over' ? ':white_check_mark:' : ':warning:';
  return { text: `${sign} *Keywright: ${escapeSlack(title)}*\n${escapeSlack(text)}`.trim() };
}

/** Slack's three control characters; ids and types are the sender's words. */
function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
