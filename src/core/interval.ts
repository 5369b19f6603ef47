// Instants and ISO 8601 durations. Takes instants in milliseconds and durations as text, gives instants
// back, on calendar months in UTC, as Cryptlex counts. Never reads a clock.

/** A duration, reduced to the three units that cannot be turned into one another. */
export interface Interval {
  readonly months: number;
  readonly days: number;
  readonly seconds: number;
}

const INTERVAL =
  /^P(?:(\d{1,4})Y)?(?:(\d{1,5})M)?(?:(\d{1,5})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,9})S)?)?$/;
const DAY_MS = 86_400_000;
/** The last instant the API can write; .NET's calendar ends there. */
const LAST_INSTANT_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** Reads an ISO 8601 duration such as `P1M`, `P3M10D` or `P2W`; undefined for anything else and for a length of zero. */
export function parseInterval(text: string): Interval | undefined {
  const match = INTERVAL.exec(text);
  if (match === null || text.endsWith('T')) return undefined;
  const part = (index: number): number => Number(match[index] ?? 0);
  const interval = {
    months: part(1) * 12 + part(2),
    days: part(3) * 7 + part(4),
    seconds: part(5) * 3600 + part(6) * 60 + part(7),
  };
  const length = interval.months + interval.days + interval.seconds;
  return length === 0 ? undefined : interval;
}

/**
 * Adds months first, then days, then seconds. A month without that day ends on its last one, and
 * the next addition starts from there: 31 January, 28 February, 28 March.
 * Gives undefined beyond the year 9999.
 */
export function addInterval(fromMs: number, interval: Interval): number | undefined {
  const from = new Date(fromMs);
  const month = from.getUTCMonth() + interval.months;
  const year = from.getUTCFullYear() + Math.floor(month / 12);
  const monthOfYear = month % 12;
  const lastDay = new Date(Date.UTC(year, monthOfYear + 1, 0)).getUTCDate();
  const midnightMs = Date.UTC(year, monthOfYear, Math.min(from.getUTCDate(), lastDay));
  const timeOfDayMs = ((fromMs % DAY_MS) + DAY_MS) % DAY_MS;
  const sumMs = midnightMs + timeOfDayMs + interval.days * DAY_MS + interval.seconds * 1000;
  return sumMs > LAST_INSTANT_MS || Number.isNaN(sumMs) ? undefined : sumMs;
}

/** Writes an instant with seven fractional digits, as the API does: `2026-01-31T00:00:00.0000000Z`. */
export function formatInstant(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, -1)}0000Z`;
}

const INSTANT = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d))?$/i;

/** Reads an ISO 8601 instant with its offset, or a plain date as its midnight UTC; finer than a millisecond is cut off. */
export function parseInstant(text: string): number | undefined {
  if (!INSTANT.test(text)) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}

const AGO = /^(\d{1,6})([mhd])$/;
const AGO_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: DAY_MS };

/** `30m`, `24h`, `7d` before now, or an instant or date; undefined for anything else. */
export function parseMoment(text: string, nowMs: number): number | undefined {
  const [, count, unit = ''] = AGO.exec(text) ?? [];
  const unitMs = AGO_MS[unit];
  return unitMs === undefined ? parseInstant(text) : nowMs - Number(count) * unitMs;
}
