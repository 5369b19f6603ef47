// A soak: real servers under real HTTP and real signatures for as long as one likes, while everything goes wrong
// that may. Takes a size and a seed, gives what came of it: what was lost, what was doubled, and what happened.

import { EVENT_STATUSES } from '../../src/core/model.ts';
import type { Archive } from '../../src/journal/archive.ts';
import { openArchive } from '../../src/journal/open-journal.ts';
import { composeSandbox, type ServedSandbox } from '../../src/sandbox/compose-sandbox.ts';
import { licensesByLine, lineName, toSeen } from '../exactly-once/check.ts';
import type { Delivery } from '../exactly-once/lifecycles.ts';
import { differences } from '../exactly-once/model.ts';
import { faultsOf } from '../exactly-once/trouble.ts';
import { switchedOnRules } from '../support/switched-on.ts';
import { Fleet } from './fleet.ts';
import { endlessSales, type ToldSale } from './traffic.ts';

export interface SoakOptions {
  readonly databaseUrl: string;
  readonly replicas: number;
  /** How many are sent at least, further attempts not counted. */
  readonly deliveries: number;
  readonly seed: number;
  /** Ends the sending, however much was sent. */
  readonly untilMs?: number;
  readonly onProgress?: (line: string) => void;
}

export interface SoakReport {
  readonly sales: number;
  readonly facts: number;
  readonly deliveries: number;
  readonly attempts: number;
  readonly events: number;
  readonly licenses: number;
  readonly kills: number;
  readonly stops: number;
  readonly faults: number;
  readonly staleLists: number;
  readonly lost: number;
  readonly doubled: number;
  /** What is not as each fact applied once would leave it, in words. */
  readonly wrong: readonly string[];
  readonly seconds: number;
}

/** Sales that are told side by side. */
const SIDE_BY_SIDE = 96;
const RETRY_MS = 500;
const FAULT_RATE = 0.02;
const STALE_MS_MAX = 4_000;
/** After the last delivery; a pause between two tries is 15 min at most. */
const DONE_WITHIN_MS = 30 * 60_000;
const LOOK_EVERY_MS = 1_000;
const TELL_EVERY_MS = 15_000;

export async function soak(options: SoakOptions): Promise<SoakReport> {
  const run = new Soak(
    options,
    await composeSandbox({ port: 0, rateLimit: false, options: SILENT }),
  );
  return run.live();
}

const SILENT = { recordRequests: false, defaultTemplate: { subscriptionInterval: 'P1Y' } };

class Soak {
  readonly #options: SoakOptions;
  readonly #cryptlex: ServedSandbox;
  readonly #fleet: Fleet;
  readonly #env: Readonly<Record<string, string>>;
  readonly #sales: ToldSale['sale'][] = [];
  readonly #counts = { deliveries: 0, attempts: 0, events: 0, faults: 0, staleLists: 0 };

