// Replaying one event: first what it would do, then, asked for once more, the replay itself. Takes the mode, marks
// the event in the journal; whoever works on the journal does it. Never calls Cryptlex by itself.

import { html } from 'hono/html';
import { AppError } from '../../../core/error-codes.ts';
import { REPLAY_MODES, type ReplayMode } from '../../../journal/archive.ts';
import { eventPath, statusBadge } from '../../format.ts';
import { answerPage, csrfField, type Html } from '../../layout.ts';
import type { ConsoleApp, ConsoleParts, Story } from '../../parts.ts';
import { counted } from '../../times.ts';
import { erased, requireEvent } from './event.ts';
import { planSection, problemsOf, stateSection } from './rules.ts';

const MODES: Readonly<Record<ReplayMode, { readonly name: string; readonly does: string }>> = {
  again: {
    name: 'As it is',
    does: 'Asks the rules of today. What was done is skipped, and an event that was done keeps its licenses.',
  },
  retarget: {
    name: 'Look licenses up anew',
    does: 'The same, but the user and the licenses are looked for again: for a sale that was moved by hand.',
  },
  force: {
    name: 'Do everything once more',
    does: 'Even what was done is done again: a license that was created is created a second time.',
  },
};

export function addReplay(app: ConsoleApp, parts: ConsoleParts): void {
  const { archive } = parts;

  app.get('/events/:key/replay', async (c) => {
    const details = await requireEvent(archive, c.req.param('key'));
    const { record, operations } = details;
    if (record.isErased) throw erased(record.event.id);
    const story = await parts.explain(details);
    const done = operations.filter(({ state }) => state === 'done').length;
    return answerPage(c, {
      title: `Replay ${record.event.id}`,
      area: 'Events',
      body: html`<p class="path"><a href="/console/events">Events</a> <span aria-hidden="true">/</span> <a class="mono" href="${eventPath(record.key)}">${record.event.id}</a> <span aria-hidden="true">/</span> Replay</p>
        <div class="head"><h1>Replay ${record.event.type}</h1>${statusBadge(record.status)}</div>
        ${summary(story, done, record.event.source)}
        <form class="card replay" method="post" action="${eventPath(record.key)}/replay">${csrfField(c)}
          <fieldset><legend>How</legend>${REPLAY_MODES.map(
            (mode, index) =>
              html`<label class="choice"><input type="radio" name="mode" value="${mode}" ${index === 0 ? html`checked` : ''}> <span><b>${MODES[mode].name}</b><span class="soft">${MODES[mode].does}</span></span></label>`,
          )}</fieldset>
          <div class="actions"><button type="submit">Replay now</button> <a class="button plain" href="${eventPath(record.key)}">Leave it</a></div>
        </form>
        ${story.now === undefined ? '' : [planSection(story.now), stateSection(story.now)]}`,
    });
  });

  app.post('/events/:key/replay', async (c) => {
    const { record } = await requireEvent(archive, c.req.param('key'));
    const { mode: given } = await c.req.parseBody();
    const mode = REPLAY_MODES.find((name) => name === given);
    if (mode === undefined) {
      throw new AppError('USAGE', `mode takes ${REPLAY_MODES.join(', ')}`);
    }
    const { kind } = await archive.requestReplay(record.key, mode);
    return c.redirect(`${eventPath(record.key)}?replay=${kind}`, 303);
  });
}

/** What it would do, in a few sentences. */
function summary({ now, differences }: Story, done: number, source: string): Html {
  if (now === undefined) {
    return html`<p class="message bad">The rules of ${source} have errors or are gone; a replay would fail.</p>`;
  }
  const { outcome, rule, plan, reason, errors } = now;
  const actions = plan.map(({ action }) => html`<code>${action}</code> `);
  const does =
    plan.length > 0
      ? html`<p>The rule <code>${rule?.id}</code> would plan: ${actions}</p>`
      : html`<p>Nothing would be done: ${reason ?? `it would be ${outcome}`}</p>`;
  const skipped =
    done === 0
      ? ''
      : html`<p>${counted(done, 'operation')} of it ${done === 1 ? 'is' : 'are'} done already and would be skipped, unless everything is done once more.</p>`;
  return html`<section class="card" aria-labelledby="would"><h2 id="would">What it would do</h2>${does}${skipped}
    ${differences.length === 0 ? '' : html`<p>Other than when it was handled:</p><ul>${differences.map((one) => html`<li>${one}</li>`)}</ul>`}
    ${problemsOf(errors)}</section>`;
}
