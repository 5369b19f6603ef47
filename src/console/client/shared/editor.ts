// An editor in the place of a text area: CodeMirror. Takes the text area and what is known, gives a handle on the
// text. It lives in a shadow root, since there its styles are constructed style sheets, which the console's
// Content-Security-Policy allows; colours come from variables, which reach in. The text area keeps the text, so
// that a form without this script holds the same.

import {
  autocompletion,
  type CompletionContext,
  type CompletionResult,
  completionKeymap,
  startCompletion,
} from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { json } from '@codemirror/lang-json';
import { yaml } from '@codemirror/lang-yaml';
import {
  bracketMatching,
  HighlightStyle,
  indentUnit,
  syntaxHighlighting,
} from '@codemirror/language';
import { type Diagnostic, lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint';
import { EditorState, type Extension, StateEffect, StateField, type Text } from '@codemirror/state';
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  hoverTooltip,
  type KeyBinding,
  keymap,
  lineNumbers,
  showTooltip,
  type Tooltip,
} from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { editorTheme } from './editor-theme.ts';
import type { EventKnowledge } from './event-shapes.ts';
import { type Help, helpAt } from './help.ts';
import { offersAt } from './offers.ts';

export interface Finding {
  readonly line: number;
  readonly column: number;
  readonly length: number;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly hint?: string | undefined;
  readonly code: string;
}

export interface Editor {
  text(): string;
  setText(text: string): void;
  showFindings(findings: readonly Finding[]): void;
  /** Both from 1. */
  goTo(line: number, column: number): void;
}

interface EditorOptions {
  readonly language: 'yaml' | 'json';
  readonly label: string;
  readonly onChange: () => void;
  /** What is known for completions and help; asked for each time. */
  readonly knowledge?: () => EventKnowledge;
}

const HIGHLIGHT = HighlightStyle.define([
  { tag: [tags.definition(tags.propertyName), tags.propertyName], color: 'var(--code-name)' },
  { tag: [tags.string, tags.content, tags.special(tags.string)], color: 'var(--code-text)' },
  { tag: [tags.number, tags.bool, tags.null, tags.keyword], color: 'var(--code-value)' },
  { tag: [tags.comment, tags.lineComment], color: 'var(--code-comment)' },
  {
    tag: [tags.punctuation, tags.separator, tags.squareBracket, tags.brace],
    color: 'var(--code-mark)',
  },
]);

export function makeEditor(area: HTMLTextAreaElement, options: EditorOptions): Editor {
  const host = document.createElement('div');
  host.className = `editor ${options.language}`;
  area.after(host);
  area.hidden = true;
  const root = host.attachShadow({ mode: 'open' });
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({ doc: area.value, extensions: extensionsOf(area, options) }),
  });
  return {
    text: () => view.state.doc.toString(),
    setText: (text) => {
      view.dispatch({
        changes: { from: 0, to: view.state.doc.length, insert: text },
        selection: { anchor: 0 },
        scrollIntoView: true,
      });
    },
    showFindings: (findings) => {
      const { doc } = view.state;
      view.dispatch(
        setDiagnostics(
          view.state,
          findings.map((finding) => diagnosticOf(doc, finding)),
        ),
      );
    },
    goTo: (line, column) => {
      const at = offsetOf(view.state.doc, line, column);
      view.dispatch({
        selection: { anchor: at },
        effects: EditorView.scrollIntoView(at, { y: 'center' }),
      });
      view.focus();
    },
  };
}

function extensionsOf(
  area: HTMLTextAreaElement,
  { language, label, onChange, knowledge }: EditorOptions,
): Extension[] {
  const isRules = language === 'yaml';
  const help = knowledge === undefined ? [] : helpExtensions(knowledge);
  const tab: readonly KeyBinding[] = isRules ? [indentWithTab] : [];
  return [
    lineNumbers(),
    highlightActiveLine(),
    highlightActiveLineGutter(),
    history(),
    drawSelection(),
    bracketMatching(),
    indentUnit.of('  '),
    EditorState.tabSize.of(2),
    isRules ? yaml() : json(),
    isRules ? [lintGutter()] : [],
    syntaxHighlighting(HIGHLIGHT),
    editorTheme,
    help,
    keymap.of([...completionKeymap, ...lintKeymap, ...historyKeymap, ...defaultKeymap, ...tab]),
    EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0', spellcheck: 'false' }),
    typingOverLines,
    EditorView.updateListener.of((update) => {
      if (!update.docChanged) return;
      area.value = update.state.doc.toString();
      onChange();
    }),
  ];
}

/**
 * Typing over several lines is done here. Left to the browser, it would merge the lines with styles of its own,
 * which the Content-Security-Policy refuses and reports.
 */
