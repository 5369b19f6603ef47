// What rules make of an event, as HTML. Takes what the workbench gives, gives the part of the page below "Result".
// Decides nothing; its words are those of the command line.

import { html } from 'hono/html';
import type { Tried, TriedEvent } from '../../../authoring/playground/playground.ts';
import { counted, expectation, isOfOtherType, seen, written } from '../../../core/format.ts';
import type {
  ConditionTrace,
  Diagnostic,
  JsonValue,
  PlannedStep,
  Problem,
  RuleTrace,
  ValueTrace,
} from '../../../core/model.ts';
import { itemChanges } from '../../../core/state-diff.ts';
import type { Html } from '../../layout.ts';

export function resultPart({ findings, furtherFindings, events, eventProblem }: Tried): Html {
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  return html`
    <div class="pg-findings" data-finding-list>${findingList(findings, furtherFindings)}</div>
    ${eventProblem === undefined ? '' : html`<p class="message bad" role="alert">${eventProblem}</p>`}
    ${errors > 0 ? html`<p class="message bad">These rules cannot be read yet: ${counted(errors, 'error')}. The event is tried as soon as there is none.</p>` : ''}
    ${(events ?? []).map((event) => eventPart(event))}`;
}

function findingList(findings: readonly Diagnostic[], further: number): Html | '' {
  if (findings.length === 0) return '';
  return html`<ul>${findings.map(
    ({
      severity,
      message,
      hint,
      code,
      location: { file, line, column },
    }) => html`<li class="${severity}">
      ${place(`${file}:${line}:${column}`, line, column, severity === 'error' ? 'Error' : 'Warning')}
      <div><p>${message} <code class="pg-code">${code}</code></p>${hint === undefined ? '' : html`<p class="hint">${hint}</p>`}</div></li>`,
  )}</ul>${further > 0 ? html`<p class="hint">And ${counted(further, 'more finding')}.</p>` : ''}`;
}

/** Leads to a line of the editor. */
function place(title: string, line: number, column: number, severity = ''): Html {
  return html`<button type="button" class="pg-line" data-line="${line}" data-column="${column}" title="${title}">
    ${severity === '' ? '' : html`<span>${severity}</span> `}line ${line}</button>`;
}

const TONES: Readonly<Record<TriedEvent['outcome'], string>> = {
  matched: 'good',
  ignored: 'idle',
  unmatched: 'warn',
  failed: 'bad',
};

function eventPart(event: TriedEvent): Html {
  const { outcome, rule, reason, errors, notes, cut, event: about } = event;
  const tone = errors.length > 0 ? 'bad' : TONES[outcome];
  return html`<article class="pg-one">
    <div class="pg-verdict ${tone}">
      <p><strong>${outcome}</strong>${rule === null ? '' : html` by <code>${rule.id}</code> ${place(`${rule.file}:${rule.line}`, rule.line, 1)}`}</p>
      <p class="hint">${about.type} · ${about.id}</p>
      ${reason === null ? '' : html`<p>${reason}</p>`}
    </div>
    ${errors.map(problemPart)}
    ${event.plan.length === 0 ? '' : part('plan', `Plan: ${counted(event.plan.length, 'step')}`, true, planPart(event))}
    ${changesPart(event)}
    ${part('rules', 'Why this rule, and not the others', true, rulesPart(event.trace))}
    ${event.names.length === 0 ? '' : part('names', `Values of names: ${event.names.length}`, false, namesPart(event))}
    ${event.requests.length === 0 ? '' : part('requests', `Requests to Cryptlex: ${event.requests.length}`, false, requestsPart(event))}
    ${notes.map((note) => html`<p class="hint">${note}</p>`)}
    ${cut ? html`<p class="hint">Long lists are cut to their first 100 entries here; <code>keywright dry-run</code> shows all.</p>` : ''}
  </article>`;
}

/** @param name by which the page remembers whether it is open */
function part(name: string, title: string, isOpen: boolean, body: Html): Html {
  return html`<details data-part="${name}" ${isOpen ? 'open' : ''}><summary><h3>${title}</h3></summary>${body}</details>`;
}

function problemPart({ code, message, hint, location }: Problem): Html {
  const [, line, column] = /:(\d+):(\d+)$/.exec(location ?? '') ?? [];
  return html`<div class="message bad">
    <p>${message} <code class="pg-code">${code}</code> ${line === undefined ? '' : place(location ?? '', Number(line), Number(column))}</p>
    ${hint === undefined ? '' : html`<p class="hint">${hint}</p>`}</div>`;
}

// ---- Rules ----------------------------------------------------------------------------------

function rulesPart(trace: readonly RuleTrace[]): Html {
  const own = trace.filter((rule) => !isOfOtherType(rule));
  const others = trace.length - own.length;
  return html`<ul class="pg-trace">${own.map(rulePart)}</ul>
    ${others === 0 ? '' : html`<p class="hint">${counted(others, 'other rule')} ${others === 1 ? 'is' : 'are'} for other types of events.</p>`}`;
}

function rulePart({ rule, matched, conditions, item, skipped }: RuleTrace): Html {
  const state = skipped !== undefined ? 'skipped' : matched ? 'fits' : 'fails';
  const mark = { skipped: '·', fits: '✓', fails: '✗' }[state];
  const words = { skipped: 'not asked', fits: 'fits', fails: 'does not fit' }[state];
  return html`<li class="${state}"><p><span class="mark-text" aria-hidden="true">${mark}</span>
      <code>${rule}</code>${item === undefined ? '' : html` <span class="hint">for ${item}</span>`}
      <span class="hint">${words}${skipped === undefined ? '' : `: ${skipped}`}</span></p>
    ${conditions.length === 0 ? '' : html`<ul>${conditions.map(conditionPart)}</ul>`}</li>`;
}

