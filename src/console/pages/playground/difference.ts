// A draft of rules against those that run, as HTML; and why there is no answer. Takes what the workbench gives,
// gives a part of the page. Decides nothing.

import { html } from 'hono/html';
import {
  COMPARE_MS_MAX,
  type Compared,
  type NotAnswered,
  TRY_MS_MAX,
} from '../../../authoring/playground/playground.ts';
import type { AppErrorCode } from '../../../core/error-codes.ts';
import { counted } from '../../../core/format.ts';
import type { Html } from '../../layout.ts';

const REFUSALS: Readonly<Record<NotAnswered['kind'], string>> = {
  'too-slow': `This took longer than ${TRY_MS_MAX / 1000} seconds and was stopped. These rules are too large, or a formula in them is too costly for this event.`,
  'too-large':
    'This needed too much memory and was stopped. A formula in these rules makes far too large a value.',
  superseded: 'There is a newer version of it.',
  busy: 'Too many people try rules right now. It is tried again in a moment.',
  unavailable: 'Rules are tried in a process of their own, and this host does not start one.',
  unreadable:
    'These rules cannot be read yet, so there is nothing to compare. Mend the errors first.',
};

const CODES: Readonly<Partial<Record<NotAnswered['kind'], AppErrorCode>>> = {
  'too-slow': 'DRAFT_TOO_SLOW',
  'too-large': 'DRAFT_TOO_LARGE',
  unavailable: 'DRAFT_UNAVAILABLE',
};

export function refusalPart({ kind, reason }: NotAnswered): Html {
  const code = CODES[kind];
  const details = [reason, code === undefined ? undefined : `[${code}]`].filter(Boolean);
  return messagePart([REFUSALS[kind], ...details].join(' '));
}

export function messagePart(text: string): Html {
  return html`<p class="message bad" role="alert">${text}</p>`;
}

export function comparisonPart({ groups, settings, counts, erased, isPart }: Compared): Html {
  const marked = [...groups, ...settings].filter(({ danger }) => danger !== undefined).length;
  return html`<p class="pg-sum"><strong>${headOf(counts)}</strong>
      ${isPart ? `These are the newest; the time of ${COMPARE_MS_MAX / 1000} seconds was over before all were compared.` : ''}
      ${erased > 0 ? `${counted(erased, 'event')} could not be compared: the payload was erased.` : ''}</p>
    ${marked > 0 ? html`<p class="message warn">${counted(marked, 'change')} marked <span aria-hidden="true">!</span>: customers or sales may lose something.</p>` : ''}
    ${groups.length + settings.length === 0 ? '' : tableOf({ groups, settings })}`;
}

function headOf({ compared, different, firstMs, lastMs }: Compared['counts']): string {
  if (compared === 0) return 'No recorded event of this source to compare.';
  const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
  const [first, last] = [day(firstMs), day(lastMs)];
  const when = first === last ? `of ${first}` : `from ${first} to ${last}`;
  const result =
    different === 0
      ? 'all are handled alike'
      : `${different.toLocaleString('en-US')} ${different === 1 ? 'is' : 'are'} handled otherwise`;
  return `${compared.toLocaleString('en-US')} ${compared === 1 ? 'event' : 'events'} ${when}: ${result}.`;
}

function tableOf({ groups, settings }: Pick<Compared, 'groups' | 'settings'>): Html {
  return html`<div class="pg-scroll" tabindex="0" role="region" aria-label="Differences"><table>
    <thead><tr><th scope="col">Rule</th><th scope="col">Change</th><th scope="col" class="number">Events</th><th scope="col">For example</th></tr></thead>
    <tbody>
    ${settings.map(({ text, danger }) => html`<tr class="${danger === undefined ? '' : 'danger'}"><th scope="row">settings</th><td>${change(text, danger)}</td><td class="number">all</td><td></td></tr>`)}
    ${groups.map(
      ({
        rule,
        text,
        steps,
        danger,
        events,
        eventIds,
      }) => html`<tr class="${danger === undefined ? '' : 'danger'}">
      <th scope="row"><code>${rule}</code></th><td>${change(steps === 0 ? text : `${steps > 0 ? '+' : '−'}${Math.abs(steps)} ${text}`, danger)}</td>
      <td class="number">${events.toLocaleString('en-US')}</td><td>${eventIds.slice(0, 3).map((id) => html`<code>${id}</code> `)}</td></tr>`,
    )}
    </tbody></table></div>`;
}

function change(text: string, danger: string | undefined): Html {
  return html`${danger === undefined ? '' : html`<span class="badge bad">!</span> `}${text}${danger === undefined ? '' : html`<br><span class="hint">${danger}</span>`}`;
}
