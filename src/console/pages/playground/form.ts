// The page of the playground: what is chosen, both editors, and the place for the result. Takes texts, gives HTML.
// The editors are plain text areas until the page's script has made editors of them.

import type { Context } from 'hono';
import { html } from 'hono/html';
import { COMPARE_EVENTS } from '../../../authoring/playground/playground.ts';
import { sampleNames } from '../../../authoring/samples.ts';
import { PROVIDER_FACTS, type Provider } from '../../../core/providers.ts';
import type { RuleSet } from '../../../engine/rules/rule-set.ts';
import { csrfField, type Html, icon } from '../../layout.ts';
import type { ConsoleEnv, ConsoleParts } from '../../parts.ts';

export interface EventChoice {
  /** `sample:NAME` or `recorded:KEY` */
  readonly value: string;
  readonly name: string;
  readonly kind: 'recorded' | 'sample';
}

/** What the page opens with: the event that makes a license. */
export function firstSample(provider: Provider): string {
  return `sample:${PROVIDER_FACTS[provider].saleSample}`;
}

const RECORDED_MAX = 30;

/** Recorded events of the source, newest first, then the samples of its provider. */
export async function eventChoices(
  { archive }: ConsoleParts,
  { source, provider }: RuleSet,
): Promise<readonly EventChoice[]> {
  const { events } = await archive.list({ source }, { limit: RECORDED_MAX });
  const recorded = events
    .filter(({ isErased }) => !isErased)
    .map(({ key, event, firstAcceptedAtMs }): EventChoice => {
      const time = new Date(firstAcceptedAtMs).toISOString().slice(0, 16).replace('T', ' ');
      return {
        value: `recorded:${key}`,
        name: `${event.type} · ${time} · ${event.id}`,
        kind: 'recorded',
      };
    });
  const samples = sampleNames(provider).map(
    (name): EventChoice => ({ value: `sample:${name}`, name, kind: 'sample' }),
  );
  return [...recorded, ...samples];
}

export interface PlaygroundPage {
  readonly sources: readonly string[];
  readonly ruleSet: RuleSet;
  readonly choices: readonly EventChoice[];
  readonly choice: string;
  readonly rules: string;
  readonly event: string;
  readonly result: Html | '';
}

export function pageBody(c: Context<ConsoleEnv>, page: PlaygroundPage): Html {
  const { ruleSet, rules, event, result } = page;
  const { source, provider, beside } = ruleSet;
  const files = Object.keys(beside);
  return html`
    <div class="pg-head">
      <div>
        <h1>Playground</h1>
        <p class="soft">Write rules, and see what they make of an event. <strong>Nothing here goes live:</strong>
          it runs on the built-in sandbox, and the rules that run stay as they are.</p>
      </div>
    </div>
    ${choiceForm(page)}
    <form method="post" action="/console/playground" class="pg" data-playground data-provider="${provider}"
      data-source="${source}" data-hash="${ruleSet.hash}">
      ${csrfField(c)}<input type="hidden" name="source" value="${source}">
      <section class="card pg-pane pg-rules" aria-labelledby="pg-rules-title">
        <header>
          <h2 id="pg-rules-title">${source}.yaml</h2>
          <span class="badge" data-findings role="status">as it runs now</span>
          <a class="button plain small" href="#pg-compare" data-to-compare hidden>As diff…</a>
          <button class="plain small" type="button" data-reset hidden>Back to the running rules</button>
        </header>
        ${files.length > 0 ? html`<p class="hint">Read beside it, as on the server: ${files.join(', ')}</p>` : ''}
        <textarea name="rules" aria-label="Rules" data-editor="rules" rows="24" spellcheck="false" autocapitalize="off"
          wrap="off">
${rules}</textarea>
        <p class="hint pg-keys"><kbd>Ctrl</kbd> <kbd>Space</kbd> offers what fits · point at a word, or press
          <kbd>F1</kbd>, for help · <kbd>F8</kbd> next finding · <kbd>Esc</kbd> then <kbd>Tab</kbd> leaves the editor</p>
        <div data-problems class="pg-problems"></div>
      </section>
      <div class="pg-side">
        <details class="card pg-pane pg-event" open>
          <summary><h2 id="pg-event-title">Event</h2><span class="badge" data-event-name></span></summary>
          <textarea name="event" aria-label="Event, as JSON" data-editor="event" rows="12" spellcheck="false"
            autocapitalize="off" wrap="off">
${event}</textarea>
        </details>
        <section class="card pg-pane pg-result" aria-labelledby="pg-result-title">
          <header><h2 id="pg-result-title">Result</h2><span class="badge" data-state role="status"></span></header>
          <div data-notice></div>
          <div data-result>${result === '' ? html`<p class="soft" data-empty>Press “Try it” to see what these rules make of the event.</p>` : result}</div>
          <p data-without-script><button type="submit">Try it</button></p>
        </section>
      </div>
    </form>
    ${comparePart()}`;
}

function choiceForm({ sources, ruleSet, choices, choice }: PlaygroundPage): Html {
  const group = (kind: EventChoice['kind'], label: string): Html | '' => {
    const members = choices.filter((one) => one.kind === kind);
    if (members.length === 0) return '';
    return html`<optgroup label="${label}">${members.map(({ value, name }) => option(value, name, choice))}</optgroup>`;
  };
  return html`<form method="get" action="/console/playground" class="pg-choice" data-choice>
    <p><label for="pg-source">Rules of</label> <select id="pg-source" name="source">
      ${sources.map((name) => option(name, name, ruleSet.source))}</select></p>
    <p class="wide"><label for="pg-choice">Event</label> <select id="pg-choice" name="event">
      ${choices.some(({ value }) => value === choice) ? '' : html`<option value="" selected>as typed below</option>`}
      ${group('recorded', 'Recorded here')}${group('sample', 'Samples')}
    </select></p>
    <button class="plain" type="submit" data-without-script>Open</button>
  </form>`;
}

function option(value: string, name: string, chosen: string): Html {
  return html`<option value="${value}" ${value === chosen ? 'selected' : ''}>${name}</option>`;
}

function comparePart(): Html {
  return html`<section class="card pg-pane pg-compare" aria-labelledby="pg-compare-title" id="pg-compare" data-compare hidden>
    <header>
      <h2 id="pg-compare-title">${icon('M8 4v16M16 4v16M4 8l4-4 4 4M12 16l4 4 4-4')} Against the running rules</h2>
      <p><label for="pg-events">Over the last</label> <select id="pg-events" data-compare-events>
        ${COMPARE_EVENTS.map((count) => html`<option value="${count}">${count.toLocaleString('en-US')}</option>`)}
      </select> recorded events</p>
      <button type="button" class="plain" data-compare-run>Show as diff</button>
    </header>
    <div data-compare-result aria-live="polite">
      <p class="soft">What would these rules have done otherwise? Recorded events are planned with both, and nothing is executed.</p>
    </div>
  </section>`;
}
