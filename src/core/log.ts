// The log. Takes a message and flat fields, writes one line for each, as JSON (by pino) or for a person's eyes.
// By its types no object gets in, so neither a payload nor a request can be logged by mistake.
// Never shows a Secret, never writes more than 2 kB of one field, and no field can break the line.

import { pino } from 'pino';
import { Secret } from './secret.ts';

type LogScalar = string | number | boolean | null | undefined | Secret;
export type LogFields = Readonly<Record<string, LogScalar | readonly LogScalar[]>>;
type WriteLog = (fields: LogFields, message: string) => void;

export interface Logger {
  readonly debug: WriteLog;
  readonly info: WriteLog;
  readonly warn: WriteLog;
  readonly error: WriteLog;
  /** A logger that adds these fields to each of its lines. */
  child(fields: LogFields): Logger;
}

interface LoggerOptions {
  readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  readonly format: 'json' | 'pretty';
  /** Takes one line with its line break. */
  readonly write: (line: string) => void;
  readonly nowMs?: () => number;
}

type CleanScalar = string | number | boolean | null;
type CleanFields = Record<string, CleanScalar | CleanScalar[]>;

const FIELD_BYTES_MAX = 2048;
const CUT_MARK = '…(cut)';
const OWN_KEYS: ReadonlySet<string> = new Set(['level', 'time', 'message']);

/** Makes a logger. Lines below `level` are not written; `silent` writes none. */
export function createLogger({ level, format, write, nowMs = Date.now }: LoggerOptions): Logger {
  const root = pino(
    {
      level,
      base: null,
      messageKey: 'message',
      formatters: { level: (label) => ({ level: label }) },
      timestamp: () => `,"time":"${new Date(nowMs()).toISOString()}"`,
    },
    { write: format === 'json' ? write : (line: string) => write(prettyLine(line)) },
  );
  return loggerOver(root, {});
}

function loggerOver(root: pino.Logger, inherited: CleanFields): Logger {
  const at =
    (level: 'debug' | 'info' | 'warn' | 'error'): WriteLog =>
    (fields, message) => {
      if (root.isLevelEnabled(level)) {
        root[level]({ ...inherited, ...clean(fields) }, '%s', cutText(message, FIELD_BYTES_MAX));
      }
    };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => loggerOver(root, { ...inherited, ...clean(fields) }),
  };
}

function clean(fields: LogFields): CleanFields {
  const cleaned: CleanFields = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    // The line's own members keep their meaning; a second "level" in one JSON object would blur it.
    const key = OWN_KEYS.has(name) ? `${name}_` : name;
    cleaned[key] = isList(value) ? cleanList(value) : cleanScalar(value, FIELD_BYTES_MAX);
  }
  return cleaned;
}

/** The list up to the point where its items are 2 kB together. */
function cleanList(values: readonly LogScalar[]): CleanScalar[] {
  const list: CleanScalar[] = [];
  // Room is kept for a last item that is cut, and for the mark behind it.
  let bytesLeft = FIELD_BYTES_MAX - 2 * Buffer.byteLength(CUT_MARK);
  for (const value of values) {
    if (bytesLeft <= 0) return [...list, CUT_MARK];
    const item = cleanScalar(value, bytesLeft);
    bytesLeft -= Buffer.byteLength(String(item)) + 1;
    list.push(item);
  }
  return list;
}

function cleanScalar(value: LogScalar, bytesMax: number): CleanScalar {
  if (value === undefined || value === null) return null;
  if (typeof value === 'string') return cutText(value, bytesMax);
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  // What the types keep out may still come in through a cast; it is named, never printed.
  return value instanceof Secret ? value.toString() : `<${typeof value}>`;
}

function cutText(text: string, bytesMax: number): string {
  // No character has more than three bytes for each of its units.
  if (text.length * 3 <= bytesMax) return text;
  const bytes = Buffer.from(text);
  if (bytes.length <= bytesMax) return text;
  const room = Math.max(0, bytesMax - Buffer.byteLength(CUT_MARK));
  // A character cut in half at the end would come out as U+FFFD.
  return `${bytes
    .subarray(0, room)
    .toString()
    .replace(/\uFFFD$/, '')}${CUT_MARK}`;
}

function isList(value: LogScalar | readonly LogScalar[]): value is readonly LogScalar[] {
  return Array.isArray(value);
}

/** `12:03:04.123 INFO  message  key=value list=[a, b]` from pino's JSON line. */
function prettyLine(json: string): string {
  const { level, time, message, ...fields } = JSON.parse(json) as CleanFields;
  const clock = String(time).slice(11, 23);
  const head = `${clock} ${String(level).toUpperCase().padEnd(5)} ${visible(String(message))}`;
  const pairs = Object.entries(fields).map(([name, value]) => `  ${visible(name)}=${show(value)}`);
  return `${head}${pairs.join('')}\n`;
}

function show(value: CleanScalar | CleanScalar[]): string {
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  if (typeof value !== 'string') return String(value);
  return visible(/^[^\s"=,[\]]+$/.test(value) ? value : JSON.stringify(value));
}

/** Control characters are written out, so that no value can forge a line or paint the terminal. */
function visible(text: string): string {
  return text.replace(
    /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
