// When an event of a scenario happens. Takes an event made of a sample and its new time, gives the event with
// every date of the provider moved by as much, so that periods and due dates still fit.

import type { JsonObject, JsonValue } from '../../core/model.ts';
import { eventTimeOf, PROVIDER_FACTS, type Provider } from '../../core/providers.ts';
import { FOREIGN_MEMBERS } from './fresh-ids.ts';

/**
 * The event as if it had happened then, or within a second after it: a date in milliseconds and the same one
 * in seconds stay the same.
 */
export function movedTo(provider: Provider, event: JsonObject, timeMs: number): JsonObject {
  const wasMs = eventTimeOf(provider, event);
  if (wasMs === undefined) return event;
  const byMs = Math.ceil((timeMs - wasMs) / 1000) * 1000;
  return moveMembers(event, (value, member, around) => {
    if (typeof value === 'string')
      return movedText(provider, value, byMs, instantOf(member, around));
    if (typeof value === 'number') return movedNumber(provider, value, member, byMs);
    return value;
  });
}

type Move = (value: JsonValue, member: string, around: JsonObject) => JsonValue;

function moveMembers(object: JsonObject, move: Move): JsonObject {
  const moved = (value: JsonValue, member: string): JsonValue => {
    if (Array.isArray(value)) return value.map((item) => moved(item, member));
    if (typeof value !== 'object' || value === null) return move(value, member, object);
    return FOREIGN_MEMBERS.has(member) ? value : moveMembers(value, move);
  };
  return Object.fromEntries(
    Object.entries(object).map(([name, inner]) => [
      name,
      FOREIGN_MEMBERS.has(name) ? inner : moved(inner, name),
    ]),
  );
}

/** FastSpring writes `changed` again as `changedDisplay`, `changedDisplayISO8601` and more. */
function instantOf(member: string, around: JsonObject): number | undefined {
  const [, base = ''] = /^(.+?)Display/.exec(member) ?? [];
  const value = around[base];
  return typeof value === 'number' ? value : undefined;
}

const SECONDS_MIN = 1_000_000_000;
const SECONDS_MAX = 5_000_000_000;

function movedNumber(provider: Provider, value: number, member: string, byMs: number): number {
  const { seconds, milliseconds } = PROVIDER_FACTS[provider].dates;
  const isSeconds = value >= SECONDS_MIN && value < SECONDS_MAX;
  const isMs = value >= SECONDS_MIN * 1000 && value < SECONDS_MAX * 1000;
  if (seconds?.test(member) === true) return isSeconds ? value + byMs / 1000 : value;
  return milliseconds && isMs ? value + byMs : value;
}

const INSTANT = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?Z$/;
const DAY = /^(\d{4})([-/])(\d\d)\2(\d\d)$/;
const WRITTEN_DAY = /^[A-Z][a-z]{2} \d{1,2}, \d{4}(?: \d\d:\d\d:\d\d [AP]M)?$/;

/** Each kind of date in the look it had: `2026-12-03T05:40:12.123456Z`, `2026/12/03`, `Dec 3, 2026`. */
function movedText(
  provider: Provider,
  text: string,
  byMs: number,
  /** The instant that a day is of, where the event tells it; else its midnight is moved. */
  instantMs: number | undefined,
): string {
  const instant = INSTANT.exec(text);
  if (instant !== null) {
    const fraction = instant[2] ?? '';
    const ms = Date.parse(text) + byMs;
    const [head, millis] = new Date(ms).toISOString().slice(0, -1).split('.') as [string, string];
    const digits = `${millis}${fraction.slice(3)}`.slice(0, fraction.length);
    return `${head}${fraction === '' ? '' : `.${digits}`}Z`;
  }
  // Stripe's API version looks like a day.
  if (!PROVIDER_FACTS[provider].dates.days) return text;
  const day = DAY.exec(text);
  if (day !== null) {
    const [, year, joint = '-', month, date] = day;
    const midnightMs = Date.UTC(Number(year), Number(month) - 1, Number(date));
    const iso = new Date((instantMs ?? midnightMs) + byMs).toISOString();
    return iso.slice(0, 10).replaceAll('-', joint);
  }
  if (!WRITTEN_DAY.test(text)) return text;
  return written((instantMs ?? Date.parse(`${text} UTC`)) + byMs, text.endsWith('M'));
}

function written(ms: number, withTime: boolean): string {
  const options = { timeZone: 'UTC', hour12: true } as const;
  const date = new Intl.DateTimeFormat('en-US', { ...options, dateStyle: 'medium' }).format(ms);
  if (!withTime) return date;
  const time = { hour: '2-digit', minute: '2-digit', second: '2-digit' } as const;
  const told = new Intl.DateTimeFormat('en-US', { ...options, ...time }).format(ms);
  return `${date} ${told.replaceAll('\u202f', ' ')}`;
}
