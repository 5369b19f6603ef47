// One event: its story on one page. Takes the journal's record and what the rules say of it, gives what came, how
// it stands, why this rule, what was done and what each call answered, and the ways to try again.

import type { Context } from 'hono';
import { html } from 'hono/html';
import { AppError, registryEntry } from '../../../core/error-codes.ts';
import { PROVIDER_FACTS } from '../../../core/providers.ts';
import type { Archive, EventDetails } from '../../../journal/archive.ts';
import { aboutLinks, eventPath, placeOf, statusBadge, toneOf } from '../../format.ts';
import { answerPage, type Html, liveState } from '../../layout.ts';
import type { ConsoleApp, ConsoleEnv, ConsoleParts, Story } from '../../parts.ts';
import { ago, counted, moment } from '../../times.ts';
import { attemptsSection, operationsSection } from './attempts.ts';
import { heldSection } from './held.ts';
import { planSection, problemsOf, rulesSection, stateSection } from './rules.ts';

/** A payload is shown up to here; whole, it is a file. */
const SHOWN_LENGTH_MAX = 60_000;

export function addEvent(app: ConsoleApp, parts: ConsoleParts): void {
  const { archive, clock, streams } = parts;

  app.get('/events/:key', async (c) => {
    const found = await findEvent(archive, c.req.param('key'));
    if (found.kind === 'several') return answerChoice(c, found.keys);
    const { details } = found;
    const story = details.record.isErased ? undefined : await parts.explain(details);
    const { event, key } = details.record;
    const replay = REPLAY_TOLD[c.req.query('replay') ?? ''];
    return answerPage(c, {
      title: `${event.type} ${event.id}`,
      area: 'Events',
      scripts: ['live', 'event'],
      body: html`<p class="path"><a href="/console/events">Events</a> <span aria-hidden="true">/</span> <span class="mono">${event.id}</span>
        ${streams ? liveState(clock.nowMs()) : ''}</p>
        ${replay === undefined ? '' : html`<p class="message ${replay.tone}" role="status">${replay.text}</p>`}
        <div id="story" class="stack" data-live>
          ${head(details, clock.nowMs())}
          ${outcomeBanner(details)}
          ${heldSection(details.record, c)}
          ${actions(key, details.record.isErased)}
          ${attemptsSection(details)}
          ${operationsSection(details)}
          ${storySections(details, story)}
          ${payloadSection(details)}
        </div>`,
    });
  });

  app.get('/events/:key/payload.json', async (c) => {
    const { record } = await requireEvent(archive, c.req.param('key'));
    if (record.isErased) throw erased(record.event.id);
    const text = JSON.stringify(record.event.payload, null, 2);
    return c.body(
      text,
      200,
      download('application/json; charset=utf-8', `${record.event.id}.json`),
    );
  });

  app.get('/events/:key/test.yaml', async (c) => {
    const details = await requireEvent(archive, c.req.param('key'));
    const name = `${details.record.event.type}-${details.record.event.id}.yaml`;
    const text = await parts.asTest(details);
    return c.body(text, 200, download('application/yaml; charset=utf-8', name));
  });
}

/** What is said after a replay was asked for; the key stands in the address. */
const REPLAY_TOLD: Readonly<Record<string, { readonly tone: string; readonly text: string }>> = {
  queued: { tone: 'good', text: 'The event is in line again.' },
  running: { tone: '', text: 'The event is being worked on just now, so it was not replayed.' },
  erased: { tone: 'bad', text: 'The payload was erased, so the event cannot be replayed.' },
  released: { tone: 'good', text: 'The event is released and queued again.' },
  dropped: { tone: '', text: 'The event is dropped; nothing is done for it.' },
  'not held': { tone: '', text: 'The brake does not hold the event any more.' },
};

type Found =
  | { readonly kind: 'one'; readonly details: EventDetails }
  | { readonly kind: 'several'; readonly keys: readonly string[] };

/** @throws AppError EVENT_UNKNOWN */
async function findEvent(archive: Archive, id: string): Promise<Found> {
  const [key, ...others] = await archive.findKeys(id);
  if (key !== undefined && others.length > 0) return { kind: 'several', keys: [key, ...others] };
  const details = key === undefined ? undefined : await archive.details(key);
  if (details === undefined) throw new AppError('EVENT_UNKNOWN', id.slice(0, 200));
  return { kind: 'one', details };
}

/** @throws AppError EVENT_UNKNOWN, also for an id that several providers have */
export async function requireEvent(archive: Archive, id: string): Promise<EventDetails> {
  const found = await findEvent(archive, id);
  if (found.kind === 'one') return found.details;
  throw new AppError('EVENT_UNKNOWN', `${id.slice(0, 200)} alone: ${found.keys.join(', ')}`);
}

export function erased(id: string): AppError {
  return new AppError('INPUT_UNREADABLE', `the payload of ${id} was erased (RETENTION_DAYS)`);
}

/** A name from elsewhere goes into a header, so only letters that are harmless there are kept. */
function download(type: string, name: string): Record<string, string> {
  const safe = name.replaceAll(/[^\w.-]+/g, '_').slice(0, 120);
  return { 'content-type': type, 'content-disposition': `attachment; filename="${safe}"` };
}

function answerChoice(c: Context<ConsoleEnv>, keys: readonly string[]) {
  return answerPage(c, {
    title: 'Which one?',
    area: 'Events',
    body: html`<h1>Several providers have an event of this id</h1>
      <ul>${keys.map((key) => html`<li><a class="mono" href="${eventPath(key)}">${key}</a></li>`)}</ul>`,
  });
}

