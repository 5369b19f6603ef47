// The first page: how things stand. Takes the journal's counts and the server's own state, gives what came in
// the last day and month, who waits for a license, what fails and why, and what worries the server.
// The counts are made anew at most every few seconds, however many look at them.

import { html } from 'hono/html';
import type { Clock } from '../../../core/model.ts';
import type { Archive, Backlog, TimeCount } from '../../../journal/archive.ts';
import type { EventRecord } from '../../../journal/journal.ts';
import { chart, OUTCOMES } from '../../chart.ts';
import { answerPage, type Html, liveState } from '../../layout.ts';
import type { ConsoleApp, ConsoleParts } from '../../parts.ts';
import { count, DAY_MS, dayOf, duration } from '../../times.ts';
import { failuresSection } from './failures.ts';
import { stateSection } from './server-state.ts';

const HOUR_MS = 3_600_000;
/** Counting a month of events takes so much of the server's time at most: one part in so many. */
const REST = 20;
const FRESH_MS = 2_000;
const AGAIN_MS = 100;
/** Of failed and of waiting events, so many are looked at; a page says so where there are more. */
export const LOOKED_AT = 500;

export interface Counts {
  readonly takenAtMs: number;
  /** The last 24 hours; the hour that runs is the last of them. */
  readonly byHour: readonly TimeCount[];
  /** The last 30 days; today is the last of them. */
  readonly byDay: readonly TimeCount[];
  readonly backlog: Backlog;
  readonly waiting: readonly EventRecord[];
  readonly failed: readonly EventRecord[];
  readonly unmatched: readonly EventRecord[];
}

export function addOverview(app: ConsoleApp, parts: ConsoleParts): void {
  const read = createCountReader(parts.archive, parts.clock);
  let changedAtMs = 0;
  if (parts.streams) {
    // The first count of the days that are over is the dearest, and the archive remembers it: it is made
    // while somebody signs in. What goes wrong with it is told to whoever asks for the page.
    const { daysSinceMs } = timesAt(parts.clock.nowMs());
    parts.archive.countByTime(daysSinceMs, DAY_MS).catch(() => undefined);
    parts.onChange(() => {
      changedAtMs = parts.clock.nowMs();
    });
  }
  app.get('/', async (c) => {
    const [{ counts, freshUntilMs }, facts] = await Promise.all([read(), parts.facts()]);
    const nowMs = parts.clock.nowMs();
    // Counted before the last change: an open page asks again as soon as they are counted anew.
    const isBehind = changedAtMs >= counts.takenAtMs;
    const again = html`data-again="${Math.max(0, freshUntilMs - nowMs) + AGAIN_MS}"`;
    return answerPage(c, {
      title: 'Overview',
      area: 'Overview',
      scripts: ['live'],
      body: html`<div class="head"><h1>Overview</h1>${parts.streams ? liveState(nowMs) : ''}</div>
        <div id="overview" class="stack" data-live ${isBehind ? again : ''}>
          ${concernsOf(facts.concerns)}
          ${tiles(counts)}
          <div class="pair">${charts(counts)}</div>
          ${sourcesSection(counts)}
          ${failuresSection(counts, nowMs)}
          ${stateSection(facts, nowMs)}
        </div>`,
    });
  });
}

interface Latest {
  readonly counts: Promise<Counts>;
  freshUntilMs: number;
}

function createCountReader(
  archive: Archive,
  clock: Clock,
): () => Promise<{ counts: Counts; freshUntilMs: number }> {
  let latest: Latest | undefined;
  const readNow = async (): Promise<Counts> => {
    const nowMs = clock.nowMs();
    const { hoursSinceMs, daysSinceMs } = timesAt(nowMs);
    const page = { limit: LOOKED_AT };
    const [byHour, byDay, backlog, waiting, failed, unmatched] = await Promise.all([
      archive.countByTime(hoursSinceMs, HOUR_MS),
      archive.countByTime(daysSinceMs, DAY_MS),
      archive.backlog(),
      archive.list({ status: 'waiting' }, page),
      // The newest of all time: to find where the month begins costs more than to leave the others out.
      archive.list({ status: 'failed' }, page),
      archive.list({ status: 'unmatched' }, page),
    ]);
    const isOfMonth = ({ firstAcceptedAtMs }: EventRecord) => firstAcceptedAtMs >= daysSinceMs;
    return {
      ...{ takenAtMs: nowMs, byHour, byDay, backlog },
      waiting: waiting.events,
      failed: failed.events.filter(isOfMonth),
      unmatched: unmatched.events.filter(isOfMonth),
    };
  };
  const start = (startMs: number): Latest => {
    const own = { counts: readNow(), freshUntilMs: Number.POSITIVE_INFINITY };
    own.counts.then(
      () => {
        const tookMs = clock.nowMs() - startMs;
        own.freshUntilMs = clock.nowMs() + Math.max(FRESH_MS, tookMs * REST);
      },
      () => {
        own.freshUntilMs = 0;
      },
    );
    return own;
  };
  return async () => {
    const nowMs = clock.nowMs();
    const own = latest !== undefined && nowMs < latest.freshUntilMs ? latest : start(nowMs);
    latest = own;
    const counts = await own.counts;
    return { counts, freshUntilMs: own.freshUntilMs };
  };
}

