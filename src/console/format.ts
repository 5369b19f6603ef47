// What the pages say of an event's status, and how they show values and links of ids. Takes plain data, gives
// HTML; every colour has a sign and a word beside it.

import { html } from 'hono/html';
import { seen, written } from '../core/format.ts';
import type { EventStatus, JsonValue } from '../core/model.ts';
import type { Html } from './layout.ts';

export type Tone = 'good' | 'idle' | 'warn' | 'bad' | 'busy';

const STATUS: Readonly<Record<EventStatus, { readonly tone: Tone; readonly says: string }>> = {
  queued: { tone: 'busy', says: 'Stored, and in line to be done' },
  running: { tone: 'busy', says: 'Being worked on now' },
  waiting: { tone: 'warn', says: 'Waits for a license or for a time' },
  parked: {
    tone: 'warn',
    says: 'Cryptlex refuses the access token and it is tried again, or the brake holds it',
  },
  done: { tone: 'good', says: 'Done' },
  ignored: { tone: 'idle', says: 'A rule says to ignore it' },
  unmatched: { tone: 'warn', says: 'No rule fits it' },
  failed: { tone: 'bad', says: 'It could not be processed; the reason stands beside it' },
};

const SIGNS: Readonly<Record<Tone, string>> = {
  good: 'M5 12.5l4.5 4.5L19 7.5',
  idle: 'M6 12h12',
  warn: 'M12 6v7M12 17.5v.5',
  bad: 'M7 7l10 10M17 7L7 17',
  busy: 'M12 6v6l4 2.5',
};

export function toneOf(status: EventStatus): Tone {
  return STATUS[status].tone;
}

export function statusBadge(status: EventStatus): Html {
  const { tone, says } = STATUS[status];
  return badge(tone, status, says);
}

export function badge(tone: Tone, text: string, title = ''): Html {
  return html`<span class="badge ${tone}" title="${title}"><svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d="${SIGNS[tone]}"/></svg>${text}</span>`;
}

/** A value as it is in the event. */
export function seenValue(value: JsonValue): Html {
  return value === null
    ? html`<span class="soft">nothing</span>`
    : html`<code class="value">${seen(value)}</code>`;
}

/** A value of a plan as a rule would write it. */
export function writtenValue(value: JsonValue): Html {
  return html`<code class="value">${cut(written(value), 600)}</code>`;
}

export function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

/** Where the story of an event stands. */
export function eventPath(key: string): string {
  return `/console/events/${encodeURIComponent(key)}`;
}

/** The list of all events that something is about: a subject, a license, a user. */
export function aboutPath(about: string): string {
  return `/console/events?${new URLSearchParams({ q: about })}`;
}

/** Links to the events of each, one after the other. */
export function aboutLinks(ids: readonly string[]): readonly Html[] {
  return ids.map((id) => html`<a class="mono id" href="${aboutPath(id)}">${id}</a> `);
}

/** A place in a rule file without the folder: `stripe.yaml:41:9`. */
export function placeOf(location: string): string {
  return location.replace(/^.*[\\/]/, '');
}
