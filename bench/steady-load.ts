// A process of its own that sends signed sales at even intervals, whatever becomes of those before, so
// that what it costs to make them is not taken for the server's time.
// Takes URL, COUNT and RATE (a second); prints {p50Ms, p99Ms} of the answers as one line of JSON.

import { Agent, request } from 'node:http';
import { type SignedDelivery, signedSale } from './sales.ts';

const [url = '', countText = '0', rateText = '1'] = process.argv.slice(2);
const count = Number(countText);
const intervalMs = 1000 / Number(rateText);
/** Deliveries before the ones that count: connections, statements and compiled code are there then. */
const WARM_UP = 300;

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

function send({ headers, body }: SignedDelivery): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/v1`, { method: 'POST', headers, agent }, (answer) => {
      answer.resume();
      answer.on('end', () => {
        if (answer.statusCode === 200 || answer.statusCode === 503) resolve();
        else reject(new Error(`answered ${answer.statusCode}`));
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

async function steadily(deliveries: readonly SignedDelivery[]): Promise<readonly number[]> {
  const latenciesMs: number[] = [];
  const startedAtMs = performance.now();
  const sent: Promise<void>[] = [];
  for (const [index, delivery] of deliveries.entries()) {
    const dueAtMs = startedAtMs + index * intervalMs;
    const waitMs = dueAtMs - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    // Counted from when it should have been sent, so that a stall is not hidden; a timer that comes
    // within its own grain of a millisecond is not the server's.
    const fromMs = Math.max(dueAtMs, performance.now() - 1);
    sent.push(
      send(delivery).then(() => {
        latenciesMs.push(performance.now() - fromMs);
      }),
    );
  }
  await Promise.all(sent);
  return latenciesMs.toSorted((a, b) => a - b);
}

// Signed before the first is sent; FastSpring signs no time.
const warmUp = Array.from({ length: WARM_UP }, (_, index) => signedSale(`warm${index}`));
const deliveries = Array.from({ length: count }, (_, index) => signedSale(`load${index}`));
await steadily(warmUp);
const latenciesMs = await steadily(deliveries);
const at = (share: number): number => latenciesMs[Math.floor(count * share)] ?? Number.NaN;
process.stdout.write(`${JSON.stringify({ p50Ms: at(0.5), p99Ms: at(0.99) })}\n`);
agent.destroy();