/** Where the 24 hours and the 30 days begin that end with the hour and the day of this moment. */
function timesAt(nowMs: number): { hoursSinceMs: number; daysSinceMs: number } {
  return {
    hoursSinceMs: nowMs - (nowMs % HOUR_MS) - 23 * HOUR_MS,
    daysSinceMs: nowMs - (nowMs % DAY_MS) - 29 * DAY_MS,
  };
}

function concernsOf(concerns: readonly { code: string; message: string }[]): readonly Html[] {
  return concerns.map(
    ({ code, message }) =>
      html`<p class="message bad" role="alert">${message} <code>${code}</code></p>`,
  );
}

function tiles({ backlog, waiting, byHour }: Counts): Html {
  const sum = (status: string) =>
    byHour.reduce((total, one) => total + (one.status === status ? one.events : 0), 0);
  const customers = new Set(waiting.flatMap(({ subjects }) => subjects[0] ?? [])).size;
  const { events: waits = 0, oldestAgeMs = 0 } = backlog.get('waiting') ?? {};
  const inWork = (['queued', 'running', 'parked'] as const).map((status) => backlog.get(status));
  const unfinished = inWork.reduce((total, one) => total + (one?.events ?? 0), 0);
  const oldestMs = Math.max(0, ...inWork.map((one) => one?.oldestAgeMs ?? 0));
  const more = waits > LOOKED_AT ? 'more than ' : '';
  return html`<ul class="tiles">
    ${tile({
      name: 'Customers waiting',
      value: waits === 0 ? '0' : `${more}${count(customers)}`,
      note: waits === 0 ? 'Nobody waits' : `For a license, the first for ${duration(oldestAgeMs)}`,
      path: '/console/events?status=waiting',
      tone: waits === 0 ? '' : 'warn',
    })}
    ${tile({
      name: 'Failed in 24 hours',
      value: count(sum('failed')),
      note:
        sum('unmatched') === 0
          ? 'And none without a rule'
          : `And ${count(sum('unmatched'))} without a rule`,
      path: '/console/events?status=failed&since=24h',
      tone: sum('failed') === 0 ? '' : 'bad',
    })}
    ${tile({
      name: 'In line now',
      value: count(unfinished),
      note:
        unfinished === 0 ? 'All that came is worked off' : `The oldest for ${duration(oldestMs)}`,
      path: '/console/events?status=queued',
      tone: '',
    })}
    ${tile({
      name: 'Done in 24 hours',
      value: count(sum('done')),
      note: `And ${count(sum('ignored'))} ignored by a rule`,
      path: '/console/events?status=done&since=24h',
      tone: '',
    })}
  </ul>`;
}

interface Tile {
  readonly name: string;
  readonly value: string;
  readonly note: string;
  readonly path: string;
  readonly tone: '' | 'warn' | 'bad';
}

function tile({ name, value, note, path, tone }: Tile): Html {
  return html`<li><a class="card tile ${tone}" href="${path}"><span class="name">${name}</span><b>${value}</b><span class="soft">${note}</span></a></li>`;
}

function charts({ byHour, byDay, takenAtMs }: Counts): readonly Html[] {
  const { hoursSinceMs, daysSinceMs } = timesAt(takenAtMs);
  return [
    chart({
      ...{ title: 'Last 24 hours', counts: byHour, sinceMs: hoursSinceMs, untilMs: takenAtMs + 1 },
      ...{ stepMs: HOUR_MS, labelEvery: 4 },
      label: (fromMs) => `${new Date(fromMs).toISOString().slice(11, 13)}:00`,
    }),
    chart({
      ...{ title: 'Last 30 days', counts: byDay, sinceMs: daysSinceMs, untilMs: takenAtMs + 1 },
      ...{ stepMs: DAY_MS, labelEvery: 5 },
      label: dayOf,
    }),
  ];
}

/** Each source with its outcomes, in the last day and the last month. */
function sourcesSection({ byHour, byDay }: Counts): Html | '' {
  const names = [...new Set(byDay.map(({ source }) => source))].sort();
  if (names.length === 0) return '';
  const sum = (counts: readonly TimeCount[], source: string, statuses: readonly string[]) =>
    counts.reduce(
      (total, one) =>
        one.source === source && statuses.includes(one.status) ? total + one.events : total,
      0,
    );
  const cell = (source: string, { name, statuses }: (typeof OUTCOMES)[number]): Html => {
    const [day, month] = [sum(byHour, source, statuses), sum(byDay, source, statuses)];
    const tone = month === 0 ? 'soft' : name === 'failed' ? 'bad-text' : '';
    return html`<td class="number ${tone}">${count(day)} <span class="soft">/ ${count(month)}</span></td>`;
  };
  return html`<section class="card" aria-labelledby="by-source"><h2 id="by-source">By source</h2>
    <p class="hint">Events of the last 24 hours / of the last 30 days.</p>
    <div class="scroll" tabindex="0" role="group" aria-label="Events by source"><table><thead><tr><th scope="col">Source</th>${OUTCOMES.map(({ name }) => html`<th scope="col" class="number">${name}</th>`)}</tr></thead>
    <tbody>${names.map(
      (source) =>
        html`<tr><th scope="row"><a href="/console/events?${new URLSearchParams({ source })}">${source}</a></th>${OUTCOMES.map((outcome) => cell(source, outcome))}</tr>`,
    )}</tbody></table></div></section>`;
}
