// The real Cryptlex as a stage: what was captured is what later reads show, and nothing of it is there.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { liveStage } from '../../src/authoring/dry-run/live-account.ts';
import type { Stage } from '../../src/authoring/dry-run/run-plan.ts';
import { createSystemClock } from '../../src/core/clock.ts';
import { Secret } from '../../src/core/secret.ts';
import { type CryptlexClient, createCryptlexClient } from '../../src/cryptlex/client.ts';
import { createPace } from '../../src/cryptlex/rate-limiter.ts';
import { fetchOver, transportOver } from '../../src/http/fetch.ts';
import { NO_PROXIES } from '../../src/http/proxies.ts';
import { createTransport } from '../../src/http/transport.ts';
import { composeSandbox, type ServedSandbox } from '../../src/sandbox/compose-sandbox.ts';

const METADATA = { order_id: 'o1' };
let served: ServedSandbox;
let stage: Stage;
let client: CryptlexClient;

beforeEach(async () => {
  served = await composeSandbox({ port: 0, token: 'real', rateLimit: false });
  served.sandbox.seed({
    users: [{ id: 'u1', email: 'ann@example.com' }],
    licenses: ['l1', 'l2'].map((id) => ({
      id,
      user: 'u1',
      metadata: METADATA,
      subscriptionInterval: 'P1M',
      expiresAt: '2026-12-31T00:00:00Z',
    })),
  });
  const clock = createSystemClock();
  const pace = createPace({ requests: 10_000, periodMs: 10, concurrency: 8, clock });
  const real = { baseUrl: served.url, token: new Secret('real'), pace, clock };
  stage = liveStage({ ...real, fetch: fetchOver(createTransport(NO_PROXIES)) });
  const { baseUrl, token, fetch } = stage;
  client = createCryptlexClient({ baseUrl, token, transport: transportOver(fetch), pace, clock });
});
afterEach(async () => {
  expect([...new Set(served.sandbox.requests.map(({ method }) => method))]).toEqual(['GET']);
  const { licenses, users } = served.sandbox.state;
  expect(licenses.map(({ id, suspended }) => [id, suspended])).toEqual([
    ['l1', false],
    ['l2', false],
  ]);
  expect(users).toHaveLength(1);
  await served.close();
});

const idsOf = (items: readonly { id: string }[]): readonly string[] => items.map(({ id }) => id);

test('a change is seen by the next read and by the next search', async () => {
  expect(idsOf(await client.findLicenses({ metadata: METADATA }))).toEqual(['l1', 'l2']);
  await client.updateLicense('l1', { suspended: true });
  expect((await client.getLicense('l1'))?.suspended).toBe(true);
  const found = await client.findLicenses({ metadata: METADATA });
  expect(found.map(({ id, suspended }) => [id, suspended])).toEqual(
    expect.arrayContaining([
      ['l1', true],
      ['l2', false],
    ]),
  );
  expect(found).toHaveLength(2);
  expect(idsOf(await client.findLicenses({ metadata: METADATA, suspended: false }))).toEqual([
    'l2',
  ]);
  expect(idsOf(await client.findLicenses({ metadata: METADATA, suspended: true }))).toEqual(['l1']);
});

test('what is made is there for later steps, with an owner who really is', async () => {
  const [ann] = await client.findUsers({ email: 'ann@example.com' });
  const entry = { key: 'order_id', value: 'o2', viewPermissions: [] };
  const made = await client.createLicense({
    productId: 'p',
    userId: ann?.id ?? '',
    metadata: [entry],
  });
  expect(made.id).toMatch(/^[\da-f-]{36}$/);
  expect((await client.getLicense(made.id))?.id).toBe(made.id);
  expect(idsOf(await client.findLicenses({ metadata: { order_id: 'o2' } }))).toEqual([made.id]);
  expect(stage.after().licenses.find(({ id }) => id === made.id)?.user?.email).toBe(
    'ann@example.com',
  );
  expect(stage.requests().filter(({ captured }) => captured === false)).toHaveLength(2);
});

test('an owner who was never read is looked up', async () => {
  const made = await client.createLicense({ productId: 'p', userId: 'u1', metadata: [] });
  expect(stage.after().licenses.find(({ id }) => id === made.id)?.user?.email).toBe(
    'ann@example.com',
  );
});

test('what is deleted is gone for later steps', async () => {
  await client.findLicenses({ metadata: METADATA });
  expect(await client.deleteLicense('l1')).toBe('deleted');
  expect(await client.getLicense('l1')).toBeUndefined();
  expect(idsOf(await client.findLicenses({ metadata: METADATA }))).toEqual(['l2']);
  expect(idsOf(stage.before().licenses)).toEqual(['l1', 'l2']);
  expect(idsOf(stage.after().licenses)).toEqual(['l2']);
});

test('what was never read is read before it is changed', async () => {
  const renewed = await client.renewLicense('l2');
  expect(renewed.expiresAt).toContain('2027-01-31');
  expect((await client.setLicenseExpiry('l1', '2026-05-01T00:00:00Z')).expiresAt).toContain(
    '2026-05',
  );
  expect(idsOf(stage.before().licenses)).toEqual(['l2', 'l1']);
});

test('what does not exist there can neither be read nor changed', async () => {
  expect(await client.getLicense('l9')).toBeUndefined();
  await expect(client.renewLicense('l9')).rejects.toMatchObject({ code: 'CRYPTLEX_REFUSED' });
});

test('a new user is found by its address, and one address belongs to one', async () => {
  const body = { firstName: 'Ben', password: 'Secret-1234', role: 'user' };
  const ben = await client.createUser({ ...body, email: 'ben@example.com' });
  expect(idsOf(await client.findUsers({ email: 'ben@example.com' }))).toEqual([ben.id]);
  await client.findUsers({ email: 'ann@example.com' });
  const twice = client.createUser({ ...body, email: 'ann@example.com' });
  await expect(twice).rejects.toMatchObject({ status: 409 });
  expect(JSON.stringify(stage.requests())).not.toContain('Secret-1234');
});
