// What a signature lets in, seen from Paddle, whose rules are the strictest: age, several digests, several
// secrets, none at all, and bytes.

import { describe, expect, test } from 'vitest';
import { PROVIDER_FACTS } from '../../src/core/providers.ts';
import { Secret } from '../../src/core/secret.ts';
import { signDelivery } from '../../src/verifiers/sign.ts';
import {
  readSample,
  SECRETS,
  sampleBody,
  startKeywright,
  withKeywright,
} from '../support/keywright.ts';
import { expectUntouched, onlyLicense, replacing } from './support.ts';

const CUSTOMER = 'customer.created';

describe('P12: the signature', () => {
  const WEB = 'transaction.completed-web';
  const name = PROVIDER_FACTS.paddle.signatureHeader;

  const ages = [
    ['paddle', WEB, 3, 200],
    ['paddle', WEB, 7, 400],
    ['paddle', WEB, -3600, 400],
    ['stripe', 'invoice.paid-subscription-create', 298, 200],
    ['stripe', 'invoice.paid-subscription-create', 302, 400],
    ['stripe', 'invoice.paid-subscription-create', -3600, 400],
  ] as const;
  test.each(ages)(
    'P12: %s %s signed %i s ago is answered %i',
    (provider, sample, ageSeconds, status) =>
      withKeywright({}, async (keywright) => {
        const answer = await keywright.sendSample(provider, sample, { ageSeconds });
        expect(answer.status).toBe(status);
        if (status === 200) onlyLicense(keywright);
        else {
          expect(answer.json['error']).toBe(
            ageSeconds < 0 ? 'SIGNATURE_FUTURE' : 'SIGNATURE_STALE',
          );
          expectUntouched(keywright);
        }
      }),
  );

  test.each([
    [50, 200],
    [70, 400],
  ])('P12: with toleranceSeconds: 60 one signed %i s ago is answered %i', (ageSeconds, status) => {
    const rules = { paddle: replacing('mode: any', 'toleranceSeconds: 60\nmode: any') };
    return withKeywright({ rules }, async (keywright) => {
      expect((await keywright.sendSample('paddle', WEB, { ageSeconds })).status).toBe(status);
    });
  });

  const wrong = '0'.repeat(64);
  test.each([
    ['first', (value: string) => `${value};h1=${wrong}`],
    ['last', (value: string) => value.replace('h1=', `h1=${wrong};h1=`)],
    ['in the middle', (value: string) => `${value.replace('h1=', `h1=${wrong};h1=`)};h1=${wrong}`],
  ])('P12: any h1 of the header may match (the good one %s)', (_, change) =>
    withKeywright({}, async (keywright) => {
      const headers = (all: Record<string, string>) => {
        all[name] = change(all[name] ?? '');
      };
      expect((await keywright.sendSample('paddle', WEB, { headers })).status).toBe(200);
      onlyLicense(keywright);
    }),
  );

  test('P12: several secrets are accepted while one is replaced, no other', () => {
    const env = { PADDLE_WEBHOOK_SECRET: `${SECRETS.paddle},pdl_ntfset_new` };
    return withKeywright({ env }, async (keywright) => {
      for (const secret of [SECRETS.paddle, 'pdl_ntfset_new']) {
        expect((await keywright.sendSample('paddle', CUSTOMER, { secret })).status).toBe(200);
      }
      const other = await keywright.sendSample('paddle', WEB, { secret: 'pdl_ntfset_other' });
      expect(other.status).toBe(400);
      expect(other.json['error']).toBe('SIGNATURE_MISMATCH');
      expect(keywright.sandbox.state.licenses).toEqual([]);
    });
  });

  test('P12: an empty secret never verifies, and one that is set but blank stops the start', async () => {
    for (const secret of ['', ' ', ',']) {
      const env = { PADDLE_WEBHOOK_SECRET: secret };
      await expect(startKeywright({ env })).rejects.toThrow(/PADDLE_WEBHOOK_SECRET/);
    }
    await withKeywright({ env: { PADDLE_WEBHOOK_SECRET: undefined } }, async (keywright) => {
      const body = readSample('paddle', WEB);
      const signed = signDelivery('paddle', body, {
        secret: new Secret(''),
        timestampSeconds: Math.floor(Date.now() / 1000),
      });
      const headers = { 'content-type': 'application/json', [signed.header]: signed.value };
      const response = await fetch(`${keywright.url}/v1`, { method: 'POST', headers, body });
      expect(response.status).toBe(503);
      expect(await response.json()).toMatchObject({
        error: 'external_service_error',
        details: { service: 'Paddle' },
      });
      expectUntouched(keywright);
    });
  });

  test('P12: the body is verified as bytes: the same JSON written anew does not pass', () =>
    withKeywright({}, async (keywright) => {
      const sample = 'customer.created';
      const bytes = readSample('paddle', sample);
      const rewritten = Buffer.from(JSON.stringify(sampleBody('paddle', sample)));
      expect(rewritten.equals(bytes)).toBe(false);
      const { value } = signDelivery('paddle', bytes, {
        secret: new Secret(SECRETS.paddle),
        timestampSeconds: Math.floor(Date.now() / 1000),
      });
      const headers = { 'content-type': 'application/json', [name]: value };
      const post = (body: Buffer) =>
        fetch(`${keywright.url}/v1`, { method: 'POST', headers, body });
      expect((await post(rewritten)).status).toBe(400);
      expectUntouched(keywright);
      expect((await post(bytes)).status).toBe(200);
    }));

  test('S13: a mode for Paddle, whose events carry none, is a finding', () => {
    const rules = { paddle: replacing('mode: any', 'mode: live') };
    return withKeywright({ rules }, async ({ server }) => {
      expect(server.warnings).toHaveLength(1);
      expect(server.warnings[0]).toMatch(/paddle\.yaml:\d+:\d+: warning: .*mode/);
    });
  });
});