function conditionPart({ path, expected, actual, ok, parts = [] }: ConditionTrace): Html {
  return html`<li class="${ok ? 'fits' : 'fails'}"><span class="mark-text" aria-hidden="true">${ok ? '✓' : '✗'}</span>
    <span><code>${path}</code> <span class="hint">is</span> <code class="value">${seen(actual)}</code>
    ${ok ? '' : html`<span class="hint">expected</span> <code class="value">${expectation(expected)}</code>`}
    ${parts.map(({ formula, actual: value }) => html`<br><code class="soft">${formula}</code> <span class="hint">is</span> <code class="value">${seen(value)}</code>`)}</span></li>`;
}

// ---- Plan -----------------------------------------------------------------------------------

function planPart({ plan, values }: TriedEvent): Html {
  return html`<ol class="pg-plan">${plan.map((step, index) => {
    const own = values.filter((value) => value.step === index);
    return stepPart(step, new Map(own.map((value) => [value.field, value])));
  })}</ol>`;
}

function stepPart(step: PlannedStep, sources: ReadonlyMap<string, ValueTrace>): Html {
  const rows = Object.entries(step.input).flatMap(([name, value]) =>
    fieldRows(name, value, sources),
  );
  const once =
    step.once === undefined
      ? []
      : [{ field: 'once for', value: step.once, source: sources.get('once') }];
  return html`<li><p><strong>${step.action}</strong>${step.item === undefined ? '' : html` <span class="hint">for ${step.item}</span>`}</p>
    <dl class="pg-fields">${[...rows, ...once].map(
      ({ field, value, source }) => html`<div><dt>${field}</dt>
      <dd><code class="value">${written(value)}</code>${sourcePart(source)}</dd></div>`,
    )}</dl></li>`;
}

function sourcePart(source: ValueTrace | undefined): Html | '' {
  if (source === undefined || !source.expression.startsWith('=')) return '';
  const [, line, column] = /:(\d+):(\d+)$/.exec(source.location) ?? [];
  return html`<span class="pg-from">from <code>${source.expression}</code> ${line === undefined ? '' : place(source.location, Number(line), Number(column))}</span>`;
}

interface FieldRow {
  readonly field: string;
  readonly value: JsonValue;
  readonly source: ValueTrace | undefined;
}

/** A map of which each member has a source of its own takes a row for each member. */
function fieldRows(
  field: string,
  value: JsonValue,
  sources: ReadonlyMap<string, ValueTrace>,
): readonly FieldRow[] {
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
  const hasParts = [...sources.keys()].some((name) => name.startsWith(`${field}.`));
  if (!isMap || !hasParts) return [{ field, value, source: sources.get(field) }];
  return Object.entries(value).flatMap(([name, member]) =>
    fieldRows(`${field}.${name}`, member, sources),
  );
}

const KINDS = { new: 'good', changed: 'warn', gone: 'bad', same: 'idle' } as const;

// ---- What comes of it -----------------------------------------------------------------------

function changesPart({ licenses, users, assumed, plan }: TriedEvent): Html | '' {
  if (plan.length === 0) return '';
  const groups = [
    ['User', itemChanges(users)],
    ['License', itemChanges(licenses)],
  ] as const;
  const changed = groups.flatMap(([noun, items]) => items.map((item) => ({ noun, ...item })));
  const body = html`
    ${assumed.map((find) => html`<p class="hint">Assumed to exist: one license with <code>${written(find)}</code></p>`)}
    ${changed.length === 0 ? html`<p class="soft">Nothing changes.</p>` : ''}
    ${changed.map(
      ({ noun, id, kind, changes }) => html`<div class="pg-item">
      <p><strong>${noun}</strong> <code>${id}</code> <span class="badge ${KINDS[kind]}">${kind}</span></p>
      ${
        changes.length === 0
          ? ''
          : html`<div class="pg-scroll" tabindex="0" role="region" aria-label="Changes of ${noun} ${id}"><table><thead><tr><th scope="col">Field</th><th scope="col">Before</th><th scope="col">After</th></tr></thead>
        <tbody>${changes.map(({ what, from, to }) => html`<tr><th scope="row">${what}</th><td>${from}</td><td class="after">${to}</td></tr>`)}</tbody></table></div>`
      }
    </div>`,
    )}`;
  return part('changes', 'Before and after, in the sandbox', true, body);
}

function namesPart({ names }: TriedEvent): Html {
  return html`<dl class="pg-names">${names.map(
    ({ name, item, expression, actual }) => html`<div>
    <dt><code>${name}</code>${item === undefined ? '' : html` <span class="hint">for ${item}</span>`}</dt>
    <dd><code class="value">${seen(actual)}</code>${expression.includes('=') ? html`<span class="pg-from">from <code>${expression}</code></span>` : ''}</dd></div>`,
  )}</dl>`;
}

function requestsPart({ requests }: TriedEvent): Html {
  return html`<ol class="pg-requests">${requests.map(({ method, path, query, body }) => {
    const search = new URLSearchParams(query as Record<string, string>).toString();
    return html`<li><p><span class="badge">${method}</span> <code>${path}${search === '' ? '' : `?${search}`}</code></p>
      ${body === undefined ? '' : html`<pre>${JSON.stringify(body, null, 2)}</pre>`}</li>`;
  })}</ol>`;
}
