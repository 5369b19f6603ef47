// Users and licenses before and after, as a table. Takes an Explanation, gives lines: what is new, what is
// gone, each member that is another than before, and what stays as it is.

import type { Explanation } from '../../../authoring/dry-run/explain.ts';
import { itemChanges, NOTHING } from '../../../core/state-diff.ts';
import { type Paint, tableLines } from '../terminal-text.ts';

/** Nothing where there is neither a user nor a license. */
export function stateLines(
  { users, licenses }: Pick<Explanation, 'users' | 'licenses'>,
  paint: Paint,
): readonly string[] {
  const rows = [...rowsOf('license', licenses), ...rowsOf('user', users, { onlyChanges: true })];
  if (rows.length === 0) return [];
  const [head = '', rule = '', ...lines] = tableLines(['of', 'what', 'before', 'after'], rows);
  return [
    paint('dim', head),
    paint('dim', rule),
    ...lines.map((line, index) => paint(colourOf(rows[index]), line)),
  ];
}

type Row = readonly [of: string, what: string, before: string, after: string];

function colourOf(row: Row | undefined): 'green' | 'red' | 'yellow' | 'dim' {
  const [, what = '', before, after] = row ?? [];
  if (what === SAME) return 'dim';
  if (after === DELETED) return 'red';
  return before === NOTHING ? 'green' : 'yellow';
}

const SAME = 'nothing changes';
const DELETED = 'deleted';

function rowsOf(
  kind: 'license' | 'user',
  { before, after }: Explanation['licenses'],
  { onlyChanges = false } = {},
): readonly Row[] {
  return itemChanges({ before, after }).flatMap(({ id, kind: what, changes }) => {
    const name = `${kind} ${id}`;
    if (what === 'gone') return [[name, 'all of it', 'there', DELETED] as const];
    if (changes.length === 0) {
      return onlyChanges ? [] : [[name, SAME, NOTHING, NOTHING] as const];
    }
    return changes.map(
      ({ what: member, from, to }, index) => [index === 0 ? name : '', member, from, to] as const,
    );
  });
}
