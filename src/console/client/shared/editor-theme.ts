// How the editor looks: the console's variables, so that light and dark come by themselves. No image of the
// editor's own is used: the Content-Security-Policy lets in none that stands in a style.

import { EditorView } from '@codemirror/view';

const MARK = (tone: string) => ({
  backgroundImage: 'none',
  textDecoration: `underline wavy var(--${tone})`,
  textDecorationSkipInk: 'none',
  textUnderlineOffset: '3px',
});
const DOT = (tone: string) => ({
  content: 'none',
  width: '0.55em',
  height: '0.55em',
  margin: '0.5em auto 0',
  borderRadius: '50%',
  background: `var(--${tone})`,
});

export const editorTheme = EditorView.theme({
  '&': {
    color: 'var(--text)',
    backgroundColor: 'var(--surface)',
    fontSize: '13.5px',
    height: '100%',
  },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.6', fontVariantLigatures: 'none' },
  '.cm-content': { caretColor: 'var(--text)', padding: '0.5rem 0' },
  '.cm-cursor': { borderLeftColor: 'var(--text)', borderLeftWidth: '2px' },
  '.cm-gutters': {
    backgroundColor: 'var(--surface)',
    color: 'var(--text-soft)',
    border: 'none',
    paddingLeft: '0.25rem',
  },
  '.cm-activeLine': { backgroundColor: 'var(--code-line)' },
  '.cm-activeLineGutter': { backgroundColor: 'var(--code-line)', color: 'var(--text)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground':
    {
      backgroundColor: 'var(--code-selection)',
    },
  '.cm-matchingBracket, &.cm-focused .cm-matchingBracket': {
    backgroundColor: 'var(--code-selection)',
    outline: '1px solid var(--line-strong)',
  },
  '.cm-lintRange-error': MARK('bad'),
  '.cm-lintRange-warning': MARK('warn'),
  '.cm-lintRange-active': { backgroundColor: 'var(--code-selection)' },
  '.cm-lint-marker': { width: '0.55em', height: '1.6em' },
  '.cm-lint-marker-error': DOT('bad'),
  '.cm-lint-marker-warning': DOT('warn'),
  '.cm-lintPoint:after': { borderBottomColor: 'var(--bad)' },
  '.cm-tooltip': {
    backgroundColor: 'var(--raised)',
    color: 'var(--text)',
    border: '1px solid var(--line-strong)',
    borderRadius: '8px',
    boxShadow: '0 6px 24px rgb(0 0 0 / 18%)',
    overflow: 'hidden',
    maxWidth: 'min(34rem, 90vw)',
  },
  '.cm-diagnostic': {
    padding: '0.5rem 0.75rem',
    margin: '0',
    whiteSpace: 'pre-wrap',
    fontFamily: 'var(--font)',
    fontSize: '13.5px',
  },
  '.cm-diagnostic-error': { borderLeft: '4px solid var(--bad)' },
  '.cm-diagnostic-warning': { borderLeft: '4px solid var(--warn)' },
  '.cm-diagnosticSource': {
    fontSize: '12px',
    opacity: '1',
    color: 'var(--text-soft)',
    fontFamily: 'var(--mono)',
  },
  '.cm-tooltip-autocomplete > ul': {
    fontFamily: 'var(--mono)',
    fontSize: '13px',
    maxHeight: '16rem',
  },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li': {
    padding: '0.2rem 0.7rem',
    display: 'flex',
    gap: '1rem',
    justifyContent: 'space-between',
  },
  '.cm-tooltip-autocomplete ul li[aria-selected]': {
    background: 'var(--accent)',
    color: 'var(--accent-text)',
  },
  '.cm-tooltip-autocomplete ul li[aria-selected] .cm-completionDetail': {
    color: 'var(--accent-text)',
  },
  '.cm-completionMatchedText': { textDecoration: 'none', fontWeight: '700' },
  '.cm-completionDetail': {
    fontStyle: 'normal',
    color: 'var(--text-soft)',
    fontFamily: 'var(--font)',
    marginLeft: 'auto',
    maxWidth: '14rem',
    overflow: 'hidden',
    textOverflow: 'ellipsis',
  },
  '.cm-tooltip.cm-completionInfo': {
    padding: '0.6rem 0.8rem',
    fontFamily: 'var(--font)',
    fontSize: '13.5px',
    maxWidth: '22rem',
    whiteSpace: 'pre-wrap',
  },
  '.kw-help': {
    padding: '0.6rem 0.8rem',
    fontFamily: 'var(--font)',
    fontSize: '13.5px',
    lineHeight: '1.45',
  },
  '.kw-help p': { margin: '0 0 0.3rem', whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' },
  '.kw-help strong': { fontFamily: 'var(--mono)' },
  '.kw-help span': { color: 'var(--text-soft)' },
  '.kw-help .example': {
    fontFamily: 'var(--mono)',
    fontSize: '12.5px',
    margin: '0.25rem 0 0',
    padding: '0.25rem 0.5rem',
    background: 'var(--sunken)',
    borderRadius: '4px',
  },
  '.cm-panels': { backgroundColor: 'var(--sunken)', color: 'var(--text)' },
});
