// Events of supported types with something missing. Every sample, each of its members taken away or made
// null in turn: it is ignored, refused or done without it, and never a crash.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../src/core/model.ts';
import { PROVIDERS } from '../../src/core/providers.ts';
import { type Keywright, withKeywright } from '../support/keywright.ts';
import { at, samples } from '../support/read-samples.ts';

/** Where an event says what happened. */
const ROOT = { stripe: 'data.object', fastspring: 'events.0.data', paddle: 'data' } as const;
const EVENT_ID = { stripe: 'id', fastspring: 'events.0.id', paddle: 'event_id' } as const;
/** Enough to meet every member in several ways, and quick. */
const BODIES_MAX = 250;

/** The dotted paths of all members whose names the rule file knows, at any depth. */
function pathsOf(value: JsonValue | undefined, path: string, rules: string): string[] {
  if (typeof value !== 'object' || value === null) return [];
  // Of a list one item tells as much as all.
  const members = Array.isArray(value) ? [['0', value[0] ?? null] as const] : Object.entries(value);
  return members.flatMap(([name, member]) => {
    if (!Array.isArray(value) && !new RegExp(`\\b${name}\\b`).test(rules)) return [];
    return [`${path}.${name}`, ...pathsOf(member, `${path}.${name}`, rules)];
  });
}

/** A copy with the member at the path put to `value`; undefined takes it away. */
function without(body: JsonObject, path: string, value: JsonValue | undefined): JsonObject {
  const copy = structuredClone(body);
  const dot = path.lastIndexOf('.');
  const parent = dot < 0 ? copy : at(copy, path.slice(0, dot));
  const name = path.slice(dot + 1);
  if (Array.isArray(parent))
    parent.splice(Number(name), 1, ...(value === undefined ? [] : [value]));
  else if (value === undefined) delete (parent as JsonObject)[name];
  else (parent as JsonObject)[name] = value;
  return copy;
}

function bodiesOf(provider: (typeof PROVIDERS)[number]): JsonObject[] {
  const rules = readFileSync(new URL(`../../rules/${provider}.yaml`, import.meta.url), 'utf8');
  const cases = samples
    .filter((sample) => sample.provider === provider && !sample.name.startsWith('v1.'))
    .flatMap(({ body }) =>
      pathsOf(at(body, ROOT[provider]), ROOT[provider], rules).flatMap((path) =>
        [undefined, null, '', {}, []].map((value) => ({ body, path, value })),
      ),
    );
  // A step that shares no factor with the five values, so that each of them has its turn.
  const step = Math.max(1, Math.ceil(cases.length / BODIES_MAX / 5) * 5 - 4);
  return cases
    .filter((_, index) => index % step === 0)
    .map(({ body, path, value }, index) =>
      without(without(body, path, value), EVENT_ID[provider], `evt_${index}`),
    );
}

async function sendAll(
  keywright: Keywright,
  provider: (typeof PROVIDERS)[number],
  bodies: JsonObject[],
) {
  const troubles: string[] = [];
  const waiting = [...bodies];
  const work = async () => {
    for (let body = waiting.pop(); body !== undefined; body = waiting.pop()) {
      const { status, json, text } = await keywright.send(provider, body);
      const isFine =
        status === 200 || status === 202 || (status === 400 && json['error'] !== undefined);
      const waits =
        status === 503 && json['error'] === 'NOT_FINISHED' && text.includes('"waiting"');
      if (!(isFine || waits) || json['error'] === 'INTERNAL') troubles.push(`${status} ${text}`);
    }
  };
  await Promise.all(Array.from({ length: 16 }, work));
  return troubles;
}

test.each(PROVIDERS)(
  'E5: %s: whatever is missing, it is ignored, refused or done without it, never a crash',
  (provider) =>
    withKeywright({}, async (keywright) => {
      const bodies = bodiesOf(provider);
      expect(bodies.length).toBeGreaterThan(200);
      expect(await sendAll(keywright, provider, bodies)).toEqual([]);
      expect(keywright.log.filter((line) => /broke|INTERNAL/.test(line))).toEqual([]);
      // No license was made or found by a placeholder for what was missing.
      for (const { metadata } of keywright.sandbox.state.licenses) {
        for (const { value } of metadata) expect(value).not.toMatch(/^(null|undefined|\[object|)$/);
      }
    }),
);
