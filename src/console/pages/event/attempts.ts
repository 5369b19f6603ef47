// What was really done for an event: each try with its calls, each operation with its result. Takes the journal's
// record, gives tables; nothing here is guessed or tried out.

import { html } from 'hono/html';
import type { AttemptRecord, EventDetails } from '../../../journal/archive.ts';
import type { OperationRecord } from '../../../journal/journal.ts';
import { aboutLinks, badge, cut, seenValue, statusBadge, type Tone } from '../../format.ts';
import type { Html } from '../../layout.ts';
import { counted, duration, moment } from '../../times.ts';

const ATTEMPTS_OPEN = 3;

export function attemptsSection({ attempts, record }: EventDetails): Html | '' {
  if (attempts.length === 0) return '';
  const newestFirst = [...attempts].reverse();
  // What stands at the top of the page already.
  const told = record.outcome?.failure?.message ?? record.outcome?.reason;
  return html`<section class="card" aria-labelledby="tries"><h2 id="tries">${attempts.length === 1 ? 'What was called' : 'The tries, the latest first'}</h2>
    <ol class="tries" reversed>${newestFirst.slice(0, ATTEMPTS_OPEN).map((attempt) => oneAttempt(attempt, told))}</ol>
    ${newestFirst.length <= ATTEMPTS_OPEN ? '' : html`<details><summary>${counted(newestFirst.length - ATTEMPTS_OPEN, 'earlier try').replace('trys', 'tries')}</summary><ol class="tries" reversed>${newestFirst.slice(ATTEMPTS_OPEN).map((attempt) => oneAttempt(attempt, told))}</ol></details>`}
  </section>`;
}

function oneAttempt(
  { attempt, startedAtMs, endedAtMs, status, reason, calls }: AttemptRecord,
  told: string | undefined,
): Html {
  const longestMs = Math.max(1, ...calls.map(({ durationMs }) => durationMs));
  return html`<li><p class="try"><b>Try ${attempt}</b> ${statusBadge(status)} <span class="soft">${moment(startedAtMs)}, took ${duration(endedAtMs - startedAtMs)}</span></p>
    ${reason === undefined || reason === told ? '' : html`<p>${reason}</p>`}
    ${
      calls.length === 0
        ? html`<p class="soft">No call to Cryptlex was needed.</p>`
        : html`<div class="scroll" tabindex="0" role="group" aria-label="${`Calls of try ${attempt}`}"><table class="calls"><thead><tr><th scope="col">Call to Cryptlex</th><th scope="col">Answer</th><th scope="col" class="number">Time</th><th scope="col"><span class="unseen">Share of the longest</span></th></tr></thead>
    <tbody>${calls.map(
      ({ method, path, status: code, durationMs }) => html`<tr>
        <td><code><b>${method}</b> ${cut(path, 200)}</code></td>
        <td>${badge(toneOfCode(code), code === null ? 'no answer' : String(code))}</td>
        <td class="number">${duration(durationMs)}</td>
        <td><svg class="share" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect width="${Math.max(1, Math.round((100 * durationMs) / longestMs))}" height="8" rx="2"/></svg></td></tr>`,
    )}</tbody></table></div>`
    }</li>`;
}

function toneOfCode(code: number | null): Tone {
  if (code === null || code >= 500) return 'bad';
  return code >= 400 ? 'warn' : 'good';
}

export function operationsSection({ operations }: EventDetails): Html | '' {
  if (operations.length === 0) return '';
  return html`<section class="card" aria-labelledby="operations"><h2 id="operations">What was changed in Cryptlex</h2>
    <p class="hint">Each fact is done once: a replay or another event that tells of the same fact skips it.</p>
    <div class="scroll" tabindex="0" role="group" aria-label="What was changed"><table><thead><tr><th scope="col">Operation</th><th scope="col">Result</th><th scope="col">On</th><th scope="col">What was there before</th></tr></thead>
    <tbody>${operations.map(oneOperation)}</tbody></table></div></section>`;
}

function oneOperation(operation: OperationRecord): Html {
  const { action, before, targetId, intendedAtMs } = operation;
  const result = operation.state === 'done' ? operation.result : undefined;
  const target = result?.targetId ?? targetId;
  const members = Object.entries(before);
  return html`<tr><td><code>${action}</code><br><span class="soft">${moment(intendedAtMs)}</span></td>
    <td>${result === undefined ? badge('busy', 'begun') : badge(RESULTS[result.kind], result.kind)}${result !== undefined && 'reason' in result ? html`<br><span class="soft">${result.reason}</span>` : ''}</td>
    <td>${target === undefined ? '' : aboutLinks([target])}</td>
    <td>${members.length === 0 ? html`<span class="soft">–</span>` : html`<dl class="members">${members.map(([name, value]) => html`<div><dt>${name}</dt><dd>${seenValue(value)}</dd></div>`)}</dl>`}</td></tr>`;
}

const RESULTS = { applied: 'good', unchanged: 'idle', stale: 'warn' } as const;
