// What is sold: from the rule file's `catalog`, or from a file beside it (YAML or CSV), to a lookup.
// Takes texts, reports findings at their place. Never reads a file itself.

import type { FieldType, JsonObject, JsonValue, SourceLocation } from '../../core/model.ts';
import { didYouMean } from '../diagnostics/closest.ts';
import type { Findings } from '../diagnostics/findings.ts';
import { checkShape } from '../diagnostics/schema.ts';
import { catalogShape } from '../diagnostics/validators.ts';
import { readYaml, type YamlFile } from '../diagnostics/yaml.ts';
import type { Catalog } from '../expression/library.ts';
import { isBlank } from '../expression/values.ts';
import { coerceField } from '../rules/fields.ts';
import { ID_FIELDS, whyNoId } from '../rules/ids.ts';

/** The fields an entry may have and what each takes. */
export type EntryFields = Readonly<Record<string, { readonly type: FieldType }>>;

type Place = (key: string, field: string) => SourceLocation;

/** A lookup that costs the same for ten entries and for a hundred thousand. */
export function catalogOf(entries: ReadonlyMap<string, JsonObject>): Catalog {
  return {
    size: entries.size,
    get: (key) => entries.get(key),
    values: () => entries.values(),
    entries: () => entries.entries(),
  };
}

/** Entries that stand in YAML, as the schema let them through. */
export function readEntries(
  value: unknown,
  fields: EntryFields,
  place: Place,
  findings: Findings,
): ReadonlyMap<string, JsonObject> {
  const entries = new Map<string, JsonObject>();
  if (typeof value !== 'object' || value === null) return entries;
  for (const [key, written] of Object.entries(value)) {
    if (typeof written !== 'object' || written === null) continue;
    const entry: JsonObject = {};
    for (const [name, member] of Object.entries(written as Record<string, JsonValue>)) {
      readField(entry, name, member, fields, () => place(key, name), findings);
    }
    entries.set(key, entry);
  }
  return entries;
}

function readField(
  entry: JsonObject,
  name: string,
  member: JsonValue,
  fields: EntryFields,
  locate: () => SourceLocation,
  findings: Findings,
): void {
  const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (field === undefined) return;
  if (typeof member === 'string' && member.startsWith('=')) {
    const location = locate();
    const hint = 'The catalog is a table; put what depends on the event into the rule.';
    findings.error('RULE_WRONG_TYPE', 'the catalog holds no formulas', { location, hint });
    return;
  }
  const result = coerceField(field.type, member);
  if (typeof member === 'string' && isBlank(member) && field.type !== 'interval') {
    const hint = 'Leave the field out, or give it a value.';
    const location = locate();
    findings.error('RULE_WRONG_TYPE', `"${name}" must not be empty`, { location, hint });
  } else if (result.kind === 'refused') {
    findings.error('RULE_WRONG_TYPE', `"${name}" ${result.message}`, { location: locate() });
  } else {
    entry[name] = result.value;
    const why = ID_FIELDS.has(name) && typeof member === 'string' ? whyNoId(member) : undefined;
    if (why === undefined) return;
    const length = String(member).length;
    findings.warning('RULE_NOT_AN_ID', `"${String(member)}" ${why}`, {
      location: locate(),
      length,
    });
  }
}

/** A catalog in a file of its own. */
export function readCatalogFile(
  file: string,
  text: string,
  fields: EntryFields,
  findings: Findings,
): ReadonlyMap<string, JsonObject> {
  if (file.endsWith('.csv')) return readCsv(file, text, fields, findings);
  const yaml = readYaml(file, text, findings);
  if (yaml === undefined || !checkShape(catalogShape, yaml, findings, 'a catalog'))
    return new Map();
  return readEntries(yaml.value, fields, placeIn(yaml, []), findings);
}

/** Where the fields of entries stand, below a path of a YAML file. */
export function placeIn(yaml: YamlFile, path: readonly string[]): Place {
  return (key, field) => yaml.locate([...path, key, field]);
}

