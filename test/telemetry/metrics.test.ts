// What Prometheus reads: numbers that follow what happened, labels that no sender can multiply, and a
// dashboard and alert rules that name only what is there.

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { JsonObject } from '../../src/core/model.ts';
import {
  type Keywright,
  type KeywrightOptions,
  sampleBody,
  withKeywright,
} from '../support/keywright.ts';

const TOKEN = 'an_admin_token_for_tests';
const STRIPE = { providers: ['stripe'], rulesSettleMs: 20 } as const satisfies KeywrightOptions;

async function page(url: string, token?: string): Promise<{ status: number; text: string }> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(`${url}/metrics`, { headers });
  return { status: response.status, text: await response.text() };
}

/** The value of a series; its labels in any order. Undefined when there is none. */
function seriesOf(
  text: string,
  name: string,
  labels: Record<string, string> = {},
): number | undefined {
  for (const line of text.split('\n')) {
    const [, own, list = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    const has = Object.entries(labels).every(([key, wanted]) =>
      list.includes(`${key}="${wanted}"`),
    );
    if (own === name && has) return Number(value);
  }
  return undefined;
}

async function read(keywright: Keywright, name: string, labels: Record<string, string> = {}) {
  return seriesOf((await page(keywright.url)).text, name, labels);
}

const SALE = 'invoice.paid-subscription-create';

describe('the numbers', () => {
  test('of deliveries, attempts, operations and calls follow what happened', () =>
    withKeywright(STRIPE, async (keywright) => {
      await keywright.sendSample('stripe', SALE);
      await keywright.sendSample('stripe', SALE);
      await keywright.sendSample('stripe', SALE, { secret: 'whsec_of_somebody_else' });
      const { text } = await page(keywright.url);
      const of = (name: string, labels = {}) => seriesOf(text, `keywright_${name}`, labels);
      const invoice = { source: 'stripe', type: 'invoice.paid' };
      expect({
        done: of('deliveries_total', { ...invoice, outcome: 'done' }),
        duplicate: of('deliveries_total', { ...invoice, outcome: 'duplicate' }),
        refused: of('deliveries_total', { source: 'stripe', type: 'none', outcome: 'refused' }),
        code: of('deliveries_refused_total', { code: 'SIGNATURE_MISMATCH' }),
        attempts: of('attempts_total', { source: 'stripe', status: 'done' }),
        created: of('operations_total', { action: 'license.create', result: 'applied' }),
        calls: of('cryptlex_call_seconds_count', {
          method: 'POST',
          route: '/v3/licenses',
          status: '201',
        }),
        answers: of('delivery_seconds_count', { source: 'stripe' }),
        accepts: of('journal_accept_seconds_count'),
        up: of('cryptlex_up'),
        journal: of('journal_up'),
        current: of('rules_last_reload_successful'),
      }).toEqual({
        ...{ done: 1, duplicate: 1, refused: 1, code: 1, attempts: 1, created: 1, calls: 1 },
        ...{ answers: 3, accepts: 2, up: 1, journal: 1, current: 1 },
      });
    }));

  test('of failures begin at zero, so that the first one is an increase', () =>
    withKeywright(STRIPE, async (keywright) => {
      const failed = { source: 'stripe', status: 'failed' };
      expect(await read(keywright, 'keywright_attempts_total', failed)).toBe(0);
      keywright.sandbox.faults.add({
        method: 'POST',
        path: '/v3/licenses',
        effect: { kind: 'status', status: 400, body: 'empty' },
      });
      await keywright.sendSample('stripe', SALE);
      expect(await read(keywright, 'keywright_attempts_total', failed)).toBe(1);
      expect(
        await read(keywright, 'keywright_events_failed_total', { code: 'CRYPTLEX_REFUSED' }),
      ).toBe(1);
      expect(
        await read(keywright, 'keywright_operations_total', {
          action: 'license.create',
          result: 'failed',
        }),
      ).toBe(1);
      expect(
        await read(keywright, 'keywright_cryptlex_errors_total', { code: 'CRYPTLEX_REFUSED' }),
      ).toBe(1);
    }));

  test('of the backlog count what waits', () =>
    withKeywright(STRIPE, async (keywright) => {
      await keywright.sendSample('stripe', 'invoice.paid-subscription-cycle');
      const waiting = { status: 'waiting' };
      expect(await read(keywright, 'keywright_backlog_events', waiting)).toBe(1);
      expect(await read(keywright, 'keywright_backlog_events', { status: 'parked' })).toBe(0);
      expect(await read(keywright, 'keywright_backlog_oldest_seconds', waiting)).toBeGreaterThan(0);
    }));

  test('of the rules say when the files on disk are not what runs', () =>
    withKeywright({ ...STRIPE, files: {} }, async (keywright) => {
      const { writeFileSync } = await import('node:fs');
      writeFileSync(`${keywright.rulesDir}/stripe.yaml`, 'provider: stripe\n');
      await keywright.server.reloadRules();
      expect(await read(keywright, 'keywright_rules_last_reload_successful')).toBe(0);
      expect(await read(keywright, 'keywright_rules_reloads_total', { result: 'refused' })).toBe(1);
      const { text } = await page(keywright.url);
      expect(seriesOf(text, 'keywright_rules_last_reload_timestamp_seconds')).toBeGreaterThan(
        seriesOf(text, 'keywright_rules_loaded_timestamp_seconds') ?? Number.POSITIVE_INFINITY,
      );
    }));
});

test('no sender makes a series: unknown types are one, and unknown addresses are none', () =>
  withKeywright(STRIPE, async (keywright) => {
    for (let number = 0; number < 5; number += 1) {
      const body: JsonObject = { ...sampleBody('stripe', SALE), id: `evt_${number}` };
      await keywright.send('stripe', { ...body, type: `made.up.${number}` });
      await fetch(`${keywright.url}/webhooks/made.up-${number}`, { method: 'POST' });
    }
    const { text } = await page(keywright.url);
    expect(text).not.toContain('made.up');
    expect(seriesOf(text, 'keywright_deliveries_total', { type: 'other' })).toBe(5);
  }));

describe('who may read them', () => {
  const metricsUrl = (keywright: Keywright): string =>
    /"address":"(http:[^"]+)\/metrics"/.exec(keywright.log.join(''))?.[1] ?? '';

  test.each([
    ['with a token: only who has it', { ADMIN_TOKEN: TOKEN }, 401, 200],
    ['with neither token nor port: everybody', {}, 200, 200],
    ['with a port of its own and no token: nobody here', { METRICS_PORT: '0' }, 404, 404],
    ['with both: who has it', { METRICS_PORT: '0', ADMIN_TOKEN: TOKEN }, 401, 200],
  ])('on the server’s port, %s', (_name, env, without, withToken) =>
    withKeywright({ ...STRIPE, env }, async (keywright) => {
      expect((await page(keywright.url)).status).toBe(without);
      expect((await page(keywright.url, 'a_wrong_token')).status).toBe(without);
      expect((await page(keywright.url, TOKEN)).status).toBe(withToken);
      if (!('METRICS_PORT' in env)) return;
      const own = metricsUrl(keywright);
      expect(await page(own)).toMatchObject({ status: 200 });
      expect((await fetch(`${own}/v1`, { method: 'POST' })).status).toBe(404);
      expect((await fetch(`${own}/metrics`, { method: 'POST' })).status).toBe(405);
    }),
  );
});

