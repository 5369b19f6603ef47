// Filters of the events commands. Takes options of the command line, gives an EventFilter.

import { AppError } from '../../core/error-codes.ts';
import { parseMoment } from '../../core/interval.ts';
import { EVENT_STATUSES } from '../../core/model.ts';
import type { EventFilter } from '../../journal/archive.ts';

export const FILTER_OPTIONS = {
  status: { type: 'string' },
  source: { type: 'string' },
  type: { type: 'string' },
  subject: { type: 'string' },
  since: { type: 'string' },
  until: { type: 'string' },
} as const;

export const FILTER_HELP = `  --status    queued, running, waiting, parked, done, ignored, unmatched or failed
  --source    the rule file's name: stripe, fastspring, paddle, …
  --type      an event type, invoice.paid
  --subject   a subscription, order or customer id
  --since     24h, 7d, 30m, or a date: accepted at or after it
  --until     the same: accepted before it`;

/** The texts of the options above, as far as they were given. */
export type FilterValues = Readonly<
  Partial<Record<keyof typeof FILTER_OPTIONS, string | undefined>>
>;

/** @throws USAGE */
export function toFilter(values: FilterValues, nowMs: number): EventFilter {
  const { status, source, type, subject, since, until } = values;
  const known = EVENT_STATUSES.find((name) => name === status);
  if (status !== undefined && known === undefined) {
    throw new AppError('USAGE', `--status takes ${EVENT_STATUSES.join(', ')}, not "${status}"`);
  }
  return {
    status: known,
    source,
    type,
    subject,
    sinceMs: since === undefined ? undefined : toTime(since, '--since', nowMs),
    untilMs: until === undefined ? undefined : toTime(until, '--until', nowMs),
  };
}

/** `24h` before now, or a date. */
function toTime(text: string, option: string, nowMs: number): number {
  const timeMs = parseMoment(text, nowMs);
  if (timeMs !== undefined) return timeMs;
  throw new AppError('USAGE', `${option} takes 30m, 24h, 7d or a date, not "${text}"`);
}
