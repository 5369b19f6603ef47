// npm run bench: what an event costs, as ratios within one run. Prints three tables:
//   1. verify + match + plan for each event, against a bare check of the same bytes (node:crypto and
//      JSON.parse, the least that anybody has to do);
//   2. calls to Cryptlex for each event of the common cases, counted at the sandbox;
//   3. what the journal costs in SQLite, against memory.
// With --short fewer rounds; it fails only where a ratio or a count is far out. Absolute times are
// shown for orientation and never judged.

import { createHmac, timingSafeEqual } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { ACTIONS } from '../src/actions/definitions.ts';
import { loadRuleFile } from '../src/engine/load.ts';
import { matchEvent, subjectsOf } from '../src/engine/match.ts';
import type { RuleSet } from '../src/engine/rules.ts';
import type { Provider } from '../src/model.ts';
import { Secret } from '../src/secret.ts';
import { signDelivery } from '../src/verifiers/sign.ts';
import { createVerifier } from '../src/verifiers/verifier.ts';
import { countCalls } from './calls.ts';
import { benchJournal } from './journal.ts';
import { measure, spread } from './measure.ts';

const SHORT = process.argv.includes('--short');
const ROUNDS = SHORT ? 15 : 60;
const EVENTS_PER_ROUND = SHORT ? 40 : 100;
/** The whole of rules and safety may cost this many bare checks, and no more. Seen: 7 to 18 (2026-11). */
const RATIO_MAX = 100;

const SAMPLES: readonly (readonly [Provider, string])[] = [
  ['stripe', 'customer.created'],
  ['stripe', 'invoice.paid-subscription-create'],
  ['stripe', 'invoice.paid-subscription-cycle'],
  ['fastspring', 'order.completed'],
  ['fastspring', 'order.completed-bundle'],
  ['fastspring', 'subscription.charge.completed'],
  ['paddle', 'transaction.completed-web'],
  ['paddle', 'transaction.completed-web-mixed'],
  ['paddle', 'transaction.completed-subscription-recurring'],
];

const SECRET = new Secret('bench secret');
const ENV = { CRYPTLEX_PRODUCT_ID: 'product' };

function rulesOf(provider: Provider): RuleSet {
  const file = `rules/${provider}.yaml`;
  const text = readFileSync(new URL(`../${file}`, import.meta.url), 'utf8');
  const { ruleSet } = loadRuleFile({ file, text, readBeside: () => undefined }, ACTIONS);
  if (ruleSet === undefined) throw new Error(`${file} has errors`);
  return ruleSet;
}

/** The least that a webhook needs: the digest of the bytes, compared in constant time, and its JSON. */
function bareCheck(body: Buffer, digest: Buffer): unknown {
  const computed = createHmac('sha256', SECRET.reveal()).update(body).digest();
  return timingSafeEqual(computed, digest) ? JSON.parse(body.toString('utf8')) : undefined;
}

async function benchSample(provider: Provider, sample: string): Promise<number> {
  const ruleSet = rulesOf(provider);
  const body = readFileSync(new URL(`../samples/${provider}/${sample}.json`, import.meta.url));
  const verifier = createVerifier(provider, { secrets: [SECRET], toleranceSeconds: 86_400 });
  const receivedAtMs = Date.now();
  const timestampSeconds = Math.floor(receivedAtMs / 1000);
  const { value: signature } = signDelivery(provider, body, { secret: SECRET, timestampSeconds });
  const digest = createHmac('sha256', SECRET.reveal()).update(body).digest();
  const request = { signature, rawBody: body, receivedAtMs };

  const plan = async (): Promise<void> => {
    const delivery = await verifier.verify(request, provider);
    for (const event of delivery.events) {
      await subjectsOf(ruleSet, event, ENV);
      const match = await matchEvent(ruleSet, event, ENV);
      if (match.kind !== 'matched') throw new Error(`${sample} does not match`);
    }
  };
  const bare = async (): Promise<void> => {
    if (bareCheck(body, digest) === undefined) throw new Error('the bare check failed');
  };
  const [planned = [], checked = []] = await measure([plan, bare], ROUNDS, EVENTS_PER_ROUND);
  const ratios = planned.map((microseconds, index) => microseconds / (checked[index] ?? 1));
  const row = [
    `${provider} ${sample}`.padEnd(52),
    `${body.byteLength}`.padStart(6),
    spread(planned).padStart(18),
    spread(checked).padStart(16),
    spread(ratios).padStart(16),
  ];
  console.log(row.join('  '));
  return ratios.toSorted((a, b) => a - b)[Math.floor(ratios.length / 2)] ?? Number.NaN;
}

console.log(
  `Node ${process.version}, ${cpus().length} cores, ${cpus()[0]?.model ?? 'unknown processor'}`,
);
console.log(`${ROUNDS} rounds of ${EVENTS_PER_ROUND} events; median (least – most)\n`);
console.log(
  [
    'verify + subjects + match + plan, per event'.padEnd(52),
    'bytes'.padStart(6),
    'Keywright µs'.padStart(18),
    'bare check µs'.padStart(16),
    'ratio'.padStart(16),
  ].join('  '),
);
let isFarOut = false;
for (const [provider, sample] of SAMPLES) {
  const ratio = await benchSample(provider, sample);
  isFarOut ||= !(ratio < RATIO_MAX);
}

const directory = mkdtempSync(join(tmpdir(), 'keywright-bench-'));
const inMemory = await countCalls('memory:');
const durable = await countCalls(`sqlite:${join(directory, 'journal.db')}`);
rmSync(directory, { recursive: true, force: true });
console.log(`\n${'calls to Cryptlex (reads + writes)'.padEnd(52)}  memory  SQLite, fresh  goal`);
for (const [index, { name, reads, writes, writesWanted, callsWanted }] of durable.entries()) {
  const other = inMemory[index];
  const numbers = [
    `${other?.reads} + ${other?.writes}`.padStart(6),
    `${reads} + ${writes}`.padStart(13),
    String(callsWanted).padStart(4),
  ];
  console.log(`${name.padEnd(52)}  ${numbers.join('  ')}`);
  if (writes !== writesWanted || other?.writes !== writesWanted || reads + writes > callsWanted) {
    console.log(`  ${callsWanted} calls were wanted, ${writesWanted} of them writing`);
    isFarOut = true;
  }
}
isFarOut = (await benchJournal(SHORT)) || isFarOut;
if (isFarOut) {
  console.log('\nA figure is far out.');
  process.exitCode = 1;
}
