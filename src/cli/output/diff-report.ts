// What a comparison found, for a terminal, a pull request or a program. Takes a tally, gives text. Decides nothing.

import type { SettingChange } from '../../authoring/comparison/settings.ts';
import type { Group, TallyData, Unusable } from '../../authoring/comparison/tally.ts';

export interface DiffReport {
  readonly before: string;
  readonly after: string;
  readonly data: TallyData;
  readonly groups: readonly Group[];
  readonly settings: readonly SettingChange[];
  /** How many events are named for each change. */
  readonly limit: number;
}

/** `-38 license.renew`, `matched → ignored`. */
function changeOf({ steps, text }: Group): string {
  if (steps === 0) return text;
  return `${steps > 0 ? '+' : '-'}${counted(Math.abs(steps))} ${text}`;
}

function counted(count: number): string {
  return count.toLocaleString('en-US');
}

function events(count: number): string {
  return `${counted(count)} ${count === 1 ? 'event' : 'events'}`;
}

/** `12,345 events from 2026-08-23 to 2026-11-21: 445 are handled otherwise.` */
function headOf({ data }: DiffReport): string {
  const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
  const [first, last] = [day(data.firstMs), day(data.lastMs)];
  const when = first === last ? `of ${first}` : `from ${first} to ${last}`;
  const verb = data.different === 1 ? 'is' : 'are';
  const result =
    data.different === 0
      ? 'all are handled alike'
      : `${counted(data.different)} ${verb} handled otherwise`;
  return `${events(data.compared)} ${when}: ${result}.`;
}

const REASONS = [
  'erased',
  'too large',
  'unreadable',
] as const satisfies readonly Unusable['reason'][];
const UNUSABLE_SHOWN = 3;

/** `120 were not compared: erased.`; where it can be mended, which ones. */
function unusableLines({ data }: DiffReport): readonly string[] {
  return REASONS.flatMap((reason) => {
    const found = data.unusable.filter((each) => each.reason === reason);
    const head = `${events(found.length)} not compared, ${reason === 'erased' ? 'the payload was erased' : reason}`;
    if (found.length === 0) return [];
    if (reason === 'erased') return [`${head}.`];
    const shown = found.slice(0, UNUSABLE_SHOWN).map(({ where, detail }) => `${where} (${detail})`);
    const more = found.length > UNUSABLE_SHOWN ? `, and ${found.length - UNUSABLE_SHOWN} more` : '';
    return [`${head}: ${shown.join(', ')}${more}.`];
  });
}

function verdictOf({ groups, settings }: DiffReport): string | undefined {
  const marked = [...groups, ...settings].filter(({ danger }) => danger !== undefined).length;
  if (marked === 0) return undefined;
  return `${marked} ${marked === 1 ? 'change' : 'changes'} marked "!": customers or sales may lose something.`;
}

function named(ids: readonly string[], limit: number): string {
  const shown = ids.slice(0, limit).join(', ');
  return ids.length > limit && limit > 0 ? `${shown}, …` : shown;
}

export function diffText(report: DiffReport, colour: boolean): string {
  const { groups, settings, limit } = report;
  const red = (text: string): string => (colour ? `\u001b[31m${text}\u001b[0m` : text);
  const mark = (danger: string | undefined): string => (danger === undefined ? ' ' : red('!'));
  const lines = [`${report.before} → ${report.after}`, headOf(report), ...unusableLines(report)];
  for (const { source, text, danger } of settings) {
    lines.push('', `${source}, settings`, `  ${mark(danger)} ${text}`);
    if (danger !== undefined) lines.push(`      ${danger}`);
  }
  const width = Math.max(0, ...groups.map((group) => changeOf(group).length));
  for (const [title, members] of byRule(groups)) {
    lines.push('', title);
    for (const group of members) {
      const count = events(group.events).padStart(12);
      const ids = named(group.eventIds, limit);
      lines.push(
        `  ${mark(group.danger)} ${changeOf(group).padEnd(width)} ${count}  ${ids}`.trimEnd(),
      );
      if (group.danger !== undefined) lines.push(`      ${group.danger}`);
    }
  }
  const verdict = verdictOf(report);
  return `${[...lines, ...(verdict === undefined ? [] : ['', verdict])].join('\n')}\n`;
}

function byRule(groups: readonly Group[]): ReadonlyMap<string, readonly Group[]> {
  const rules = new Map<string, Group[]>();
  for (const group of groups) {
    const title = `${group.source} ${group.rule}`;
    rules.set(title, [...(rules.get(title) ?? []), group]);
  }
  return rules;
}

export function diffMarkdown(report: DiffReport): string {
  const { groups, settings, limit } = report;
  const lines = [
    `### Rules: ${code(report.before)} → ${code(report.after)}`,
    '',
    [headOf(report), ...unusableLines(report).map(escaped)].join('\n'),
  ];
  if (groups.length + settings.length > 0) {
    lines.push('', '| | rule | change | events | for example |', '|---|---|---|--:|---|');
  }
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const change = (text: string, danger: string | undefined): string =>
    escaped(danger === undefined ? text : `${text}: ${danger}`);
  for (const { source, text, danger } of settings) {
    lines.push(
      row([danger ? '❗' : '', `${code(source)}, settings`, change(text, danger), '', '']),
    );
  }
  for (const group of groups) {
    lines.push(
      row([
        group.danger === undefined ? '' : '❗',
        code(`${group.source} ${group.rule}`),
        change(changeOf(group), group.danger),
        counted(group.events),
        group.eventIds.slice(0, limit).map(code).join(' '),
      ]),
    );
  }
  const verdict = verdictOf(report)?.replace('"!"', '❗');
  return `${[...lines, ...(verdict === undefined ? [] : ['', verdict])].join('\n')}\n`;
}

/** Text that Markdown shows as it is, also inside a table. */
function escaped(text: string): string {
  return text.replaceAll(/[\\`*_|<>[\]]/g, (sign) => `\\${sign}`);
}

function code(text: string): string {
  return `\`${text.replaceAll('`', "'").replaceAll('|', '\\|')}\``;
}

export function diffJson({ before, after, data, groups, settings }: DiffReport): string {
  const ofReason = (reason: Unusable['reason']): number =>
    data.unusable.filter((each) => each.reason === reason).length;
  const shown = {
    ...{ before, after },
    events: {
      compared: data.compared,
      different: data.different,
      first: new Date(data.firstMs).toISOString(),
      last: new Date(data.lastMs).toISOString(),
      erased: ofReason('erased'),
      tooLarge: ofReason('too large'),
      unreadable: ofReason('unreadable'),
    },
    unusable: data.unusable.filter(({ reason }) => reason !== 'erased'),
    settings: settings.map(({ danger, ...setting }) => ({ ...setting, danger: danger ?? null })),
    changes: groups.map(({ source, rule, kind, text, steps, danger, events: count, eventIds }) => ({
      ...{ source, rule, kind, text, steps },
      danger: danger ?? null,
      events: count,
      eventIds,
    })),
  };
  return `${JSON.stringify(shown, null, 2)}\n`;
}
