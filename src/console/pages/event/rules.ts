// What the rules made of an event. Takes an Explanation, gives why a rule fitted and why the others did not (what
// was expected beside what was seen), where each value came from, and licenses before and after.

import { html } from 'hono/html';
import type { Explanation } from '../../../authoring/dry-run/explain.ts';
import { expectation, isOfOtherType } from '../../../core/format.ts';
import type {
  ConditionTrace,
  JsonValue,
  PlannedStep,
  Problem,
  RuleTrace,
} from '../../../core/model.ts';
import { type ItemChange, itemChanges } from '../../../core/state-diff.ts';
import { badge, cut, placeOf, seenValue, writtenValue } from '../../format.ts';
import type { Html } from '../../layout.ts';
import { counted } from '../../times.ts';

/** A batch of very many items is told by its first ones. */
const RULES_MAX = 200;

export function problemsOf(problems: readonly Problem[]): Html | '' {
  if (problems.length === 0) return '';
  return html`<ul class="problems">${problems.map(
    ({ code, message, hint, location }) =>
      html`<li>${location === undefined ? '' : html`<code>${placeOf(location)}</code> `}${message} <code>${code}</code>${hint === undefined ? '' : html`<br><span class="soft">${hint}</span>`}</li>`,
  )}</ul>`;
}

/** @param areErrorsTold whether what went wrong stands on the page already */
export function rulesSection(
  explanation: Explanation,
  { by, areErrorsTold }: { by: string; areErrorsTold: boolean },
): Html {
  const { trace, rule, reason, outcome, errors } = explanation;
  const own = trace.filter((one) => !isOfOtherType(one));
  const others = trace.filter(isOfOtherType);
  const shown = own.slice(0, RULES_MAX);
  const title =
    rule === null
      ? 'Why no rule fits'
      : outcome === 'failed'
        ? 'What the rules say'
        : `Why ${rule.id}, and not another rule`;
  return html`<section class="card" aria-labelledby="rules"><h2 id="rules">${title}</h2>
    <p class="hint">${by}${rule === null ? '' : html` <code>${placeOf(`${rule.file}:${rule.line}`)}</code>`}</p>
    ${reason === null ? '' : html`<p>${reason}</p>`}
    ${areErrorsTold ? '' : problemsOf(errors)}
    <ol class="rules">${shown.map(oneRule)}</ol>
    ${own.length > shown.length ? html`<p class="soft">And ${counted(own.length - shown.length, 'more verdict')}.</p>` : ''}
    ${
      others.length === 0
        ? ''
        : html`<details><summary>${counted(others.length, 'rule')} for other types of events</summary>
      <ul class="list">${others.map(({ rule: id, conditions }) => html`<li><code>${id}</code> <span class="soft">is for ${conditions.map(({ expected }) => (Array.isArray(expected) ? expected.join(', ') : String(expected)))}</span></li>`)}</ul></details>`
    }
  </section>`;
}

function oneRule(trace: RuleTrace): Html {
  const { rule, matched, conditions, item, skipped } = trace;
  const name = html`<code class="name">${rule}</code>${item === undefined ? '' : html` <span class="soft">item ${item}</span>`}`;
  if (skipped !== undefined) {
    return html`<li class="quiet-rule">${badge('idle', 'not asked')} ${name} <span class="soft">${skipped}</span></li>`;
  }
  const failed = conditions.find(({ ok }) => !ok);
  const verdict = matched ? badge('good', 'fits') : badge('idle', 'does not fit');
  const summary = matched
    ? html`<span class="soft">${conditions.length === 0 ? 'it has no condition' : conditions.length === 1 ? 'its condition holds' : `all of its ${conditions.length} conditions hold`}</span>`
    : failed === undefined
      ? html`<span class="soft">its conditions could not be asked</span>`
      : html`<span class="soft"><code>${cut(failed.path, 80)}</code> should be ${cut(expectation(failed.expected), 80)}, is</span> ${seenValue(failed.actual)}`;
  if (conditions.length === 0) return html`<li>${verdict} ${name} ${summary}</li>`;
  return html`<li><details ${matched ? html`open` : ''}><summary>${verdict} ${name} ${summary}</summary>${conditionTable(conditions)}</details></li>`;
}

function conditionTable(conditions: readonly ConditionTrace[]): Html {
  return html`<div class="scroll" tabindex="0" role="group" aria-label="Conditions"><table class="conditions">
    <thead><tr><th scope="col"><span class="unseen">Holds</span></th><th scope="col">Asked</th><th scope="col">Expected</th><th scope="col">Seen</th></tr></thead>
    <tbody>${conditions.map(
      ({ path, expected, actual, ok, parts = [] }) => html`<tr class="${ok ? '' : 'failed'}">
        <td>${ok ? badge('good', 'yes') : badge('bad', 'no')}</td>
        <td><code>${cut(path, 300)}</code>${parts.length === 0 ? '' : html`<ul class="list">${parts.map(({ formula, actual: value }) => html`<li><code class="soft">${cut(formula, 160)}</code> is ${seenValue(value)}</li>`)}</ul>`}</td>
        <td>${cut(expectation(expected), 300)}</td><td>${seenValue(actual)}</td></tr>`,
    )}</tbody></table></div>`;
}

