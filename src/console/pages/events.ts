// The list of events: a search, a table, further pages. Takes the search from the address, so that every list has
// a link of its own; gives the newest first. Works without a script; with one it follows what comes in.

import type { Context } from 'hono';
import { html } from 'hono/html';
import { parseMoment } from '../../core/interval.ts';
import { EVENT_STATUSES } from '../../core/model.ts';
import type { EventFilter } from '../../journal/archive.ts';
import type { EventRecord } from '../../journal/journal.ts';
import { cut, eventPath, statusBadge } from '../format.ts';
import { answerPage, type Html, liveState } from '../layout.ts';
import type { ConsoleApp, ConsoleEnv, ConsoleParts } from '../parts.ts';
import { ago, count } from '../times.ts';

const PAGE_SIZE = 100;

/** What the form holds, as it stands in the address. */
interface Search {
  readonly q: string;
  readonly status: string;
  readonly source: string;
  readonly type: string;
  readonly since: string;
  readonly until: string;
}

const TIMES: readonly (readonly [value: string, text: string])[] = [
  ['', 'Any time'],
  ['1h', 'Last hour'],
  ['24h', 'Last 24 hours'],
  ['7d', 'Last 7 days'],
  ['30d', 'Last 30 days'],
];

export function addEvents(app: ConsoleApp, { archive, clock, streams, facts }: ConsoleParts): void {
  app.get('/events', async (c) => {
    const search = searchOf(c);
    const nowMs = clock.nowMs();
    const { filter, problems } = toFilter(search, nowMs);
    const cursor = /^\d{1,15}$/.exec(c.req.query('cursor') ?? '')?.[0];
    const nothing = { events: [], cursor: undefined };
    const [page, types, { rules }] = await Promise.all([
      problems.length > 0 ? nothing : archive.list(filter, { limit: PAGE_SIZE, cursor }),
      archive.types(),
      facts(),
    ]);
    const sources = rules.sources.map(({ name }) => name);
    const follows = streams && cursor === undefined && problems.length === 0;
    return answerPage(c, {
      title: search.q === '' ? 'Events' : `Events: ${cut(search.q, 60)}`,
      area: 'Events',
      scripts: ['live', 'events'],
      body: html`<div class="head"><h1>Events</h1>${follows ? liveState(nowMs) : ''}</div>
        ${searchForm(search, { sources, types })}
        ${problems.map((problem) => html`<p class="message bad" role="alert">${problem}</p>`)}
        <div data-rows>
          <div id="rows" ${follows ? html`data-live` : ''}>${table(page.events, { nowMs, search, isFirst: cursor === undefined })}</div>
        </div>
        ${pagesOf(search, page.cursor, cursor !== undefined)}
        <p class="hint keys"><kbd>/</kbd> search · <kbd>j</kbd> <kbd>k</kbd> down and up · <kbd>Enter</kbd> opens</p>`,
    });
  });
}

function searchOf(c: Context<ConsoleEnv>): Search {
  const text = (name: string): string => (c.req.query(name) ?? '').trim().slice(0, 300);
  return {
    ...{ q: text('q'), status: text('status'), source: text('source') },
    ...{ type: text('type'), since: text('since'), until: text('until') },
  };
}

function toFilter(
  search: Search,
  nowMs: number,
): { filter: EventFilter; problems: readonly string[] } {
  const problems: string[] = [];
  const moment = (name: 'since' | 'until', word: string): number | undefined => {
    if (search[name] === '') return undefined;
    const ms = parseMoment(search[name], nowMs);
    if (ms === undefined) problems.push(`“${word}” takes 24h, 7d or a date such as 2026-11-21.`);
    return ms;
  };
  const status = EVENT_STATUSES.find((name) => name === search.status);
  if (search.status !== '' && status === undefined) {
    problems.push(`There is no status “${search.status}”.`);
  }
  const given = (text: string): string | undefined => (text === '' ? undefined : text);
  const filter = {
    ...{ status, about: given(search.q), source: given(search.source), type: given(search.type) },
    ...{ sinceMs: moment('since', 'From'), untilMs: moment('until', 'Until') },
  };
  return { filter, problems };
}

