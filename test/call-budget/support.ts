// What the tests of economy and replay share: a journal in a file of its own, events that happen now,
// and what reached Cryptlex since a moment. Never sends anything itself.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { JsonObject, JsonValue } from '../../src/core/model.ts';
import type { Provider } from '../../src/core/providers.ts';
import { set } from '../behaviour/support.ts';
import type { Keywright } from '../support/keywright.ts';

const directory = mkdtempSync(join(tmpdir(), 'keywright-economy-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
let files = 0;

/** The address of an empty journal. */
export function newSqlite(): string {
  files += 1;
  return `sqlite:${join(directory, `${files}.db`)}`;
}

let lastMs = 0;

/**
 * An edit by which the events of a body happen now, each later than the one before, and after the
 * journal was begun: Stripe tells whole seconds.
 */
export function now(
  provider: Provider,
  changes: Readonly<Record<string, JsonValue | undefined>> = {},
  ageMs = -1_000,
): { edit(body: JsonObject): void } {
  return {
    edit: (body) => {
      const momentMs = Math.ceil(Date.now() / 1000) * 1000 - ageMs;
      lastMs = ageMs > 0 ? momentMs : Math.max(momentMs, lastMs + 1000);
      if (provider === 'stripe') body['created'] = lastMs / 1000;
      if (provider === 'paddle') body['occurred_at'] = new Date(lastMs).toISOString();
      if (provider === 'fastspring') {
        for (const event of body['events'] as JsonObject[]) event['created'] = lastMs;
      }
      set(body, changes);
    },
  };
}

/** `GET users`, `POST licenses`: the calls that the work made. */
export async function callsOf(
  { sandbox }: Pick<Keywright, 'sandbox'>,
  work: () => Promise<unknown>,
): Promise<readonly string[]> {
  const before = sandbox.requests.length;
  await work();
  return sandbox.requests
    .slice(before)
    .map(({ method, path }) => `${method} ${path.replace('/v3/', '').replace(/\/.*$/, '')}`);
}

export async function until(
  condition: () => Promise<boolean>,
  told: () => string = () => '',
): Promise<void> {
  for (let tries = 0; !(await condition()); tries += 1) {
    if (tries > 3_000) throw new Error(`it did not become true: ${told()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
