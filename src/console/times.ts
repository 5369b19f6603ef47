// Times, counts and sizes as the console writes them. Takes numbers, gives short texts; a moment is always in UTC,
// as in the log and on the command line, and how long ago it was stands beside it. Pure.

import { html } from 'hono/html';
import type { Html } from './layout.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** `2026-11-21 14:05:12 UTC` */
export function moment(ms: number): Html {
  const iso = new Date(ms).toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC</time>`;
}

/** `21 Nov`, as the standard writes it whatever the system's language; a formatter costs milliseconds to make. */
export function dayOf(ms: number): string {
  return new Date(ms).toUTCString().slice(5, 11).replace(/^0/, '');
}

/** `5 min ago`, with the moment as its title. */
export function ago(ms: number, nowMs: number): Html {
  const iso = new Date(ms).toISOString();
  const past = nowMs - ms;
  const text = past < -SECOND_MS ? `in ${duration(-past)}` : `${duration(past)} ago`;
  const shown = Math.abs(past) < SECOND_MS ? 'just now' : text;
  return html`<time datetime="${iso}" title="${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC">${shown}</time>`;
}

/** `350 ms`, `12 s`, `5 min`, `3 h`, `12 days` */
export function duration(ms: number): string {
  if (ms < SECOND_MS) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 2 * MINUTE_MS) return `${Math.floor(ms / SECOND_MS)} s`;
  if (ms < 2 * HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min`;
  if (ms < 2 * DAY_MS) return `${Math.floor(ms / HOUR_MS)} h`;
  return `${Math.floor(ms / DAY_MS)} days`;
}

const NUMBERS = new Intl.NumberFormat('en');

/** `12,345` */
export function count(value: number): string {
  return NUMBERS.format(value);
}

/** `1 event`, `2 events` */
export function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}
