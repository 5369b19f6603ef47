// What fails, rolled up: events that failed or that no rule fits, by rule and error. Takes records of the last
// month, gives a table with the most frequent first.

import { html } from 'hono/html';
import { registryEntry } from '../../../core/error-codes.ts';
import type { EventRecord } from '../../../journal/journal.ts';
import { badge, eventPath } from '../../format.ts';
import type { Html } from '../../layout.ts';
import { ago, count } from '../../times.ts';
import { type Counts, LOOKED_AT } from './overview.ts';

interface RollUp {
  readonly status: 'failed' | 'unmatched';
  readonly rule: string;
  readonly error: string;
  readonly title: string;
  readonly type: string;
  readonly events: number;
  /** The newest of them. */
  readonly newest: EventRecord;
}

const ROWS_MAX = 12;

export function failuresSection({ failed, unmatched }: Counts, nowMs: number): Html {
  const rows = [
    ...rollUp(failed, (record) => [record.outcome?.rule, record.outcome?.failure?.code]),
    ...rollUp(unmatched, (record) => [record.event.type]),
  ].sort((a, b) => b.events - a.events);
  const isCut = failed.length >= LOOKED_AT || unmatched.length >= LOOKED_AT;
  return html`<section class="card" aria-labelledby="failures"><h2 id="failures">What fails</h2>
    <p class="hint">The last 30 days, by rule and error${isCut ? `, of the newest ${LOOKED_AT} of each kind` : ''}.</p>
    ${rows.length === 0 ? html`<p class="empty">Nothing has failed.</p>` : table(rows.slice(0, ROWS_MAX), nowMs)}
    ${rows.length > ROWS_MAX ? html`<p><a href="/console/events?status=failed">All that failed</a></p>` : ''}
  </section>`;
}

function table(rows: readonly RollUp[], nowMs: number): Html {
  return html`<div class="scroll" tabindex="0" role="group" aria-label="What fails"><table>
    <thead><tr><th scope="col" class="number">Events</th><th scope="col">Status</th><th scope="col">Error</th><th scope="col">Rule</th><th scope="col">The newest</th></tr></thead>
    <tbody>${rows.map(
      ({ status, rule, error, title, type, events, newest }) => html`<tr>
        <td class="number"><b>${count(events)}</b></td>
        <td>${badge(status === 'failed' ? 'bad' : 'warn', status)}</td>
        <td>${title}${error === '' ? '' : html`<br><code class="soft">${error}</code>`}</td>
        <td>${rule === '' ? html`<span class="soft">none for ${type}</span>` : html`<code>${rule}</code>`}</td>
        <td><a href="${eventPath(newest.key)}">${ago(newest.firstAcceptedAtMs, nowMs)}</a><br><span class="soft">${type}</span></td>
      </tr>`,
    )}</tbody></table></div>`;
}

/** Records are newest first, so the first of each group is its newest. */
function rollUp(
  records: readonly EventRecord[],
  keyOf: (record: EventRecord) => readonly (string | undefined)[],
): readonly RollUp[] {
  const groups = new Map<string, RollUp>();
  for (const record of records) {
    const key = JSON.stringify(keyOf(record));
    const known = groups.get(key);
    groups.set(key, known === undefined ? first(record) : { ...known, events: known.events + 1 });
  }
  return [...groups.values()];
}

function first(record: EventRecord): RollUp {
  const { outcome, event } = record;
  const code = outcome?.failure?.code;
  return {
    status: record.status === 'failed' ? 'failed' : 'unmatched',
    rule: outcome?.rule ?? '',
    error: code ?? '',
    title: code === undefined ? 'No rule fits' : registryEntry(code).title,
    type: event.type,
    events: 1,
    newest: record,
  };
}
