// One run: a scenario under trouble, and everything that has to hold at its end.
// Takes the scenario and a database, throws what does not hold, with the log.

import type { SandboxLicense } from '../../src/sandbox/types.ts';
import type { Scenario } from './lifecycles.ts';
import { differences, hasEnded, type Line, type Sale, type Seen } from './model.ts';
import type { QuietClock } from './quiet-clock.ts';
import type { Trouble } from './trouble.ts';
import { World } from './world.ts';

export interface Counts {
  runs: number;
  events: number;
  deliveries: number;
  redeliveries: number;
  crashes: number;
  faults: number;
  calls: number;
}

export function noCounts(): Counts {
  return { runs: 0, events: 0, deliveries: 0, redeliveries: 0, crashes: 0, faults: 0, calls: 0 };
}

export interface RunOptions {
  readonly clock: QuietClock;
  readonly databaseUrl: string;
  readonly replicas: number;
  /** Rules under which a failed payment suspends after `GRACE` only. */
  readonly graceRulesDir?: string;
}

export async function runScenario(
  scenario: Scenario,
  trouble: Trouble,
  options: RunOptions,
  counts: Counts,
): Promise<void> {
  const { clock } = options;
  await clock.run(
    (async () => {
      const rulesDir = scenario.hasGrace ? options.graceRulesDir : undefined;
      const world = new World({ ...options, trouble, rulesDir });
      await world.start();
      try {
        await liveThrough(world, scenario);
        await checkReplay(world, scenario);
      } catch (error) {
        const { message } = error as Error;
        throw new Error(`${message}\n${storyOf(world, message)}`);
      } finally {
        await world.stop();
      }
      counts.runs += 1;
      counts.events += new Set(scenario.deliveries.flatMap(({ keys }) => keys)).size;
      counts.calls += world.sandbox.requests.length;
      for (const name of ['deliveries', 'redeliveries', 'crashes', 'faults'] as const) {
        counts[name] += world.counts[name];
      }
    })(),
  );
}

/** The longest pause between two tries, twice; a clock that is an hour off must not put off anything so long. */
const DONE_WITHIN_MS = 40 * 60_000;

async function liveThrough(world: World, scenario: Scenario): Promise<void> {
  await world.deliverAll(scenario.deliveries);
  await world.settle((key) => isOfEnded(key, scenario), { withinMs: DONE_WITHIN_MS });
  world.endTrouble();
  await world.sandbox.faults.settled();
  checkLicenses(world, scenario.sales);
  await checkEvents(world, scenario);
  const [violation] = world.sandbox.violations;
  if (violation !== undefined)
    throw new Error(`a request broke the document: ${violation.message}`);
}

/** After the end of a sale its older events find nothing; that is the freedom which the model leaves. */
function isOfEnded(key: string, { sales }: Scenario): boolean {
  return sales.some(
    (sale, index) =>
      key.startsWith(`fastspring:FSEVENT-${index}-`) &&
      sale.lines.some((line) => hasEnded(sale, line)),
  );
}

export function checkLicenses({ sandbox }: World, sales: readonly Sale[]): void {
  const wrong: string[] = [];
  const expected = new Set<string>();
  const { licenses } = sandbox.state;
  const byLine = licensesByLine(licenses);
  sales.forEach((sale, index) => {
    for (const line of sale.lines) {
      const found = byLine.get(lineName(line.reference, line.productId)) ?? [];
      for (const { id } of found) expected.add(id);
      for (const each of differences(sale, line, found.map(toSeen))) {
        const ids = found.map(({ id }) => id).join(' ');
        wrong.push(`sale ${index}, ${line.reference.join(' ')}: ${each} (${ids})`);
      }
    }
  });
  const strangers = licenses.filter(({ id }) => !expected.has(id));
  if (strangers.length > 0) wrong.push(`${strangers.length} licenses that nobody bought`);
  const emails = sandbox.state.users.map(({ email }) => email.toLowerCase());
  if (new Set(emails).size !== emails.length) wrong.push('two users of one address');
  if (wrong.length > 0) throw new Error(wrong.join('\n'));
}

/** Those of each line, by `lineName`. */
export function licensesByLine(
  licenses: readonly SandboxLicense[],
): ReadonlyMap<string, readonly SandboxLicense[]> {
  const byLine = new Map<string, SandboxLicense[]>();
  for (const license of licenses) {
    for (const { key, value } of license.metadata) {
      const name = lineName([key, value], license.productId);
      byLine.set(name, [...(byLine.get(name) ?? []), license]);
    }
  }
  return byLine;
}

export const lineName = ([key, value]: Line['reference'], productId: string): string =>
  [key, value, productId].join(' ');

export function toSeen(license: SandboxLicense): Seen {
  return {
    productId: license.productId,
    ownerEmail: license.user?.email,
    suspended: license.suspended,
    revoked: license.revoked,
    createdAtMs: Date.parse(license.createdAt),
    expiresAtMs: license.expiresAt === null ? undefined : Date.parse(license.expiresAt),
  };
}

/** Nothing verified is lost, and nothing of it failed. */
async function checkEvents(world: World, scenario: Scenario): Promise<void> {
  const { archive } = world.anyReplica;
  const wrong: string[] = [];
  for (const key of new Set(scenario.deliveries.flatMap(({ keys }) => keys))) {
    const id = key.slice(key.indexOf(':') + 1);
    const [found] = await archive.findKeys(id);
    const details = found === undefined ? undefined : await archive.details(found);
    const status = details?.record.status ?? 'lost';
    if (status === 'done' || status === 'ignored') continue;
    if ((status === 'waiting' || status === 'failed') && isOfEnded(key, scenario)) continue;
    wrong.push(`${key} is ${status}: ${details?.record.outcome?.reason ?? ''}`);
  }
  if (wrong.length > 0) throw new Error(wrong.join('\n'));
}

/** Every done event once more: not one writing call. */
async function checkReplay(world: World, scenario: Scenario): Promise<void> {
  const { archive } = world.anyReplica;
  const before = world.sandbox.requests.length;
  const { events } = await archive.list({ status: 'done' }, { limit: 1000 });
  for (const { key } of events) await archive.requestReplay(key, 'again');
  await world.settle((key) => isOfEnded(key, scenario));
  const writes = world.sandbox.requests.slice(before).filter(({ method }) => method !== 'GET');
  if (writes.length > 0) {
    const told = writes.map(
      ({ method, path, body }) => `${method} ${path} ${JSON.stringify(body)}`,
    );
    throw new Error(`replaying wrote:\n${told.join('\n')}`);
  }
  checkLicenses(world, scenario.sales);
}

/** What happened to the licenses and sales that a failure names, or in the end, for whoever reads it. */
function storyOf(world: World, failure: string): string {
  const named = failure.match(/[0-9a-f]{8}-[0-9a-f-]{27}|\b(?:f?sub|order)[_-]\d+\b/g) ?? [];
  const isNamed = (text: string): boolean => named.some((name) => text.includes(name));
  const calls = world.sandbox.requests.map(({ method, path, status, atMs, query, body }) => {
    const told = path.includes('licenses') ? JSON.stringify(method === 'GET' ? query : body) : '';
    return `${world.sinceMs(atMs)} ${method} ${path} ${status} ${told}`;
  });
  const lines = [...calls, ...world.log];
  const about = named.length === 0 ? lines.slice(-160) : lines.filter(isNamed);
  return about
    .toSorted((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
    .map((line) => line.slice(0, 400))
    .join('\n');
}
