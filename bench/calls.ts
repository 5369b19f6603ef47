// How many calls to Cryptlex an event costs. Plays the common cases against the composed server and the
// sandbox, over real HTTP with real signatures, and counts the requests that arrived.

import { readFileSync } from 'node:fs';
import { composeServer } from '../src/compose.ts';
import { composeSandbox } from '../src/compose-sandbox.ts';
import { signedHeaders } from '../src/compose-verifiers.ts';
import type { JsonObject } from '../src/model.ts';
import { Secret } from '../src/secret.ts';

export interface CallCount {
  readonly name: string;
  readonly reads: number;
  readonly writes: number;
  /** The writing calls that the case needs: no more, no fewer. */
  readonly writesWanted: number;
  /** The goal for all calls of a fresh event, where the journal keeps state. */
  readonly callsWanted: number;
}

const SECRET = 'bench secret of fastspring';

/** The cases in their order: each builds on what the one before left in Cryptlex. */
const CASES: readonly {
  readonly name: string;
  readonly sample: string;
  readonly edit?: (event: JsonObject) => void;
  readonly writesWanted: number;
  readonly readsWanted: number;
}[] = [
  { name: 'first purchase', sample: 'order.completed', writesWanted: 2, readsWanted: 0 },
  {
    name: 'repeat customer',
    sample: 'order.completed',
    edit: (event) => {
      event['id'] = 'BENCHREPEATCUSTOMER';
      (event['data'] as JsonObject)['id'] = 'bench-second-order-id';
      const items = (event['data'] as JsonObject)['items'] as JsonObject[];
      for (const item of items) (item['subscription'] as JsonObject)['id'] = 'bench-second-sub';
    },
    writesWanted: 1,
    readsWanted: 0,
  },
  {
    name: 'renewal of one license',
    sample: 'subscription.charge.completed',
    writesWanted: 1,
    readsWanted: 1,
  },
  {
    name: 'the same event again (duplicate)',
    sample: 'subscription.charge.completed',
    writesWanted: 0,
    readsWanted: 0,
  },
  {
    name: 'the same charge under a new event id',
    sample: 'subscription.charge.completed',
    edit: (event) => {
      event['id'] = 'BENCHMANUALRESEND';
    },
    writesWanted: 0,
    readsWanted: 1,
  },
  {
    name: 'suspension of one license',
    sample: 'subscription.payment.overdue',
    writesWanted: 1,
    readsWanted: 1,
  },
  {
    name: 'deletion of one license',
    sample: 'subscription.deactivated',
    writesWanted: 1,
    readsWanted: 1,
  },
];

/**
 * @param databaseUrl the kind of journal; with one that keeps state the events happen now, so that
 * nothing is looked for that only other software could have made
 */
export async function countCalls(databaseUrl: string): Promise<readonly CallCount[]> {
  const cryptlex = await composeSandbox({ port: 0, rateLimit: false });
  const composition = await composeServer({
    env: {
      FASTSPRING_WEBHOOK_SECRET: SECRET,
      CRYPTLEX_ACCESS_TOKEN: cryptlex.token,
      CRYPTLEX_WEB_API_BASE_URL: cryptlex.url,
      RULES_DIR: new URL('../rules', import.meta.url).pathname,
      DATABASE_URL: databaseUrl,
      HOST: '127.0.0.1',
      PORT: '0',
      LOG_LEVEL: 'silent',
    },
    readFile: (path) => readFileSync(path, 'utf8'),
    writeLog: () => undefined,
    stdoutIsTty: false,
  });
  if (composition.kind === 'refused') throw new Error(composition.problems.join('\n'));
  const { server } = composition;
  const { url } = await server.listen();
  server.start();
  const counts: CallCount[] = [];
  for (const { name, sample, edit, writesWanted, readsWanted } of CASES) {
    const before = cryptlex.sandbox.requests.length;
    await send(url, sample, edit);
    const made = cryptlex.sandbox.requests.slice(before);
    const reads = made.filter(({ method }) => method === 'GET').length;
    const callsWanted = writesWanted + readsWanted;
    counts.push({ name, reads, writes: made.length - reads, writesWanted, callsWanted });
  }
  await server.stop();
  await cryptlex.close();
  return counts;
}

/** Each event is later than the one before, and than the journal's begin. */
let lastMs = 0;

async function send(
  url: string,
  sample: string,
  edit: ((event: JsonObject) => void) | undefined,
): Promise<void> {
  const file = new URL(`../samples/fastspring/${sample}.json`, import.meta.url);
  const delivery = JSON.parse(readFileSync(file, 'utf8')) as { events: JsonObject[] };
  lastMs = Math.max(Date.now() + 1, lastMs + 1);
  for (const event of delivery.events) event['created'] = lastMs;
  for (const event of delivery.events) edit?.(event);
  const body = Buffer.from(JSON.stringify(delivery));
  const timestampSeconds = Math.floor(Date.now() / 1000);
  const secret = new Secret(SECRET);
  const headers = signedHeaders('fastspring', body, { secret, timestampSeconds });
  const response = await fetch(`${url}/v1`, { method: 'POST', headers, body });
  if (response.status !== 200) throw new Error(`${sample}: ${await response.text()}`);
}
