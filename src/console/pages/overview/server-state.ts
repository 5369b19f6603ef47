// The state of the server itself: rules, journal, Cryptlex, pace. Takes what the server knows of itself, gives
// cards with a sign each.

import { html } from 'hono/html';
import { badge } from '../../format.ts';
import type { Html } from '../../layout.ts';
import type { ServerFacts } from '../../parts.ts';
import { ago, count, counted, duration } from '../../times.ts';

const JOURNALS: Readonly<Record<string, string>> = {
  memory: 'in the memory of this process; nothing of it survives a restart',
  sqlite: 'an SQLite file',
  postgres: 'PostgreSQL, shared by all replicas',
};

export function stateSection(facts: ServerFacts, nowMs: number): Html {
  return html`<section aria-labelledby="state" class="stack"><h2 id="state">This server</h2>
    <div class="cards">${rulesCard(facts, nowMs)}${journalCard(facts)}${cryptlexCard(facts)}</div></section>`;
}

function rulesCard({ rules }: ServerFacts, nowMs: number): Html {
  const { isCurrent, problems, loadedAtMs, sources } = rules;
  return html`<div class="card"><h3>Rules ${isCurrent ? badge('good', 'as on disk') : badge('bad', 'not what is on disk')}</h3>
    <p>Read ${ago(loadedAtMs, nowMs)}.</p>
    ${problems.length === 0 ? '' : html`<ul class="problems">${problems.slice(0, 5).map((problem) => html`<li><code>${problem}</code></li>`)}</ul>`}
    <ul class="list">${sources.map(
      ({ name, file, rules: number, hash }) =>
        html`<li><b>${name}</b> ${counted(number, 'rule')} <span class="soft">${file} · <code>${hash.slice(0, 8)}</code></span></li>`,
    )}</ul></div>`;
}

function journalCard({ journal, isReady, retentionDays }: ServerFacts): Html {
  return html`<div class="card"><h3>Journal ${isReady ? badge('good', 'answers') : badge('bad', 'does not answer')}</h3>
    <p>It is ${JOURNALS[journal] ?? journal}.</p>
    <p class="soft">Payloads of finished events are erased after ${counted(retentionDays, 'day')}.</p></div>`;
}

function cryptlexCard({ cryptlex, concerns }: ServerFacts): Html {
  const { isDown, host, rateLimit, calls } = cryptlex;
  const isRefused = concerns.some(({ code }) => code === 'CRYPTLEX_TOKEN');
  const state = isDown
    ? badge('bad', 'away')
    : isRefused
      ? badge('bad', 'refuses the token')
      : badge('good', 'answers');
  const failed = calls.failed + calls.refused;
  return html`<div class="card"><h3>Cryptlex ${calls.all === 0 && !isDown ? badge('idle', 'not asked lately') : state}</h3>
    <p>${host}</p>
    <p>${counted(calls.all, 'call')} in the last hour${failed === 0 ? '' : html`, <span class="bad-text">${count(calls.failed)} failed, ${count(calls.refused)} refused as too many</span>`}.</p>
    <p class="soft">Own pace: at most ${count(rateLimit.requests)} in ${duration(rateLimit.periodMs)}.</p></div>`;
}
