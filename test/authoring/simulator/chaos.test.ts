// keywright simulate --chaos against a running server, over real HTTP, with SQLite: whatever happens to the
// deliveries on their way, and whatever is forged, Cryptlex holds in the end what it holds after a calm run.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listScenarios } from '../../../src/authoring/simulator/scenario-files.ts';
import { PROVIDERS } from '../../../src/core/providers.ts';
import { newSqlite, until } from '../../call-budget/support.ts';
import { cli } from '../../cli/support.ts';
import { type Keywright, SECRETS, startKeywright } from '../../support/keywright.ts';

/** SIMULATE_SEEDS=100 looks for new ones. */
const SEEDS = Array.from(
  { length: Number(process.env['SIMULATE_SEEDS'] ?? 2) },
  (_, index) => index,
);
/** One moment for all, so that a calm and a chaotic run tell the same bytes. */
const START = '2026-11-01T10:00:00Z';
const SCENARIOS = PROVIDERS.flatMap((provider) =>
  listScenarios(provider, undefined).map(({ name }) => ({ provider, name })),
);
const env = {
  STRIPE_WEBHOOK_SECRET: SECRETS.stripe,
  FASTSPRING_WEBHOOK_SECRET: `${SECRETS.fastspring}, an older secret`,
  PADDLE_WEBHOOK_SECRET: SECRETS.paddle,
};

let calm: Keywright;
let chaotic: Keywright;

beforeAll(async () => {
  const clock = { nowMs: () => Date.parse(START), sleep: async () => true };
  const options = () => ({ env: { DATABASE_URL: newSqlite() }, sandbox: { clock } });
  calm = await startKeywright(options());
  chaotic = await startKeywright(options());
});
afterAll(async () => {
  await calm.close();
  await chaotic.close();
});

/** What Cryptlex holds, without what differs between two accounts: ids, keys, passwords, order. */
function held({ sandbox }: Keywright): { licenses: readonly string[]; users: readonly string[] } {
  const metadataOf = (metadata: readonly { key: string; value: string }[]): string =>
    metadata
      .map(({ key, value }) => `${key}=${value}`)
      .sort()
      .join(' ');
  const { licenses, users } = sandbox.state;
  return {
    licenses: licenses
      .map(({ metadata, user, productId, suspended, revoked, expiresAt, ...more }) =>
        JSON.stringify([
          metadataOf(metadata),
          ...[user?.email, productId, suspended, revoked, expiresAt],
          ...[more.subscriptionInterval, more.allowedActivations, more.licenseTemplateId],
          ...[more.entitlementSetId, more.maxAllowedReleaseVersion, more.perpetual],
        ]),
      )
      .sort(),
    users: users
      .map(({ email, firstName, lastName, company, role, metadata }) =>
        JSON.stringify([email, firstName, lastName, company, role, metadataOf(metadata)]),
      )
      .sort(),
  };
}

async function settled({ server }: Keywright): Promise<void> {
  for (const status of ['queued', 'running'] as const) {
    await until(async () => (await server.archive.count({ status })) === 0);
  }
}

describe('the end after chaos', () => {
  test.each(SCENARIOS)('$provider $name: every answer is as it should be', async (scenario) => {
    const { provider, name } = scenario;
    const runs = SEEDS.flatMap((seed) =>
      [calm, chaotic].map(async (server) => {
        const args = ['simulate', provider, name, '--to', server.url, '--start', START];
        const how = ['--seed', String(seed), ...(server === chaotic ? ['--chaos'] : [])];
        const { code, out, err } = await cli([...args, ...how], env);
        expect(code, `seed ${seed}\n${out}${err}`).toBe(0);
      }),
    );
    await Promise.all(runs);
  });

  test('is the end of the calm runs', async () => {
    await settled(calm);
    await settled(chaotic);
    expect(held(chaotic)).toEqual(held(calm));
    expect(held(calm).licenses.length).toBeGreaterThan(SCENARIOS.length);
  });

  test('would not be, had one sale more or less come through', async () => {
    const how = ['--to', chaotic.url, '--start', START, '--seed', '4711'];
    const { code } = await cli(['simulate', 'stripe', 'one-time-purchase', ...how], env);
    expect(code).toBe(0);
    await settled(chaotic);
    expect(held(chaotic)).not.toEqual(held(calm));
  });

  test('leaves nothing that Cryptlex does not document', () => {
    expect([...calm.sandbox.violations, ...chaotic.sandbox.violations]).toEqual([]);
  });
});