const typingOverLines = EditorView.domEventHandlers({
  beforeinput: (typed, view) => {
    const { doc, selection } = view.state;
    const { from, to } = selection.main;
    const isOverLines = doc.lineAt(from).number !== doc.lineAt(to).number;
    if (typed.inputType !== 'insertText' || typed.data === null || !isOverLines) return false;
    view.dispatch(view.state.replaceSelection(typed.data), { userEvent: 'input.type' });
    return true;
  },
});

function offsetOf(doc: Text, line: number, column: number): number {
  const { from, to } = doc.line(Math.min(Math.max(line, 1), doc.lines));
  return Math.min(from + Math.max(column - 1, 0), to);
}

function diagnosticOf(
  doc: Text,
  { line, column, length, severity, message, hint, code }: Finding,
): Diagnostic {
  const from = offsetOf(doc, line, column);
  const to = Math.min(from + length, doc.line(Math.min(line, doc.lines)).to);
  const shown = hint === undefined ? message : `${message}\n${hint}`;
  return { from, to: Math.max(from, to), severity, message: shown, source: code };
}

// ---- Completion and help --------------------------------------------------------------------

const TYPES = {
  property: 'property',
  value: 'constant',
  path: 'variable',
  function: 'function',
  variable: 'variable',
} as const;

function helpExtensions(knowledge: () => EventKnowledge): Extension[] {
  const helpFor = (state: EditorState, position: number): Tooltip | null => {
    const line = state.doc.lineAt(position);
    const found = helpAt(linesOf(state.doc), line.number - 1, position - line.from, knowledge());
    if (found === undefined) return null;
    const { from, to } = found;
    return {
      pos: line.from + from,
      end: line.from + to,
      above: true,
      create: () => ({ dom: helpElement(found) }),
    };
  };
  return [
    autocompletion({
      override: [(context) => complete(context, knowledge)],
      icons: false,
      activateOnTyping: true,
      tooltipClass: () => 'kw-offers',
    }),
    hoverTooltip((view, position) => helpFor(view.state, position), { hoverTime: 250 }),
    askedHelp,
    keymap.of([
      {
        key: 'F1',
        run: (view) => {
          view.dispatch({
            effects: askHelp.of(helpFor(view.state, view.state.selection.main.head)),
          });
          return true;
        },
      },
      // After a name that opens a map, what fits into it is offered at once.
      { key: 'Alt-/', run: startCompletion },
    ]),
  ];
}

const askHelp = StateEffect.define<Tooltip | null>();
/** Help that was asked for by the keyboard stays until something else happens. */
const askedHelp = StateField.define<Tooltip | null>({
  create: () => null,
  update: (shown, transaction) => {
    for (const effect of transaction.effects) if (effect.is(askHelp)) return effect.value;
    return transaction.docChanged || transaction.selection !== undefined ? null : shown;
  },
  provide: (field) => showTooltip.from(field),
});

function linesOf(doc: Text): readonly string[] {
  return doc.toString().split('\n');
}

function complete(
  context: CompletionContext,
  knowledge: () => EventKnowledge,
): CompletionResult | null {
  const { state, pos, explicit } = context;
  const line = state.doc.lineAt(pos);
  const found = offersAt(linesOf(state.doc), line.number - 1, pos - line.from, knowledge());
  if (found === undefined) return null;
  const isAtDot = state.sliceDoc(pos - 1, pos) === '.';
  if (!explicit && found.replaces === 0 && !isAtDot) return null;
  return {
    from: pos - found.replaces,
    options: found.offers.map(({ label, apply, detail, info, kind }) => ({
      label,
      type: TYPES[kind],
      ...(apply === undefined ? {} : { apply }),
      ...(detail === undefined ? {} : { detail }),
      ...(info === undefined || info === '' ? {} : { info }),
    })),
    validFor:
      /^[$\w.-]*$/.test(state.sliceDoc(pos - found.replaces, pos)) && !isAtDot
        ? /^[$\w-]*$/
        : () => false,
  };
}

function helpElement({ title, kind, text, examples }: Help): HTMLElement {
  const dom = document.createElement('div');
  dom.className = 'kw-help';
  dom.setAttribute('role', 'tooltip');
  const head = document.createElement('p');
  const name = document.createElement('strong');
  name.textContent = title;
  const type = document.createElement('span');
  type.textContent = kind;
  head.append(name, ' ', type);
  dom.append(head, ...text.split('\n').map((line) => paragraph(line, '')));
  dom.append(...examples.map((example) => paragraph(example, 'example')));
  return dom;
}

function paragraph(text: string, className: string): HTMLElement {
  const element = document.createElement('p');
  element.textContent = text;
  element.className = className;
  return element;
}