function searchForm(
  search: Search,
  { sources, types }: { sources: readonly string[]; types: readonly string[] },
): Html {
  const isKnown = TIMES.some(([value]) => value === search.since);
  const times = isKnown ? TIMES : [...TIMES, [search.since, `Since ${search.since}`] as const];
  return html`<form class="card search" method="get" action="/console/events" role="search">
    <div class="wide"><label for="q">Search</label>
      <input id="q" name="q" type="search" value="${search.q}" data-search autocomplete="off" spellcheck="false"
        placeholder="Event id, subscription or order, e-mail address, license id, user id" aria-describedby="q-hint">
      <p class="hint" id="q-hint">The whole of an id or address. Addresses are kept as keyed hashes only, and are found all the same.</p></div>
    ${select('status', 'Status', search.status, [['', 'Any'], ...EVENT_STATUSES.map((name) => [name, name] as const)])}
    ${select('source', 'Source', search.source, [['', 'Any'], ...withOwn(sources, search.source).map((name) => [name, name] as const)])}
    <div><label for="type">Type</label><input id="type" name="type" value="${search.type}" list="types" autocomplete="off" spellcheck="false">
      <datalist id="types">${types.map((type) => html`<option value="${type}"></option>`)}</datalist></div>
    ${select('since', 'From', search.since, times)}
    <div><label for="until">Until</label><input id="until" name="until" value="${search.until}" placeholder="2026-11-21" autocomplete="off"></div>
    <div class="actions"><button type="submit">Search</button> <a class="button plain" href="/console/events">Clear</a></div>
  </form>`;
}

function withOwn(names: readonly string[], own: string): readonly string[] {
  return own === '' || names.includes(own) ? names : [...names, own];
}

function select(
  name: string,
  label: string,
  chosen: string,
  options: readonly (readonly [value: string, text: string])[],
): Html {
  return html`<div><label for="${name}">${label}</label><select id="${name}" name="${name}">${options.map(
    ([value, text]) =>
      html`<option value="${value}" ${value === chosen ? html`selected` : ''}>${text}</option>`,
  )}</select></div>`;
}

interface TableFacts {
  readonly nowMs: number;
  readonly search: Search;
  readonly isFirst: boolean;
}

function table(events: readonly EventRecord[], { nowMs, search, isFirst }: TableFacts): Html {
  if (events.length === 0) {
    const isAll = Object.values(search).every((text) => text === '');
    const text =
      isAll && isFirst
        ? 'No webhook has come yet. As soon as one does, it stands here.'
        : 'No event is like this. Ids and addresses are looked for as a whole.';
    return html`<p class="card empty">${text}</p>`;
  }
  return html`<table class="card events"><caption class="unseen">Events, the newest first</caption>
    <thead><tr><th scope="col" class="when">Came</th><th scope="col" class="status">Status</th><th scope="col" class="what">Event</th><th scope="col" class="about">About</th><th scope="col">What became of it</th></tr></thead>
    <tbody>${events.map((record) => row(record, nowMs))}</tbody></table>`;
}

function row(
  { key, event, subjects, status, firstAcceptedAtMs, outcome, dueAtMs }: EventRecord,
  nowMs: number,
): Html {
  const [subject = '', ...others] = subjects;
  const told = outcome?.failure?.message ?? outcome?.reason ?? outcome?.message ?? '';
  const due =
    dueAtMs !== undefined && dueAtMs > nowMs
      ? html` <span class="soft">again ${ago(dueAtMs, nowMs)}</span>`
      : '';
  return html`<tr data-key="${key}">
    <td class="when">${ago(firstAcceptedAtMs, nowMs)}</td>
    <td class="status">${statusBadge(status)}</td>
    <td class="what"><a href="${eventPath(key)}" data-row>${event.type}</a><span class="soft mono">${event.source} · ${cut(event.id, 60)}</span></td>
    <td class="mono about">${cut(subject, 60)}${others.length === 0 ? '' : html` <span class="soft">+${count(others.length)}</span>`}</td>
    <td class="told">${outcome?.rule === undefined ? '' : html`<code>${outcome.rule}</code> `}<span class="soft">${cut(told, 160)}</span>${due}</td>
  </tr>`;
}

function pagesOf(search: Search, next: string | undefined, isLater: boolean): Html {
  const link = (cursor: string | undefined): string => {
    const given = Object.entries(search).filter(([, text]) => text !== '');
    const all = cursor === undefined ? given : [...given, ['cursor', cursor] as [string, string]];
    return `/console/events?${new URLSearchParams(all)}`;
  };
  return html`<nav class="pages" aria-label="Pages">
    ${isLater ? html`<a class="button plain" href="${link(undefined)}">To the newest</a>` : ''}
    ${next === undefined ? '' : html`<a class="button plain" rel="next" data-older href="${link(next)}">Show older events</a>`}
  </nav>`;
}