describe('what is shipped for Prometheus and Grafana', () => {
  const file = (path: string) =>
    readFileSync(new URL(`../../deploy/${path}`, import.meta.url), 'utf8');
  const rules = parse(file('prometheus/alerts.yaml')) as {
    groups: { rules: { alert: string; expr: string; annotations: Record<string, string> }[] }[];
  };
  const dashboard = JSON.parse(file('grafana/keywright.json')) as {
    panels: { title: string; targets: { expr: string }[] }[];
  };
  const alerts = rules.groups.flatMap(({ rules: all }) => all);
  const expressions = [
    ...alerts.map(({ alert, expr }) => [alert, expr] as const),
    ...dashboard.panels.flatMap(({ title, targets }) =>
      targets.map(({ expr }) => [title, expr] as const),
    ),
  ];

  /** Names with the labels that are asked for: `keywright_x{status="y"}`, and those of `by (…)`. */
  function namesIn(expression: string): string[] {
    return [...expression.matchAll(/\b((?:keywright|process|nodejs)_\w+)/g)].map(([, name = '']) =>
      name.replace(/_(?:bucket|count|sum)$/, ''),
    );
  }

  test('names only metrics and labels that there are', () =>
    withKeywright(
      { ...STRIPE, env: { ALERT_WEBHOOK_URL: 'http://127.0.0.1:9/' } },
      async (keywright) => {
        await keywright.sendSample('stripe', SALE);
        const { text } = await page(keywright.url);
        const known = new Set([...text.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name));
        const named = expressions.flatMap(([place, expr]) =>
          namesIn(expr).map((name) => ({ place, name })),
        );
        expect(named.filter(({ name }) => !known.has(name))).toEqual([]);
        expect(named.length).toBeGreaterThan(25);
        // Every metric of ours is shown or watched by one of the two.
        const used = new Set(named.map(({ name }) => name));
        expect(
          [...known].filter((name) => /^keywright/.test(name ?? '') && !used.has(name ?? '')),
        ).toEqual([]);
      },
    ));

  test('each alert says what to do, in the runbook', () => {
    const operating = readFileSync(new URL('../../docs/operating.md', import.meta.url), 'utf8');
    for (const { alert, annotations } of alerts) {
      expect(operating, alert).toContain(`### ${alert}\n`);
      expect(annotations['runbook']).toBe(`docs/operating.md#${alert.toLowerCase()}`);
    }
  });
});
