// The server's process is ended in the middle of its work. What was not acknowledged is delivered
// again, as providers do; in the end each sale has its license, once.

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/model.ts';
import type { Provider } from '../../src/core/providers.ts';
import { composeSandbox, type ServedSandbox } from '../../src/sandbox/compose-sandbox.ts';
import { SHUTDOWN_GRACE_MS } from '../../src/server/listen.ts';
import { sampleBody } from '../support/keywright.ts';
import { secretsIn } from './log-search.ts';
import { type ServerProcess, startServerProcess } from './process.ts';

interface Sale {
  readonly provider: Provider;
  readonly body: string;
  /** How many licenses it makes. */
  readonly licenses: number;
}

/** Twelve sales of three providers, each of a buyer of its own. */
function sales(): readonly Sale[] {
  return Array.from({ length: 12 }, (_, index) => {
    if (index % 3 === 0) return fastspringOrder(index);
    return index % 3 === 1 ? stripeInvoice(index) : paddleTransaction(index);
  });
}

function stripeInvoice(index: number): Sale {
  const body = sampleBody('stripe', 'invoice.paid-subscription-create');
  const { object } = body['data'] as { object: JsonObject };
  const parent = object['parent'] as { subscription_details: JsonObject };
  body['id'] = `evt_${index}`;
  object['id'] = `in_${index}`;
  object['customer_email'] = `buyer-${index}@example.com`;
  parent.subscription_details['subscription'] = `sub_${index}`;
  return { provider: 'stripe', body: JSON.stringify(body), licenses: 1 };
}

function fastspringOrder(index: number): Sale {
  const body = sampleBody('fastspring', 'order.completed-quantity');
  const [event] = body['events'] as { id: string; data: JsonObject }[];
  if (event === undefined) throw new Error('the sample is empty');
  event.id = `fs-event-${index}`;
  event.data['id'] = `order-${index}`;
  (event.data['customer'] as JsonObject)['email'] = `buyer-${index}@example.com`;
  const items = event.data['items'] as JsonObject[];
  for (const item of items) {
    item['quantity'] = 5;
    delete item['subscription'];
  }
  return { provider: 'fastspring', body: JSON.stringify(body), licenses: 5 * items.length };
}

function paddleTransaction(index: number): Sale {
  const body = sampleBody('paddle', 'transaction.completed-web');
  const data = body['data'] as JsonObject;
  body['event_id'] = `evt_paddle_${index}`;
  data['id'] = `txn_${index}`;
  data['customer_id'] = `ctm_${index}`;
  data['subscription_id'] = `sub_paddle_${index}`;
  const { line_items: lines } = data['details'] as { line_items: { quantity: number }[] };
  const licenses = lines.reduce((sum, { quantity }) => sum + quantity, 0);
  return { provider: 'paddle', body: JSON.stringify(body), licenses };
}

describe('a server that is ended', () => {
  let cryptlex: ServedSandbox;
  let server: ServerProcess;
  beforeEach(async () => {
    cryptlex = await composeSandbox({ port: 0, rateLimit: false });
    cryptlex.sandbox.faults.add({ effect: { kind: 'slow', ms: 15 } });
    server = await startServerProcess(cryptlex);
  });
  afterEach(async () => {
    await server.end('SIGKILL');
    await cryptlex.close();
  });

  const deliverAll = (): Promise<(number | undefined)[]> =>
    Promise.all(sales().map(({ provider, body }) => server.send(provider, body)));
  const wanted = sales().reduce((sum, { licenses }) => sum + licenses, 0);

  for (const calls of [5, 20, 40, 60]) {
    test(`by kill -9 at call ${calls}: all is delivered again, and each sale is licensed once`, async () => {
      const reached = new Promise<void>((resolve) => {
        cryptlex.sandbox.faults.onCall(({ index }) => {
          if (index === calls) resolve();
          return undefined;
        });
      });
      const answers = deliverAll();
      await reached;
      expect(await server.end('SIGKILL')).toBeNull();
      expect(await answers).toContain(undefined);
      expect(cryptlex.sandbox.state.licenses.length).toBeLessThan(wanted);
      const lines = [...server.lines];

      server = await startServerProcess(cryptlex);
      // A provider repeats what is refused, as a signature is that a busy machine looks at too late.
      await expect.poll(deliverAll).toEqual(sales().map(() => 200));
      await cryptlex.sandbox.faults.settled();
      expect(cryptlex.sandbox.state.licenses).toHaveLength(wanted);
      expect(cryptlex.sandbox.state.users).toHaveLength(sales().length);
      expect(secretsIn([...lines, ...server.lines], cryptlex)).toEqual([]);
    });
  }

  test('by SIGTERM: what runs is finished and answered, and it ends with 0', async () => {
    const first = new Promise<void>((resolve) => {
      cryptlex.sandbox.faults.onCall(() => {
        resolve();
        return undefined;
      });
    });
    const sale = fastspringOrder(0);
    const answer = server.send(sale.provider, sale.body);
    await first;
    const ended = server.end('SIGTERM');
    expect(await answer).toBe(200);
    expect(await ended).toBe(0);
    expect(cryptlex.sandbox.state.licenses).toHaveLength(sale.licenses);
    expect(await server.send(sale.provider, sale.body)).toBeUndefined();
    expect(server.lines.join('\n')).toContain('stopped');
    expect(server.lines.join('\n')).not.toContain('cut off');
  });

  test('by SIGTERM while nothing is to be done: without the wait for what runs', async () => {
    const startedMs = performance.now();
    expect(await server.end('SIGTERM')).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(SHUTDOWN_GRACE_MS);
  });
});
