// A whole world in one process and in virtual time: replicas of Keywright over one database, Cryptlex as
// the sandbox, providers that deliver until they are answered 200. Replicas die and are started again.
// Takes deliveries and trouble, gives what Cryptlex and the journal hold in the end.

import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { composeServer } from '../../src/app/server.ts';
import type { ServerHandle } from '../../src/app/server-options.ts';
import { randomOf } from '../../src/authoring/simulator/random.ts';
import type { Point } from '../../src/core/failpoints.ts';
import { PROVIDERS } from '../../src/core/providers.ts';
import { Secret } from '../../src/core/secret.ts';
import { createSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts';
import { signDelivery } from '../../src/verifiers/sign.ts';
import { PRODUCT_ID, SECRETS } from '../support/keywright.ts';
import { switchAllOn } from '../support/switched-on.ts';
import type { Delivery } from './lifecycles.ts';
import type { QuietClock } from './quiet-clock.ts';
import { faultsOf, type Trouble } from './trouble.ts';

const SHIPPED = fileURLToPath(new URL('../../rules/', import.meta.url));

function switchedOnRules(): string {
  const folder = mkdtempSync(join(tmpdir(), 'keywright-rules-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const provider of PROVIDERS) {
    cpSync(join(SHIPPED, `${provider}.yaml`), join(folder, `${provider}.yaml`));
  }
  return switchAllOn(folder);
}

const RULES_DIR = switchedOnRules();
/** The time-out of a call in virtual time; that of the client is real and never comes. */
const CALL_TIMEOUT_MS = 10_000;
/** Of each way. */
const LATENCY_MS_MAX = 400;
const REAL_TIMEOUT_MS = 120_000;
const REDELIVER_AFTER_MS = 60_000;
const REDELIVERIES_MAX = 30;

export interface WorldOptions {
  readonly clock: QuietClock;
  readonly databaseUrl: string;
  readonly replicas: number;
  readonly trouble: Trouble;
  /** The shipped rules with all switched on, where nothing is said. */
  readonly rulesDir?: string | undefined;
}

interface Replica {
  readonly server: ServerHandle;
  readonly died: Promise<undefined>;
  isDead: boolean;
}

export class World {
  readonly sandbox: Sandbox;
  readonly log: string[] = [];
  /** How often each thing happened, for the record. */
  readonly counts = { deliveries: 0, redeliveries: 0, crashes: 0, faults: 0 };
  readonly #options: WorldOptions;
  readonly #random: () => number;
  readonly #startMs: number;
  readonly #replicas: (Replica | undefined)[] = [];
  readonly #ending: Promise<unknown>[] = [];
  #crashes: Trouble['crashes'];
  #visits = 0;
  #isOver = false;

  constructor(options: WorldOptions) {
    this.#options = options;
    const { clock, trouble } = options;
    this.#startMs = clock.nowMs();
    this.#random = randomOf(trouble.seed + 1);
    this.#crashes = trouble.crashes;
    this.sandbox = createSandbox({
      clock,
      rateLimit: false,
      token: 'sandbox-token',
      defaultTemplate: { subscriptionInterval: 'P1Y' },
    });
    const decide = faultsOf(trouble);
    this.sandbox.faults.onCall((call) => {
      const effect = this.#isOver ? undefined : decide(call, clock.nowMs() - this.#startMs);
      if (effect !== undefined) this.counts.faults += 1;
      return effect;
    });
  }

  async start(): Promise<void> {
    for (let place = 0; place < this.#options.replicas; place += 1) await this.#startReplica(place);
  }

  async #startReplica(place: number): Promise<void> {
    let die: () => void = () => undefined;
    const died = new Promise<undefined>((resolve) => {
      die = () => resolve(undefined);
    });
    let replica: Replica | undefined;
    const { clock, databaseUrl } = this.#options;
    const never = new Promise<never>(() => undefined);
    const composition = await composeServer({
      env: {
        STRIPE_WEBHOOK_SECRET: SECRETS.stripe,
        FASTSPRING_WEBHOOK_SECRET: SECRETS.fastspring,
        PADDLE_WEBHOOK_SECRET: SECRETS.paddle,
        CRYPTLEX_ACCESS_TOKEN: 'sandbox-token',
        CRYPTLEX_WEB_API_BASE_URL: 'http://cryptlex.invalid',
        CRYPTLEX_PRODUCT_ID: PRODUCT_ID,
        CRYPTLEX_RATE_LIMIT: '10000/1s',
        DATABASE_URL: databaseUrl,
        RULES_DIR: this.#options.rulesDir ?? RULES_DIR,
        LOG_FORMAT: 'json',
      },
      readFile: (path) => readFileSync(path, 'utf8'),
      writeLog: (line) =>
        this.log.push(`${clock.nowMs() - this.#startMs} [${place}] ${line.trim()}`),
      stdoutIsTty: false,
      clock,
      databaseClock: clock,
      random: this.#random,
      cryptlexTimeoutMs: REAL_TIMEOUT_MS,
      // What a dead process would have sent next is never sent.
      fetch: (request) => (replica?.isDead === true ? never : this.#callCryptlex(request)),
      reach: async (point) => {
        if (replica === undefined) return;
        if (replica.isDead) await never;
        if (!this.#diesAt(point)) return;
        this.#crash(replica, place, die);
        await never;
      },
    });
    if (composition.kind === 'refused') throw new Error(composition.problems.join('\n'));
    replica = { server: composition.server, died, isDead: false };
    this.#replicas[place] = replica;
    composition.server.start();
  }

  #diesAt(point: Point): boolean {
    const [next] = this.#crashes;
    if (next?.point !== point || this.#isOver) return false;
    this.#visits += 1;
    return this.#visits >= next.nth;
  }

  #crash(replica: Replica, place: number, die: () => void): void {
    const [crash, ...rest] = this.#crashes;
    this.#crashes = rest;
    this.#visits = 0;
    this.counts.crashes += 1;
    replica.isDead = true;
    this.#replicas[place] = undefined;
    const gone = replica.server.abandon();
    die();
    const restart = async (): Promise<void> => {
      await this.#options.clock.sleep(crash?.downMs ?? 0);
      await this.#startReplica(place);
    };
    this.#ending.push(gone, restart());
  }

  /** One call under a time-out in virtual time. */
  async #callCryptlex(request: Request): Promise<Response> {
    const { clock } = this.#options;
    const timeout = new AbortController();
    const answered = new AbortController();
    void clock.sleep(CALL_TIMEOUT_MS, answered.signal).then((slept) => {
      if (slept) timeout.abort(new DOMException('the time-out has passed', 'TimeoutError'));
    });
    const signal = AbortSignal.any([request.signal, timeout.signal]);
    try {
      // On the way there and back others go on; a request on its way arrives whoever dies meanwhile.
      await clock.sleep(Math.floor(this.#random() * LATENCY_MS_MAX), signal);
      const answer = await this.sandbox.fetch(new Request(request, { signal }));
      await clock.sleep(Math.floor(this.#random() * LATENCY_MS_MAX), signal);
      signal.throwIfAborted();
      return answer;
    } finally {
      answered.abort();
    }
  }

  /** Delivers everything at its time, and again until it is answered 200, as the providers do. */
  async deliverAll(deliveries: readonly Delivery[]): Promise<void> {
    await Promise.all(deliveries.map((delivery) => this.#deliver(delivery)));
    while (this.#ending.length > 0) await Promise.all(this.#ending.splice(0));
  }

  async #deliver(delivery: Delivery): Promise<void> {
    const { clock } = this.#options;
    await clock.sleep(delivery.atMs - clock.nowMs());
    for (let tries = 0; tries < REDELIVERIES_MAX; tries += 1) {
      const answer = await this.#post(delivery);
      this.counts.deliveries += 1;
      if (answer === 200) return;
      this.counts.redeliveries += 1;
      await clock.sleep(REDELIVER_AFTER_MS);
    }
    throw new Error(
      `never answered 200: ${delivery.keys.join(', ')}\n${this.log.slice(-5).join('\n')}`,
    );
  }

  /** Undefined where the process died before it answered, or was not there. */
  async #post({ provider, body }: Delivery): Promise<number | undefined> {
    const alive = this.#replicas.filter((replica) => replica !== undefined);
    const replica = alive[Math.floor(this.#random() * alive.length)];
    if (replica === undefined) return undefined;
    const bytes = new TextEncoder().encode(JSON.stringify(body));
    const secret = new Secret(SECRETS[provider]);
    const timestampSeconds = Math.floor(this.#options.clock.nowMs() / 1000);
    const { header, value } = signDelivery(provider, bytes, { secret, timestampSeconds });
    const headers = { 'content-type': 'application/json', [header]: value };
    const request = replica.server.app.request('/v1', { method: 'POST', headers, body: bytes });
    const answer = await Promise.race([request, replica.died]);
    return replica.isDead ? undefined : answer?.status;
  }

  get anyReplica(): ServerHandle {
    const replica = this.#replicas.find((each) => each !== undefined);
    if (replica === undefined) throw new Error('no replica is running');
    return replica.server;
  }

  /** Waits until the journal has nothing left to do, but for what may wait for ever. */
  async settle(mayWait: (key: string) => boolean, everyMs = 10_000): Promise<void> {
    const { clock } = this.#options;
    // One look is no snapshot: an event may go from one status to another while it is taken.
    for (let looks = 0, idle = 0; looks < 2_000; looks += 1) {
      // Nobody can look where no replica is running, or where it dies while one does.
      const left = await this.#unfinished(mayWait).catch(() => ['unknown']);
      idle = left.length === 0 ? idle + 1 : 0;
      if (idle === 2) return;
      await clock.sleep(everyMs);
    }
    const left = await this.#unfinished(mayWait);
    throw new Error(`never finished: ${left.join(', ')}\n${this.log.slice(-20).join('\n')}`);
  }

  async #unfinished(mayWait: (key: string) => boolean): Promise<readonly string[]> {
    const { archive } = this.anyReplica;
    const left: string[] = [];
    for (const status of ['queued', 'running', 'parked', 'waiting'] as const) {
      const { events } = await archive.list({ status }, { limit: 1000 });
      const nowMs = this.#options.clock.nowMs();
      for (const { key, dueAtMs = 0 } of events) {
        // One that was woken is due at once.
        const isAsleep = status === 'waiting' && dueAtMs > nowMs;
        if (!isAsleep || !mayWait(key)) left.push(key);
      }
    }
    return left;
  }

  /** No faults and no crashes any more. */
  endTrouble(): void {
    this.#isOver = true;
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#ending);
    await Promise.all(this.#replicas.map((replica) => replica?.server.stop(1_000)));
  }
}
