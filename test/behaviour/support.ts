// What the tests of the default rules share: the names of the samples' world, and short ways to read the
// sandbox's end state. Takes a Keywright, gives plain values to compare. Never sends or changes anything.

import { expect } from 'vitest';
import type { JsonObject, JsonValue } from '../../src/core/model.ts';
import type { Provider } from '../../src/core/providers.ts';
import type { GivenLicense, SandboxLicense, SandboxUser } from '../../src/sandbox/types.ts';
import {
  type Keywright,
  type KeywrightOptions,
  sampleBody,
  withKeywright,
} from '../support/keywright.ts';
import { at } from '../support/read-samples.ts';

/** The licenses that the samples name; see samples/README.md. */
export const PRO = 'a9197f4a-49e0-48a8-b8cc-365e12442b7a';
export const STUDIO = 'b30fa92d-11cb-4b76-8101-55c6c40ab47c';
export const LENS = '5860e441-bbf9-4a92-9f57-078f92acbf2b';
export const MONTHLY = '04ba627c-d8f2-4100-94e9-513cab4c05c3';
export const YEARLY = '134c53aa-671f-4a57-93c9-b39d42eaa641';
export const STUDIO_TEMPLATE = 'e4d902f1-94b8-4f01-a645-04410bd21cc2';
export const LENS_TEMPLATE = '454793bb-ca3a-44bf-bf06-62176cd10a5d';
export const TEAM = '699fc9e2-b595-44ed-b379-7de372f81db7';

/** A server of one provider: it starts sooner. */
function withOnly(provider: Provider) {
  return (options: KeywrightOptions, test: (keywright: Keywright) => Promise<void>) =>
    withKeywright({ providers: [provider], ...options }, test);
}
export const withStripe = withOnly('stripe');
export const withFastSpring = withOnly('fastspring');
export const withPaddle = withOnly('paddle');

/** Every call that reached Cryptlex, in its order. */
export function calls(keywright: Keywright): string[] {
  return keywright.sandbox.requests.map(({ method, path }) => `${method} ${path}`);
}

/** Those that change something. */
export function writes(keywright: Keywright): string[] {
  return calls(keywright).filter((call) => !call.startsWith('GET '));
}

/** The metadata of a license or user as a map. What a rule writes is for administrators only. */
export function metadataOf({ metadata }: Pick<SandboxLicense, 'metadata'>): Record<string, string> {
  for (const { key, viewPermissions } of metadata)
    expect([key, viewPermissions]).toEqual([key, []]);
  return Object.fromEntries(metadata.map(({ key, value }) => [key, value]));
}

/** The metadata that rules write, without the entry by which Keywright knows its own licenses. */
export function referencesOf(license: SandboxLicense): Record<string, string> {
  const { keywright_id: mark, ...references } = metadataOf(license);
  expect(mark).toMatch(/^[0-9a-f]{32}$/);
  return references;
}

/** What each license is and what it refers to, in the order in which they were made. */
export function made({ sandbox }: Keywright): unknown[] {
  return sandbox.state.licenses.map((license) => [
    license.productId,
    license.licenseTemplateId,
    license.perpetual ? '' : license.subscriptionInterval,
    referencesOf(license),
  ]);
}

/** The one license that there is. */
export function onlyLicense({ sandbox }: Keywright): SandboxLicense {
  const { licenses } = sandbox.state;
  expect(licenses).toHaveLength(1);
  return licenses[0] as SandboxLicense;
}

export function onlyUser({ sandbox }: Keywright): SandboxUser {
  const { users } = sandbox.state;
  expect(users).toHaveLength(1);
  return users[0] as SandboxUser;
}

export function licenseById({ sandbox }: Keywright, id: string): SandboxLicense {
  const license = sandbox.state.licenses.find((candidate) => candidate.id === id);
  expect(license, `license ${id}`).toBeDefined();
  return license as SandboxLicense;
}

export function userByEmail({ sandbox }: Keywright, email: string): SandboxUser {
  const user = sandbox.state.users.find((candidate) => candidate.email === email);
  expect(user, `user ${email}`).toBeDefined();
  return user as SandboxUser;
}

/** Nothing was made, nothing was asked. */
export function expectUntouched(keywright: Keywright): void {
  expect(calls(keywright)).toEqual([]);
  expect(keywright.sandbox.state).toMatchObject({ users: [], licenses: [] });
}