function head({ record }: EventDetails, nowMs: number): Html {
  const { event, status, subjects, attempts, outcome, dueAtMs, firstAcceptedAtMs } = record;
  const { userId, licenseIds = [] } = outcome ?? {};
  const mode =
    event.live === null ? '' : event.live ? '' : html` <span class="soft">(test mode)</span>`;
  return html`<header class="card story-head">
    <div class="head"><h1>${event.type}</h1>${statusBadge(status)}</div>
    <dl class="facts">
      ${fact('Event', html`<span class="mono" data-copy>${event.id}</span>`)}
      ${fact('Source', html`${event.source} <span class="soft">${PROVIDER_FACTS[event.provider].title}</span>${mode}`)}
      ${fact('Happened', moment(event.timeMs))}
      ${fact('Came', html`${moment(firstAcceptedAtMs)} <span class="soft">(${ago(firstAcceptedAtMs, nowMs)})</span>`)}
      ${fact('About', aboutLinks(subjects))}
      ${outcome?.rule === undefined ? '' : fact('Rule', html`<code>${outcome.rule}</code>`)}
      ${userId === undefined ? '' : fact('User', aboutLinks([userId]))}
      ${licenseIds.length === 0 ? '' : fact(licenseIds.length === 1 ? 'License' : 'Licenses', aboutLinks(licenseIds))}
      ${fact('Tries', html`${attempts}${dueAtMs === undefined || dueAtMs <= nowMs ? '' : html` <span class="soft">the next ${ago(dueAtMs, nowMs)}</span>`}`)}
    </dl></header>`;
}

function fact(name: string, value: Html | readonly Html[]): Html {
  return html`<div><dt>${name}</dt><dd>${value}</dd></div>`;
}

function outcomeBanner({ record: { outcome, status } }: EventDetails): Html | '' {
  if (outcome === undefined) return '';
  const { failure, message, reason } = outcome;
  if (failure === undefined) {
    return html`<p class="message ${toneOf(status)}">${message}${reason === undefined || message.includes(reason) ? '' : html` ${reason}`}</p>`;
  }
  const { code, hint, problems } = failure;
  const [only, ...more] = problems;
  // A single problem is the message itself; only its place is news.
  const place = more.length === 0 && only?.location !== undefined ? only.location : undefined;
  return html`<div class="message bad"><p><b>${registryEntry(code).title}</b> <code>${code}</code>${place === undefined ? '' : html` at <code>${placeOf(place)}</code>`}</p>
    <p>${failure.message}</p>${hint === undefined ? '' : html`<p>${hint}</p>`}${more.length === 0 ? '' : problemsOf(problems)}</div>`;
}

function actions(key: string, isErased: boolean): Html {
  if (isErased) {
    return html`<p class="message">The payload was erased after its time (<code>RETENTION_DAYS</code>), so the rules cannot be asked any more, and the event cannot be replayed.</p>`;
  }
  return html`<div class="actions">
    <a class="button" href="${eventPath(key)}/replay">Replay…</a>
    <a class="button plain" href="${eventPath(key)}/test.yaml" download>Save as test</a>
    <span class="hint">A replay shows first what it would do. The test holds no personal data.</span></div>`;
}

function storySections({ record }: EventDetails, story: Story | undefined): readonly (Html | '')[] {
  if (story === undefined) return [];
  const { before, now, isSame, differences } = story;
  const told = before ?? now;
  if (told === undefined) {
    return [
      html`<p class="message">The rules of ${record.event.source} as they were are not kept, and there are none now.</p>`,
    ];
  }
  const by =
    before === undefined
      ? 'By the rules as they are now; those of then are not kept.'
      : isSame
        ? 'By the rules that handled it; they still run.'
        : 'By the rules as they were when it was handled.';
  const changed =
    before === undefined || isSame
      ? ''
      : html`<section class="card" aria-labelledby="since"><h2 id="since">With the rules of today</h2>${
          now === undefined
            ? html`<p>They have errors or are gone.</p>`
            : differences.length === 0
              ? html`<p>The rules have changed since; for this event they would do the same.</p>`
              : html`<ul>${differences.map((one) => html`<li>${one}</li>`)}</ul>`
        }</section>`;
  return [
    rulesSection(told, { by, areErrorsTold: record.status === 'failed' }),
    planSection(told),
    stateSection(told),
    changed,
  ];
}

function payloadSection({ record: { event, key, isErased } }: EventDetails): Html | '' {
  if (isErased) return '';
  const text = JSON.stringify(event.payload, null, 2);
  const isLong = text.length > SHOWN_LENGTH_MAX;
  return html`<section class="card" aria-labelledby="payload"><h2 id="payload">What came</h2>
    <details><summary>The event as ${PROVIDER_FACTS[event.provider].title} sent it, ${counted(text.length, 'character')}</summary>
    ${isLong ? html`<p class="hint">The first ${counted(SHOWN_LENGTH_MAX, 'character')} are shown.</p>` : ''}
    <pre class="code" tabindex="0" role="group" aria-label="The event">${isLong ? `${text.slice(0, SHOWN_LENGTH_MAX)}…` : text}</pre></details>
    <p><a href="${eventPath(key)}/payload.json" download>The whole event as a file</a></p></section>`;
}
