// The playground and the catalog without a script: what their addresses answer, to whom, and what they refuse.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Keywright, startKeywright } from '../support/keywright.ts';
import { ADMIN_TOKEN, ask, type SignedIn, signedIn } from './signed-in.ts';

const RULES =
  'provider: stripe\nsubject: =data.object.id\nrules:\n  - id: mine\n    on: customer.created\n    ignore: My own reason.\n';
const EVENT = readFileSync(
  new URL('../../samples/stripe/customer.created.json', import.meta.url),
  'utf8',
);

let keywright: Keywright;
let user: SignedIn;
beforeAll(async () => {
  keywright = await startKeywright({ providers: ['stripe', 'paddle'], env: { ADMIN_TOKEN } });
  await keywright.sendSample('paddle', 'customer.created');
  user = await signedIn(keywright.url);
});
afterAll(() => keywright.close());

describe('the playground without a script', () => {
  test('shows the result in the page, with what was typed', async () => {
    const fields = { source: 'stripe', rules: RULES.replaceAll('\n', '\r\n'), event: EVENT };
    const { status, text } = await user.post('/console/playground', fields);
    expect(status).toBe(200);
    expect(text).toContain('My own reason.</p>');
    expect(text).toContain('Nothing here goes live');
    expect(text).toMatch(/<textarea name="rules"[^>]*>\s*provider: stripe/);
  });

  test('changes neither rule files nor the journal, and calls nobody', async () => {
    const files = () =>
      readdirSync(keywright.rulesDir).map((name) =>
        readFileSync(join(keywright.rulesDir, name), 'utf8'),
      );
    const [before, calls] = [files(), keywright.sandbox.requests.length];
    const events = await keywright.server.archive.count({});
    const text = readFileSync(join(keywright.rulesDir, 'stripe.yaml'), 'utf8');
    await user.post('/console/playground', { source: 'stripe', rules: text, event: EVENT });
    await user.post('/console/playground/compare', { source: 'stripe', rules: RULES, event: '' });
    expect(files()).toEqual(before);
    expect(await keywright.server.archive.count({})).toBe(events);
    expect(keywright.sandbox.requests).toHaveLength(calls);
  });
});

describe('who may ask', () => {
  test.each(['/console/playground', '/console/playground/compare', '/console/catalog'])(
    '%s takes nothing without the CSRF token, and nothing from whoever is not signed in',
    async (path) => {
      const body = JSON.stringify({ source: 'stripe', rules: RULES, event: EVENT });
      const headers = { 'content-type': 'application/json' };
      const init = { method: 'POST', body };
      const stolen = { ...headers, cookie: user.cookie };
      expect((await ask(`${keywright.url}${path}`, { ...init, headers: stolen })).status).toBe(403);
      expect((await ask(`${keywright.url}${path}`, { ...init, headers })).status).toBe(401);
    },
  );
});

describe('what is not there', () => {
  test.each([
    'sample:../../package',
    'sample:..%2f..%2fpackage',
    'sample:__proto__',
    'recorded:stripe:evt_none',
    'file:/etc/passwd',
    '',
  ])('an event called "%s" is not given', async (event) => {
    const query = new URLSearchParams({ source: 'stripe', event });
    expect((await user.get(`/console/playground/event?${query}`)).status).toBe(404);
  });

  test('a recorded event is given for its own source only', async () => {
    const { events } = await keywright.server.archive.list({}, { limit: 1 });
    const event = `recorded:${events[0]?.key}`;
    const of = (source: string) =>
      user.get(`/console/playground/event?${new URLSearchParams({ source, event })}`);
    expect((await of('paddle')).text).toContain('customer.created');
    expect((await of('stripe')).status).toBe(404);
  });

  test('a source that is off is said', async () => {
    for (const path of [
      '/console/playground?source=fastspring',
      '/console/playground?source=__proto__',
    ]) {
      const { status, text } = await user.get(path);
      expect(status).toBe(404);
      expect(text).toContain('No such source is switched on');
    }
    expect((await user.get('/console/catalog?source=none&page=-1')).text).toContain(
      'no such source',
    );
  });
});

test.each([
  ['no JSON', 'x'],
  ['a list', '[]'],
  ['null', 'null'],
  ['members of other kinds', '{"source": 1, "rules": [], "event": {}, "events": "x"}'],
])('a request that no page sends is answered, not crashed on: %s', async (_name, body) => {
  for (const path of ['/console/playground', '/console/playground/compare']) {
    const headers = {
      ...{ cookie: user.cookie, 'x-csrf-token': user.csrfToken },
      'content-type': 'application/json',
    };
    const { status } = await ask(`${keywright.url}${path}`, { method: 'POST', headers, body });
    expect(status).toBeLessThan(500);
  }
});
