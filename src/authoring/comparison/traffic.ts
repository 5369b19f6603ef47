// Where recorded traffic comes from: the journal, a folder of webhook bodies, or a file with one body in each line.
// Gives items one after the other, as text; never holds more than a page of them. What cannot be used is an item
// too, so that it is counted.

import { createReadStream, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../../core/error-codes.ts';
import type { Archive } from '../../journal/archive.ts';
import type { TrafficItem } from './read-item.ts';

/** The largest webhook that Keywright takes. */
const BYTES_MAX = 1024 * 1024;
const PAGE_EVENTS = 1_000;

/** @param sinceMs only what was accepted at or after this time, milliseconds since 1970 */
export async function* journalTraffic(
  archive: Pick<Archive, 'traffic'>,
  sinceMs: number | undefined,
): AsyncGenerator<TrafficItem> {
  let cursor: string | undefined;
  do {
    const page = await archive.traffic({ sinceMs }, { limit: PAGE_EVENTS, cursor });
    for (const event of page.events) yield { kind: 'recorded', event };
    cursor = page.cursor;
  } while (cursor !== undefined);
}

/**
 * A folder: its `.json` files, one webhook body each, and its `.jsonl` files, also in folders inside.
 * A file: by its ending.
 * @throws INPUT_UNREADABLE when there is no such file or folder
 */
export async function* fileTraffic(path: string): AsyncGenerator<TrafficItem> {
  for (const file of filesOf(path)) {
    if (/\.(?:jsonl|ndjson)$/.test(file)) yield* linesOf(file);
    else yield bodyOf(file);
  }
}

function filesOf(path: string): readonly string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    return readdirSync(path, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(?:json|jsonl|ndjson)$/.test(name))
      .sort()
      .map((name) => join(path, name));
  } catch (error) {
    throw unreadable(path, error);
  }
}

function bodyOf(file: string): TrafficItem {
  try {
    if (statSync(file).size > BYTES_MAX) return tooLarge(file);
    return { kind: 'text', text: readFileSync(file, 'utf8'), where: file };
  } catch (error) {
    return {
      kind: 'unusable',
      unusable: { reason: 'unreadable', where: file, detail: unreadable(file, error).message },
    };
  }
}

/** Lines one by one. What is longer than a webhook can be is passed over, not held. */
async function* linesOf(file: string): AsyncGenerator<TrafficItem> {
  let number = 0;
  let started = '';
  let isTooLong = false;
  const item = (line: string): TrafficItem | undefined => {
    number += 1;
    const where = `${file}:${number}`;
    if (isTooLong || Buffer.byteLength(line) > BYTES_MAX) return tooLarge(where);
    return line.trim() === '' ? undefined : { kind: 'text', text: line, where };
  };
  try {
    for await (const chunk of createReadStream(file, { encoding: 'utf8' })) {
      const pieces = (chunk as string).split('\n');
      const rest = pieces.pop() ?? '';
      for (const piece of pieces) {
        const found = item(started + piece);
        started = '';
        isTooLong = false;
        if (found !== undefined) yield found;
      }
      isTooLong ||= started.length + rest.length > BYTES_MAX;
      started = isTooLong ? '' : started + rest;
    }
  } catch (error) {
    throw unreadable(file, error);
  }
  const last = started !== '' || isTooLong ? item(started) : undefined;
  if (last !== undefined) yield last;
}

function tooLarge(where: string): TrafficItem {
  const detail = `it is larger than ${BYTES_MAX} bytes`;
  return { kind: 'unusable', unusable: { reason: 'too large', where, detail } };
}

function unreadable(path: string, error: unknown): AppError {
  const why = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  return new AppError('INPUT_UNREADABLE', `${path} cannot be read (${why})`, { cause: error });
}
