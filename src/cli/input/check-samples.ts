// Events of the user's own that `check --samples` learns from. Takes a file or a folder of JSON files, gives the
// known shapes with what these teach. Keeps names and kinds only, never a value of an event.

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, messageOf } from '../../core/error-codes.ts';
import { isJsonObject } from '../../core/json.ts';
import type { JsonObject } from '../../core/model.ts';
import { PROVIDER_LIST } from '../../core/providers.ts';
import { teachShapes } from '../../engine/lint/inspect.ts';
import type { KnownShapes } from '../../engine/lint/shapes/known.ts';
import { recognizeEvent } from '../../verifiers/recognize-event.ts';

/** @throws INPUT_UNREADABLE for a path that cannot be read, or holds no event */
export function learnFrom(path: string, known: KnownShapes): KnownShapes {
  let taught = known;
  for (const file of filesOf(path)) {
    const { provider, body } = recognizeEvent(readObject(file));
    if (provider === undefined) {
      const hint = `Show it bodies of webhooks, as ${PROVIDER_LIST} sends them.`;
      throw new AppError('INPUT_UNREADABLE', `${file} holds no event of a provider`, { hint });
    }
    taught = teachShapes(taught, provider, [body]);
  }
  return taught;
}

function filesOf(path: string): readonly string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    const names = readdirSync(path, { recursive: true, encoding: 'utf8' });
    const files = names.filter((name) => name.endsWith('.json')).sort();
    if (files.length > 0) return files.map((name) => join(path, name));
  } catch (error) {
    throw unreadable(path, messageOf(error), error);
  }
  throw unreadable(path, 'there is no JSON file in it');
}

function readObject(file: string): JsonObject {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8').replace(/^\ufeff/, ''));
    if (isJsonObject(value)) return value;
  } catch (error) {
    throw unreadable(file, messageOf(error), error);
  }
  throw unreadable(file, 'it is no JSON object');
}

function unreadable(path: string, why: string, cause?: unknown): AppError {
  return new AppError('INPUT_UNREADABLE', `${path} cannot be read: ${why}`, { cause });
}
