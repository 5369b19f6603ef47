// Signed deliveries for the benchmarks: sales of their own, each by a customer of its own.
// Makes bytes and headers; never sends anything.

import { readFileSync } from 'node:fs';
import { signedHeaders } from '../src/compose-verifiers.ts';
import { Secret } from '../src/secret.ts';

export const SECRET = 'bench secret of the journal';

export interface SignedDelivery {
  readonly headers: Record<string, string>;
  readonly body: Buffer<ArrayBuffer>;
}

const SALE = readFileSync(
  new URL('../samples/fastspring/order.completed.json', import.meta.url),
  'utf8',
);

/** One order of FastSpring's, as it is sent; `type` makes another event of it. */
export function signedSale(id: string, type?: string): SignedDelivery {
  const { events } = JSON.parse(SALE) as { events: Record<string, unknown>[] };
  const [event = {}] = events;
  const data = event['data'] as Record<string, unknown>;
  const [item = {}] = data['items'] as Record<string, unknown>[];
  Object.assign(event, { id, created: Date.now(), ...(type === undefined ? {} : { type }) });
  Object.assign(data, { id: `order-${id}` });
  Object.assign(item['subscription'] as object, { id: `subscription-${id}` });
  Object.assign(data['customer'] as object, { email: `${id}@example.com` });
  const body = Buffer.from(JSON.stringify({ events }));
  const timestampSeconds = Math.floor(Date.now() / 1000);
  const headers = signedHeaders('fastspring', body, {
    ...{ secret: new Secret(SECRET), timestampSeconds },
  });
  return { headers, body };
}
