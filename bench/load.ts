// Sends deliveries over kept connections, so many in flight, and takes down how long each answer took.
// Runs in the process that measures, never in one that is measured.

import { Agent, request } from 'node:http';
import type { SignedDelivery } from './events.ts';

export interface Sender {
  /** Gives the status of the answer, once it has come whole. */
  send(delivery: SignedDelivery): Promise<number>;
  close(): void;
}

export function createSender(url: string): Sender {
  const agent = new Agent({ keepAlive: true, maxSockets: 512 });
  const { hostname, port } = new URL(url);
  return {
    send: ({ headers, body }) =>
      new Promise((resolve, reject) => {
        const options = {
          ...{ hostname, port, path: '/v1', method: 'POST', agent },
          headers: { ...headers, 'content-length': body.byteLength },
        };
        const sent = request(options, (answer) => {
          answer.resume();
          answer.on('end', () => resolve(answer.statusCode ?? 0));
        });
        sent.on('error', reject);
        sent.end(body);
      }),
    close: () => agent.destroy(),
  };
}

export interface LoadResult {
  readonly wallMs: number;
  readonly latenciesMs: readonly number[];
}

/**
 * Sends the deliveries `from` up to `from + count`.
 * @throws Error when an answer has another status than is expected: what does not work is not measured
 */
export async function load(
  sender: Sender,
  make: (number: number) => SignedDelivery,
  {
    from,
    count,
    inFlight,
    status,
  }: { from: number; count: number; inFlight: number; status: number },
): Promise<LoadResult> {
  const latenciesMs: number[] = [];
  let next = from;
  const work = async (): Promise<void> => {
    while (next < from + count) {
      const delivery = make(next);
      next += 1;
      const startedAtMs = performance.now();
      const answered = await sender.send(delivery);
      latenciesMs.push(performance.now() - startedAtMs);
      if (answered !== status) throw new Error(`answered ${answered}, not ${status}`);
    }
  };
  const startedAtMs = performance.now();
  await Promise.all(Array.from({ length: Math.min(inFlight, count) }, work));
  return { wallMs: performance.now() - startedAtMs, latenciesMs };
}