  constructor(options: SoakOptions, cryptlex: ServedSandbox) {
    this.#options = options;
    this.#cryptlex = cryptlex;
    this.#env = {
      DATABASE_URL: options.databaseUrl,
      CRYPTLEX_RATE_LIMIT: '10000/1s',
      WEBHOOK_DEADLINE_MS: '200',
      LOG_LEVEL: 'error',
      RULES_DIR: switchedOnRules(),
    };
    this.#fleet = new Fleet({
      ...{ cryptlex, env: this.#env, replicas: options.replicas, seed: options.seed },
    });
  }

  async live(): Promise<SoakReport> {
    const startedMs = Date.now();
    try {
      await this.#fleet.start();
      const takeBack = this.#breakCalls();
      this.#fleet.beginTrouble();
      await this.#sendAll();
      await this.#fleet.endTrouble();
      takeBack();
      const late = await this.#untilDone();
      const { lost, doubled, wrong } = this.#compare();
      return {
        ...{ sales: this.#sales.length, ...this.#counts, ...this.#fleet.counts },
        facts: this.#sales.reduce((sum, { facts }) => sum + 1 + facts.length, 0),
        licenses: this.#cryptlex.sandbox.state.licenses.length,
        ...{ lost: lost + late.length, doubled, wrong: [...late, ...wrong] },
        seconds: Math.round((Date.now() - startedMs) / 1000),
      };
    } finally {
      await this.#fleet.stop();
      await this.#cryptlex.close();
    }
  }

  #breakCalls(): () => void {
    const decide = faultsOf({
      ...{ seed: this.#options.seed, faultRate: FAULT_RATE, staleMsMax: STALE_MS_MAX },
      ...{ faultCalls: Number.POSITIVE_INFINITY, outage: undefined, crashes: [] },
    });
    return this.#cryptlex.sandbox.faults.onCall((call) => {
      const effect = decide(call, 0);
      if (effect?.kind === 'staleList') this.#counts.staleLists += 1;
      else if (effect !== undefined) this.#counts.faults += 1;
      return effect;
    });
  }

  async #sendAll(): Promise<void> {
    const { deliveries: wanted, untilMs = Number.POSITIVE_INFINITY, seed } = this.#options;
    const sales = endlessSales(seed);
    const tell = setInterval(() => this.#tell('sent'), TELL_EVERY_MS);
    const sendOn = async (): Promise<void> => {
      while (this.#counts.deliveries < wanted && Date.now() < untilMs) {
        const told = sales.next();
        if (told.done === true) return;
        const { sale, deliveries } = told.value;
        this.#sales.push(sale);
        this.#counts.deliveries += deliveries.length;
        this.#counts.events += new Set(deliveries.flatMap(({ keys }) => keys)).size;
        for (const delivery of deliveries) await this.#send(delivery);
      }
    };
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, sendOn)).finally(() =>
      clearInterval(tell),
    );
  }

  /** Again until it is answered 200, as the providers do. */
  async #send({ provider, body }: Delivery): Promise<void> {
    const text = JSON.stringify(body);
    for (;;) {
      const server = this.#fleet.pick();
      if (server !== undefined) this.#counts.attempts += 1;
      if ((await server?.send(provider, text)) === 200) return;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  /** Gives what is not done, in words. */
  async #untilDone(): Promise<readonly string[]> {
    const { archive, close } = await openArchive(this.#env);
    try {
      const untilMs = Date.now() + DONE_WITHIN_MS;
      let toldMs = 0;
      for (;;) {
        const done =
          (await archive.count({ status: 'done' })) + (await archive.count({ status: 'ignored' }));
        if (done === this.#counts.events) return [];
        if (Date.now() > untilMs) return unfinished(archive, this.#counts.events);
        if (Date.now() - toldMs > TELL_EVERY_MS) {
          this.#tell(`done ${done} of`);
          toldMs = Date.now();
        }
        await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
      }
    } finally {
      await close();
    }
  }

  #compare(): Pick<SoakReport, 'lost' | 'doubled' | 'wrong'> {
    const { licenses } = this.#cryptlex.sandbox.state;
    const byLine = licensesByLine(licenses);
    const wrong: string[] = [];
    let lost = 0;
    let doubled = 0;
    for (const sale of this.#sales) {
      for (const line of sale.lines) {
        const found = byLine.get(lineName(line.reference, line.productId)) ?? [];
        lost += Math.max(0, line.quantity - found.length);
        doubled += Math.max(0, found.length - line.quantity);
        for (const each of differences(sale, line, found.map(toSeen))) {
          wrong.push(
            `${line.reference.join(' ')}: ${each} (${found.map(({ id }) => id).join(' ')})`,
          );
        }
      }
    }
    for (const { method, path, message } of this.#cryptlex.sandbox.violations.slice(0, 10)) {
      wrong.push(`${method} ${path} broke the document: ${message}`);
    }
    return { lost, doubled, wrong };
  }

  #tell(what: string): void {
    const counts = { ...this.#counts, ...this.#fleet.counts };
    this.#options.onProgress?.(`${what} ${JSON.stringify(counts)}`);
  }
}

async function unfinished(archive: Archive, events: number): Promise<readonly string[]> {
  const found: string[] = [];
  let known = 0;
  for (const status of EVENT_STATUSES) {
    known += await archive.count({ status });
    if (status === 'done' || status === 'ignored') continue;
    const { events: some } = await archive.list({ status }, { limit: 100 });
    for (const { key, outcome } of some) {
      found.push(`${key} is ${status}: ${outcome?.reason ?? 'no reason'}`);
    }
  }
  if (known !== events) found.push(`${known} events are in the journal, ${events} were sent`);
  return found;
}