/** An instant in one way of writing, so that two can be compared. */
export function instant(text: string | null): string | null {
  return text === null ? null : new Date(text).toISOString();
}

export const EXPIRY = '2026-12-01T00:00:00.000Z';
/** One and two months after EXPIRY. */
export const EXPIRY_1M = '2027-01-01T00:00:00.000Z';
export const EXPIRY_2M = '2027-02-01T00:00:00.000Z';

/** A monthly license of a subscription, as other software or an earlier event left it. */
export function monthly(
  id: string,
  metadata: Readonly<Record<string, string>>,
  more: GivenLicense = {},
): GivenLicense {
  const own = { id, metadata, subscriptionInterval: 'P1M', expiresAt: EXPIRY } as const;
  return { user: 'owner@example.com', ...own, ...more };
}

/** When each license expires, by id. */
export function expiries({ sandbox }: Keywright): Record<string, string | null> {
  return Object.fromEntries(
    sandbox.state.licenses.map(({ id, expiresAt }) => [id, instant(expiresAt)]),
  );
}

/** Which licenses are suspended, by id. */
export function suspended({ sandbox }: Keywright): string[] {
  return sandbox.state.licenses.flatMap((license) => (license.suspended ? [license.id] : []));
}

/** Sets members of a body by dotted path; undefined takes one away. */
export function set(
  body: JsonObject,
  changes: Readonly<Record<string, JsonValue | undefined>>,
): void {
  for (const [path, value] of Object.entries(changes)) {
    const dot = path.lastIndexOf('.');
    const parent = (dot < 0 ? body : at(body, path.slice(0, dot))) as JsonObject | undefined;
    if (parent === undefined) throw new Error(`there is no ${path} in the sample`);
    const name = path.slice(dot + 1);
    if (value === undefined) delete parent[name];
    else parent[name] = value;
  }
}

/** An edit for `sendSample` that sets members. */
export function setting(changes: Readonly<Record<string, JsonValue | undefined>>) {
  return { edit: (body: JsonObject) => set(body, changes) };
}

/** A text of a sample at a path. */
export function sampleText(
  provider: Parameters<typeof sampleBody>[0],
  name: string,
  path: string,
): string {
  const value = at(sampleBody(provider, name), path);
  if (typeof value !== 'string') throw new Error(`${path} of ${name} is no text`);
  return value;
}

/** Replaces a piece of a rule file; fails when the file no longer has it. */
export function replacing(before: string, after: string): (text: string) => string {
  return (text) => {
    if (!text.includes(before)) throw new Error(`the rule file no longer has: ${before}`);
    return text.replace(before, () => after);
  };
}

/** Fills a rule file's catalog. */
export function catalog(...lines: readonly string[]): (text: string) => string {
  return replacing('catalog: {}', ['catalog:', ...lines.map((line) => `  ${line}`)].join('\n'));
}

/** One edit after the other. */
export function all(...edits: readonly ((text: string) => string)[]): (text: string) => string {
  return (text) => edits.reduce((edited, edit) => edit(edited), text);
}

/** The first sale of each provider. */
export const SALES: [Provider, string][] = [
  ['stripe', 'invoice.paid-subscription-create'],
  ['fastspring', 'order.completed'],
  ['paddle', 'transaction.completed-web'],
];
/** Each sale with the first renewal of its subscription. */
export const RENEWALS: [Provider, string, string, Record<string, string>][] = [
  [
    'stripe',
    'invoice.paid-subscription-create',
    'invoice.paid-subscription-cycle',
    { stripe_subscription_id: 'sub_114uSCN0rTh7LghtB3w7AGHU' },
  ],
  [
    'fastspring',
    'order.completed',
    'subscription.charge.completed',
    { fastspring_subscription_id: 'DTQVErcdZx1FvGSxKpX0ZA' },
  ],
  [
    'paddle',
    'transaction.completed-web',
    'transaction.completed-subscription-recurring',
    { paddle_subscription_id: 'sub_01m68tb2z0hh8fc72fmn3nh7pg' },
  ],
];

/** Gives the event of a delivery another id. */
export const underId = (provider: Provider, id: string) =>
  setting({ [{ stripe: 'id', fastspring: 'events.0.id', paddle: 'event_id' }[provider]]: id });
