// Rules in the documentation, checked with the real loader. A fence ```yaml holds a whole rule file; with
// a label (`rules`, `steps`, `when`, `let`, `header`) it is a fragment and is put into a file around it.
// What a page shows to be refused ends in `# ✗ CODE`; everything else must be without a finding.

import { ACTIONS } from '../../src/actions/definitions.ts';
import { createInspection, loadKnownShapes } from '../../src/engine/lint/inspect.ts';
import { loadRuleFile } from '../../src/engine/load/load.ts';
import { withShipped } from '../../src/sources/shipped-rules.ts';
import type { Fence } from './markdown.ts';

const inspection = createInspection(await loadKnownShapes(), ACTIONS);

interface Wrapping {
  readonly before: string;
  readonly after: string;
  readonly indent: number;
}

const SUBJECT = 'provider: PROVIDER\nsubject: =data.id\n';
const ANY_RULE = 'rules:\n  - id: any-rule\n    on: any.type\n    ignore: Nothing to do.\n';

const WRAPPINGS: Readonly<Record<string, Wrapping>> = {
  '': { before: '', after: '', indent: 0 },
  header: { before: SUBJECT, after: ANY_RULE, indent: 0 },
  let: { before: `${SUBJECT}let:\n`, after: ANY_RULE, indent: 2 },
  rules: { before: `${SUBJECT}rules:\n`, after: '', indent: 2 },
  steps: {
    before: `${SUBJECT}rules:\n  - id: any-rule\n    on: any.type\n    once: =data.id\n    do:\n`,
    after: '',
    indent: 6,
  },
  when: {
    before: `${SUBJECT}rules:\n  - id: any-rule\n    on: any.type\n    when:\n`,
    after: '    ignore: Nothing to do.\n',
    indent: 6,
  },
};

/** A label is a fragment's kind, and the provider where it matters: `rules stripe`. */
export function isRuleFence({ language, label }: Fence): boolean {
  return language === 'yaml' && !label.includes('/') && label !== 'data';
}

/** `line CODE` of each finding, lines counted in the fence from 1. */
export function findingsOf(
  { text, label }: Fence,
  readBeside: (name: string) => string | undefined,
): readonly string[] {
  const [kind = '', named] = label.split(' ');
  const wrapping = WRAPPINGS[kind];
  if (wrapping === undefined) throw new Error(`no fragment is called "${kind}"`);
  const written = /^(?:provider|extends): (\w+)$/m.exec(text)?.[1];
  const provider = written ?? named ?? 'fastspring';
  const before = wrapping.before.replace('PROVIDER', provider);
  const body = text.replaceAll(/^(?=.)/gm, ' '.repeat(wrapping.indent));
  const { diagnostics } = loadRuleFile(
    // Named like its provider, so that the secret's name goes without saying.
    {
      file: `${provider}.yaml`,
      text: before + body + wrapping.after,
      readBeside: withShipped(readBeside),
    },
    ACTIONS,
    // A whole file is one that a reader takes as it is; a fragment speaks of no event in particular.
    kind === '' ? { inspect: inspection } : {},
  );
  const firstLine = before.split('\n').length - 1;
  return diagnostics.map(({ location, code }) => `${location.line - firstLine} ${code}`);
}

/** What the fence itself says is refused. */
export function shownFindings({ text }: Fence): readonly string[] {
  return text.split('\n').flatMap((line, index) => {
    const codes = /# ✗ ([A-Z_, ]+)$/.exec(line)?.[1];
    return codes === undefined ? [] : codes.split(', ').map((code) => `${index + 1} ${code}`);
  });
}