function readCsv(
  file: string,
  text: string,
  fields: EntryFields,
  findings: Findings,
): ReadonlyMap<string, JsonObject> {
  const entries = new Map<string, JsonObject>();
  const { rows: all, openQuoteLine } = parseCsv(text.replace(/^\ufeff/, ''));
  const at = (line: number): SourceLocation => ({ file, line, column: 1 });
  if (openQuoteLine !== undefined) {
    const hint = 'A quote inside a quoted cell is written twice.';
    const options = { location: at(openQuoteLine), hint };
    findings.error('INPUT_UNREADABLE', 'a quote is never closed', options);
    return entries;
  }
  const [head, ...rows] = all;
  const columns = head?.cells ?? [];
  checkColumns(columns, fields, at(1), findings);
  if (!columns.includes('key') || !columns.includes('productId')) return entries;
  for (const { cells, line } of rows) {
    const entry: JsonObject = {};
    for (const [index, name] of columns.entries()) {
      const cell = cells[index] ?? '';
      // An empty cell says nothing; perpetual is written as "perpetual" in a table.
      if (name === 'key' || cell === '') continue;
      const value = name === 'subscriptionInterval' && cell === 'perpetual' ? '' : cell;
      const member = fromCell(value, fields[name]?.type);
      readField(entry, name, member, fields, () => at(line), findings);
    }
    const key = cells[columns.indexOf('key')] ?? '';
    const productId = cells[columns.indexOf('productId')] ?? '';
    if (cells.length > columns.length) {
      const message = `this line has ${cells.length} cells, but there are ${columns.length} columns`;
      const hint = 'A cell with a comma in it needs quotes.';
      findings.error('RULE_UNKNOWN_FIELD', message, { location: at(line), hint });
    } else if (key === '' || productId === '') {
      const message = 'this line needs a key and a productId';
      findings.error('RULE_MISSING_FIELD', message, { location: at(line) });
    } else if (entries.has(key)) {
      findings.error('YAML_DUPLICATE_KEY', `the key "${key}" stands twice`, { location: at(line) });
    } else {
      entries.set(key, entry);
    }
  }
  return entries;
}

function checkColumns(
  columns: readonly string[],
  fields: EntryFields,
  location: SourceLocation,
  findings: Findings,
): void {
  const known = ['key', ...Object.keys(fields)];
  for (const [index, column] of columns.entries()) {
    if (!known.includes(column)) {
      const message = `there is no column "${column}"${didYouMean(column, known)}`;
      const hint = /[;\t]/.test(column) ? { hint: 'Separate the columns by commas.' } : {};
      findings.error('RULE_UNKNOWN_FIELD', message, { location, ...hint });
    } else if (columns.indexOf(column) !== index) {
      findings.error('YAML_DUPLICATE_KEY', `the column "${column}" stands twice`, { location });
    }
  }
  for (const column of ['key', 'productId'].filter((name) => !columns.includes(name))) {
    findings.error('RULE_MISSING_FIELD', `the column "${column}" is missing`, { location });
  }
}

function fromCell(cell: string, type: FieldType | undefined): JsonValue {
  if (type === 'boolean' && (cell === 'true' || cell === 'false')) return cell === 'true';
  return type === 'texts' ? cell.split(/\s*;\s*/) : cell;
}

/** RFC 4180: commas, quotes, doubled quotes, line breaks inside quotes. Blank lines are passed over. */
function parseCsv(text: string): {
  readonly rows: readonly { cells: string[]; line: number }[];
  /** Where the quote stands that is never closed. */
  readonly openQuoteLine: number | undefined;
} {
  const rows: { cells: string[]; line: number }[] = [];
  let cells: string[] = [];
  let cell = '';
  let quoted = false;
  let line = 1;
  let startLine = 1;
  let quoteLine = 1;
  const endRow = (): void => {
    cells.push(cell.trim());
    if (cells.some((value) => value !== '')) rows.push({ cells, line: startLine });
    cells = [];
    cell = '';
    startLine = line;
  };
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index] ?? '';
    if (character === '\n') line += 1;
    if (quoted) {
      if (character === '"' && text[index + 1] === '"') {
        cell += '"';
        index += 1;
      } else if (character === '"') quoted = false;
      else cell += character;
    } else if (character === '"' && cell.trim() === '') {
      cell = '';
      quoted = true;
      quoteLine = line;
    } else if (character === ',') {
      cells.push(cell.trim());
      cell = '';
    } else if (character === '\n') endRow();
    else cell += character;
  }
  if (cell !== '' || cells.length > 0) endRow();
  return { rows, openQuoteLine: quoted ? quoteLine : undefined };
}
