// What a competent developer writes in an afternoon: Hono, the provider's own check, openapi-fetch over the
// global fetch, look the user up, create it, create the licenses, one line of log for each webhook.
// No journal: a second delivery licenses a second time, and what a crash interrupts is lost.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Server } from 'node:http';
import { serve } from '@hono/node-server';
import { Paddle } from '@paddle/paddle-node-sdk';
import { type Context, Hono } from 'hono';
import createClient from 'openapi-fetch';
import Stripe from 'stripe';
import type { paths } from '../../src/cryptlex/types.generated.ts';
import { reportToParent } from '../probe.ts';
import { type Work, workOf } from './sale.ts';

const secret = process.env['BENCH_SECRET'] ?? '';
const stripe = new Stripe('sk_test_unused');
const paddle = new Paddle('unused');
const cryptlex = createClient<paths>({
  baseUrl: process.env['CRYPTLEX_WEB_API_BASE_URL'] ?? '',
  headers: { authorization: `Bearer ${process.env['CRYPTLEX_ACCESS_TOKEN']}` },
});

async function handlePurchase(work: Extract<Work, { kind: 'purchase' }>): Promise<void> {
  const { email, firstName } = work;
  const query = { email: { eq: email }, page: 1, limit: 100 };
  const found = await cryptlex.GET('/v3/users', { params: { query } });
  let userId = found.data?.[0]?.id;
  if (userId === undefined) {
    const password = randomBytes(16).toString('hex');
    const body = { email, firstName, password, role: 'user' };
    const created = await cryptlex.POST('/v3/users', { body });
    if (created.data === undefined) throw new Error(`no user: ${created.response.status}`);
    userId = created.data.id;
  }
  for (const license of work.licenses) {
    const metadata = license.metadata.map((entry) => ({ ...entry, viewPermissions: [] }));
    const body = { ...license, metadata, userId };
    const { response } = await cryptlex.POST('/v3/licenses', { body });
    if (!response.ok) throw new Error(`no license: ${response.status}`);
  }
}

async function handleChange({ kind, find }: Extract<Work, { kind: 'renew' | 'suspend' }>) {
  for (let page = 1; ; page += 1) {
    const entry = { 'metadata.key': { eq: find.key }, 'metadata.value': { eq: find.value } };
    const query = { ...entry, page, limit: 100 };
    const { data = [] } = await cryptlex.GET('/v3/licenses', { params: { query } });
    for (const { id } of data) {
      const params = { path: { id } };
      const { response } =
        kind === 'renew'
          ? await cryptlex.POST('/v3/licenses/{id}/renew', { params })
          : await cryptlex.PATCH('/v3/licenses/{id}', { params, body: { suspended: true } });
      if (!response.ok) throw new Error(`not done: ${response.status}`);
    }
    if (data.length < 100) return;
  }
}

async function handle(c: Context, works: readonly Work[]) {
  if (works.some(({ kind }) => kind === 'none')) return c.json({ message: 'unsupported' }, 400);
  for (const work of works) {
    if (work.kind === 'purchase') await handlePurchase(work);
    else if (work.kind !== 'none') await handleChange(work);
    console.log(JSON.stringify({ time: new Date().toISOString(), done: work.kind }));
  }
  return c.json({ message: 'done' });
}

const app = new Hono();
app.post('/v1', async (c) => {
  const body = await c.req.text();
  const stripeSignature = c.req.header('stripe-signature');
  const paddleSignature = c.req.header('paddle-signature');
  try {
    if (stripeSignature !== undefined) {
      const event = await stripe.webhooks.constructEventAsync(body, stripeSignature, secret);
      return await handle(c, [workOf('stripe', event)]);
    }
    if (paddleSignature !== undefined) {
      // The SDK renames what it parses; the check alone is its own, the body is read as Paddle sends it.
      if (!(await paddle.webhooks.isSignatureValid(body, secret, paddleSignature)))
        throw new Error();
      return await handle(c, [workOf('paddle', JSON.parse(body))]);
    }
    const digest = createHmac('sha256', secret).update(body).digest();
    const given = Buffer.from(c.req.header('x-fs-signature') ?? '', 'base64');
    if (given.length !== digest.length || !timingSafeEqual(given, digest)) throw new Error();
    const { events } = JSON.parse(body) as { events: unknown[] };
    return await handle(
      c,
      events.map((event) => workOf('fastspring', event)),
    );
  } catch {
    return c.json({ message: 'not processed' }, 400);
  }
});

const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => {
  reportToParent(`http://127.0.0.1:${port}`, async () => {
    (server as Server).closeAllConnections();
  });
});
