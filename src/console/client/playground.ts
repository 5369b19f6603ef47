// The page of the playground while somebody types. Takes the form that the server made, makes editors of its text
// areas, and shows what the rules make of the event shortly after each change. An answer that comes late never
// takes the place of a newer one; when there is none, what was typed stays, and it goes on by itself.

import type { Provider } from '../../core/providers.ts';
import { type Editor, type Finding, makeEditor } from './shared/editor.ts';
import { type EventKnowledge, eventKnowledge } from './shared/event-shapes.ts';
import { signInAgain } from './shared/post.ts';
import { type Sending, send } from './shared/typing-post.ts';

const DEBOUNCE_MS = 250;
const AGAIN_MS = 1_000;
const AGAIN_MS_MAX = 10_000;

const form = need<HTMLFormElement>('[data-playground]');
const { source = '', provider = '', hash = '' } = form.dataset;
const rulesArea = need<HTMLTextAreaElement>('[data-editor="rules"]');
const eventArea = need<HTMLTextAreaElement>('[data-editor="event"]');
const choice = need<HTMLFormElement>('[data-choice]');
const eventSelect = need<HTMLSelectElement>('[data-choice] select[name="event"]');
const result = need('[data-result]');
const notice = need('[data-notice]');
const state = need('[data-state]');
const findingsChip = need('[data-findings]');
const problems = need('[data-problems]');
const reset = need<HTMLButtonElement>('[data-reset]');
const compareResult = need('[data-compare-result]');
const compareRun = need<HTMLButtonElement>('[data-compare-run]');

const runningText = rulesArea.value;
const draftName = `keywright-draft ${source}`;

let newest = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
let pauseMs = AGAIN_MS;
let knowledge: EventKnowledge | undefined;

function need<Found extends HTMLElement = HTMLElement>(selector: string): Found {
  const found = document.querySelector<Found>(selector);
  if (found === null) throw new Error(`${selector} is missing`);
  return found;
}

for (const element of document.querySelectorAll<HTMLElement>('[data-without-script]'))
  element.hidden = true;
need('[data-compare]').hidden = false;
need('[data-to-compare]').hidden = false;

const draft = readDraft();
if (draft !== undefined) rulesArea.value = draft;
const rules: Editor = makeEditor(rulesArea, {
  language: 'yaml',
  label: `Rules of ${source}`,
  onChange: changed,
  knowledge: () => {
    knowledge ??= eventKnowledge(provider as Provider, event.text());
    return knowledge;
  },
});
const event: Editor = makeEditor(eventArea, {
  language: 'json',
  label: 'Event, as JSON',
  onChange: () => {
    knowledge = undefined;
    changed();
  },
});
showReset();
void tryNow();

function changed(): void {
  keepDraft();
  showReset();
  compareResult.classList.add('stale');
  later(DEBOUNCE_MS);
}

function later(milliseconds: number): void {
  clearTimeout(timer);
  timer = setTimeout(() => void tryNow(), milliseconds);
}

// ---- Trying ---------------------------------------------------------------------------------

async function tryNow(): Promise<void> {
  clearTimeout(timer);
  newest += 1;
  const number = newest;
  state.textContent = 'trying…';
  const body = { source, rules: rules.text(), event: event.text() };
  const sending = await send('/console/playground', body);
  if (number !== newest) return;
  if (sending.kind === 'answered') showAnswer(sending.answer);
  else showTrouble(sending);
}

function showAnswer(answer: Record<string, unknown>): void {
  notice.replaceChildren();
  if (answer['kind'] === 'superseded' || answer['kind'] === 'busy') {
    later(AGAIN_MS);
    return;
  }
  pauseMs = AGAIN_MS;
  const findings = answer['findings'] as readonly (Finding & { file: string })[];
  const own = findings.filter(({ file }) => file === `${source}.yaml`);
  rules.showFindings(own);
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const warnings = findings.length - errors;
  showCount(errors, warnings);
  const isFine = answer['kind'] === 'tried';
  state.textContent = isFine && errors === 0 ? 'up to date' : 'waits for a mend';
  state.className = `badge ${isFine && errors === 0 ? 'good' : 'warn'}`;
  showResult(String(answer['html']), errors > 0 || !isFine);
}

function showCount(errors: number, warnings: number): void {
  const words = [
    errors === 0 ? '' : `${errors} ${errors === 1 ? 'error' : 'errors'}`,
    warnings === 0 ? '' : `${warnings} ${warnings === 1 ? 'warning' : 'warnings'}`,
  ].filter((part) => part !== '');
  findingsChip.textContent = words.length === 0 ? 'no findings' : words.join(', ');
  findingsChip.className = `badge ${errors > 0 ? 'bad' : warnings > 0 ? 'warn' : 'good'}`;
}