export function planSection({ plan, values, names }: Explanation): Html | '' {
  if (plan.length === 0) return '';
  return html`<section class="card" aria-labelledby="plan"><h2 id="plan">The plan, and where its values came from</h2>
    <ol class="steps">${plan.map((step, index) => {
      const sources = new Map(
        values.filter((value) => value.step === index).map((value) => [value.field, value]),
      );
      return html`<li><h3><code>${step.action}</code>${step.item === undefined ? '' : html` <span class="soft">item ${step.item}</span>`} <span class="soft place">${placeOf(step.location)}</span></h3>
        <div class="scroll" tabindex="0" role="group" aria-label="${`Values of ${step.action}`}"><table><thead><tr><th scope="col">Field</th><th scope="col">Value</th><th scope="col">From</th></tr></thead>
        <tbody>${fieldsOf(step).map(([field, value]) => {
          const source = sources.get(field)?.expression;
          return html`<tr><th scope="row"><code>${field}</code></th><td>${writtenValue(value)}</td><td>${source === undefined ? '' : source.startsWith('=') ? html`<code class="soft">${cut(source, 400)}</code>` : html`<span class="soft">written so in the rule</span>`}</td></tr>`;
        })}</tbody></table></div></li>`;
    })}</ol>
    ${
      names.length === 0
        ? ''
        : html`<details><summary>${counted(names.length, 'name')} that were looked up on the way</summary>
<div class="scroll" tabindex="0" role="group" aria-label="Names"><table><thead><tr><th scope="col">Name</th><th scope="col">Was</th><th scope="col">From</th></tr></thead><tbody>${names.slice(0, RULES_MAX).map(({ name, item, expression, actual }) => html`<tr><th scope="row"><code>${name}</code>${item === undefined ? '' : html` <span class="soft">${item}</span>`}</th><td>${seenValue(actual)}</td><td><code class="soft">${cut(expression, 300)}</code></td></tr>`)}</tbody></table></div></details>`
    }
  </section>`;
}

/** A map is told member by member, since each has a source of its own. */
function fieldsOf({ input, once }: PlannedStep): readonly (readonly [string, JsonValue])[] {
  const fields = Object.entries(input).flatMap(([name, value]) => {
    const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (!isMap || '$ref' in value || '$firstOf' in value) return [[name, value] as const];
    return Object.entries(value).map(([key, member]) => [`${name}.${key}`, member] as const);
  });
  return once === undefined ? fields : [...fields, ['once', once] as const];
}

export function stateSection({ licenses, users, assumed }: Explanation): Html | '' {
  const items = [
    ...itemChanges(licenses).map((item) => ({ ...item, what: 'License' })),
    ...itemChanges(users)
      .filter(({ kind }) => kind !== 'same')
      .map((item) => ({ ...item, what: 'User' })),
  ];
  if (items.length === 0) return '';
  const told =
    assumed.length === 0
      ? ''
      : ` It was given ${counted(assumed.length, 'license')} of the kind that the plan looks for.`;
  return html`<section class="card" aria-labelledby="state"><h2 id="state">Licenses before and after</h2>
    <p class="hint">The plan tried out on a sandbox, so ids are made up.${told} What was really called stands above.</p>
    <div class="items">${items.map(stateCard)}</div></section>`;
}

const KINDS: Readonly<Record<ItemChange['kind'], Html>> = {
  new: badge('good', 'new'),
  gone: badge('bad', 'deleted'),
  changed: badge('warn', 'changed'),
  same: badge('idle', 'stays as it is'),
};

function stateCard({ id, kind, changes, what }: ItemChange & { readonly what: string }): Html {
  const isNew = kind === 'new';
  return html`<div class="item"><h3>${what} ${KINDS[kind]}</h3><p class="mono soft">${id}</p>
    ${
      changes.length === 0
        ? ''
        : html`<table><thead><tr><th scope="col">What</th>${isNew ? '' : html`<th scope="col">Before</th>`}<th scope="col">${isNew ? 'Is' : 'After'}</th></tr></thead><tbody>${changes.map(
            ({ what: member, from, to }) =>
              html`<tr><th scope="row">${member}</th>${isNew ? '' : html`<td class="soft">${cut(from, 200)}</td>`}<td>${cut(to, 200)}</td></tr>`,
          )}</tbody></table>`
    }</div>`;
}