/** @param keepsOld whether the result of the last version that could be read stays below */
function showResult(html: string, keepsOld: boolean): void {
  const parsed = new DOMParser().parseFromString(html, 'text/html').body;
  const list = parsed.querySelector('[data-finding-list]');
  problems.replaceChildren(...(list === null ? [] : [list]));
  const open = new Map(
    [...result.querySelectorAll<HTMLDetailsElement>('details[data-part]')].map((part) => [
      part.dataset['part'],
      part.open,
    ]),
  );
  for (const part of parsed.querySelectorAll<HTMLDetailsElement>('details[data-part]')) {
    part.open = open.get(part.dataset['part']) ?? part.open;
  }
  const old = keepsOld ? [...result.querySelectorAll('article')] : [];
  for (const article of old) article.classList.add('stale');
  const note = document.createElement('p');
  note.className = 'hint';
  note.textContent = 'Below: what the last version that could be read made of the event.';
  result.replaceChildren(...parsed.childNodes, ...(old.length > 0 ? [note] : []), ...old);
}

function showTrouble(trouble: Exclude<Sending, { kind: 'answered' }>): void {
  state.textContent = 'not up to date';
  state.className = 'badge warn';
  switch (trouble.kind) {
    case 'signed-out':
      showNotice(
        'Your session has ended. What you typed is kept; sign in again, here or in another tab, and it goes on.',
        [
          'Sign in again',
          () => void signInAgain().then((isDone) => (isDone ? tryNow() : undefined)),
        ],
      );
      return;
    case 'unreachable':
      showNotice(
        'The server does not answer. What you typed is kept; it is tried again by itself.',
      );
      later(pauseMs);
      pauseMs = Math.min(pauseMs * 1.5, AGAIN_MS_MAX);
      return;
    case 'refused':
      showNotice(
        trouble.status === 413
          ? 'This is larger than 5 MiB, so the server does not take it. What you typed is kept.'
          : `The server refused this (${trouble.status}). What you typed is kept.`,
        ['Try again', () => void tryNow()],
      );
      return;
    default:
      trouble satisfies never;
  }
}

function showNotice(text: string, action?: readonly [name: string, run: () => void]): void {
  const message = document.createElement('div');
  message.className = 'message warn';
  message.setAttribute('role', 'alert');
  const words = document.createElement('p');
  words.textContent = text;
  message.append(words);
  if (action !== undefined) {
    const button = document.createElement('button');
    Object.assign(button, { type: 'button', textContent: action[0] });
    button.addEventListener('click', action[1]);
    message.append(button);
  }
  notice.replaceChildren(message);
}

// ---- Drafts ---------------------------------------------------------------------------------

/** Of this tab only, and only as long as the rules that it began from still run. */
function readDraft(): string | undefined {
  try {
    const kept = JSON.parse(sessionStorage.getItem(draftName) ?? 'null') as {
      hash: string;
      text: string;
    } | null;
    return kept?.hash === hash ? kept.text : undefined;
  } catch {
    return undefined;
  }
}

function keepDraft(): void {
  try {
    sessionStorage.setItem(draftName, JSON.stringify({ hash, text: rules.text() }));
  } catch {
    // Without room for it the text is in the page all the same.
  }
}

function showReset(): void {
  reset.hidden = rules.text() === runningText;
}

// ---- What can be pressed --------------------------------------------------------------------

form.addEventListener('submit', (submitted) => {
  submitted.preventDefault();
  void tryNow();
});
reset.addEventListener('click', () => rules.setText(runningText));
choice.querySelector('select[name="source"]')?.addEventListener('change', () => {
  eventSelect.disabled = true;
  choice.submit();
});
choice.addEventListener('submit', (submitted) => submitted.preventDefault());
eventSelect.addEventListener('change', () => void loadEvent());
document.addEventListener('click', ({ target }) => {
  const button = (target as Element).closest<HTMLElement>('[data-line]');
  if (button !== null) rules.goTo(Number(button.dataset['line']), Number(button.dataset['column']));
});
addEventListener('focus', () => {
  // Perhaps signed in again in another tab.
  if (notice.firstChild !== null) void tryNow();
});

async function loadEvent(): Promise<void> {
  if (eventSelect.value === '') return;
  const query = new URLSearchParams({ source, event: eventSelect.value });
  try {
    const response = await fetch(`/console/playground/event?${query}`);
    if (response.status === 401) return showTrouble({ kind: 'signed-out' });
    if (!response.ok)
      return showNotice(
        'This event is not there any more: it was erased, or the server has forgotten it.',
      );
    event.setText(((await response.json()) as { text: string }).text);
  } catch {
    showTrouble({ kind: 'unreachable' });
  }
  return undefined;
}

compareRun.addEventListener('click', () => void compareNow());

async function compareNow(): Promise<void> {
  compareRun.disabled = true;
  compareRun.textContent = 'Comparing…';
  const text = rules.text();
  const events = Number(need<HTMLSelectElement>('[data-compare-events]').value);
  const sending = await send('/console/playground/compare', {
    source,
    rules: text,
    event: '',
    events,
  });
  compareRun.disabled = false;
  compareRun.textContent = 'Show as diff';
  if (sending.kind !== 'answered') return showTrouble(sending);
  const parsed = new DOMParser().parseFromString(String(sending.answer['html']), 'text/html').body;
  compareResult.replaceChildren(...parsed.childNodes);
  compareResult.classList.toggle('stale', rules.text() !== text);
  return undefined;
}
