// A whole world in one process and in virtual time: replicas of Keywright over one database, Cryptlex as
// the sandbox, providers that deliver until they are answered 200. Replicas die or stand still, and go on.
// Takes deliveries and trouble, gives what Cryptlex and the journal hold in the end.

import { readFileSync } from 'node:fs';
import { composeServer } from '../../src/app/server.ts';
import type { ServerHandle, World as ServerWorld } from '../../src/app/server-options.ts';
import { randomOf } from '../../src/authoring/simulator/random.ts';
import type { Point } from '../../src/core/failpoints.ts';
import { Secret } from '../../src/core/secret.ts';
import { createSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts';
import { signDelivery } from '../../src/verifiers/sign.ts';
import { PRODUCT_ID, SECRETS } from '../support/keywright.ts';
import { switchedOnRules } from '../support/switched-on.ts';
import type { Delivery } from './lifecycles.ts';
import type { QuietClock } from './quiet-clock.ts';
import { ReplicaClock } from './replica-clock.ts';
import { faultsOf, type Trouble } from './trouble.ts';

const RULES_DIR = switchedOnRules();
/** The time-out of a call in virtual time; that of the client is real and never comes. */
const CALL_TIMEOUT_MS = 10_000;
/** Of each way. */
const LATENCY_MS_MAX = 400;
const REAL_TIMEOUT_MS = 120_000;
const HOUR_MS = 3_600_000;
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
  readonly clock: ReplicaClock;
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
  readonly #accepted = new Set<string>();
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
      const effect = this.#isOver ? undefined : decide(call, this.sinceMs());
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
    const { databaseUrl, trouble } = this.#options;
    const clock = new ReplicaClock(this.#options.clock, trouble.skewsMs?.[place]);
    const never = new Promise<never>(() => undefined);
    const world: ServerWorld = {
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
      writeLog: (line) => this.log.push(`${this.sinceMs()} [${place}] ${line.trim()}`),
      stdoutIsTty: false,
      clock,
      databaseClock: this.#options.clock,
      random: this.#random,
      cryptlexTimeoutMs: REAL_TIMEOUT_MS,
      fetch: async (request) => {
        await clock.whileItStands();
        // What a dead process would have sent next is never sent.
        if (replica?.isDead === true) return never;
        // What stands still hears the answer when it goes on.
        return this.#callCryptlex(request).finally(() => clock.whileItStands());
      },
      reach: async (point) => {
        await clock.whileItStands();
        if (replica === undefined) return;
        if (replica.isDead) await never;
        const crash = this.#crashAt(point);
        if (crash === undefined) return;
        if (crash.stands === true) return clock.standStill(crash.downMs);
        this.#die(replica, place, crash.downMs);
        die();
        await never;
      },
    };
    const composition = await clock.run(() => composeServer(world));
    if (composition.kind === 'refused') throw new Error(composition.problems.join('\n'));
    replica = { server: composition.server, clock, died, isDead: false };
    this.#replicas[place] = replica;
    clock.run(() => composition.server.start());
  }

  /** Of virtual time, since it was made. */
  sinceMs(nowMs = this.#options.clock.nowMs()): number {
    return nowMs - this.#startMs;
  }

  #crashAt(point: Point): Trouble['crashes'][number] | undefined {
    const [next, ...rest] = this.#crashes;
    if (next?.point !== point || this.#isOver) return undefined;
    this.#visits += 1;
    if (this.#visits < next.nth) return undefined;
    this.#crashes = rest;
    this.#visits = 0;
    this.counts.crashes += 1;
    return next;
  }

  #die(replica: Replica, place: number, downMs: number): void {
    replica.isDead = true;
    this.#replicas[place] = undefined;
    const restart = async (): Promise<void> => {
      await this.#options.clock.sleep(downMs);
      await this.#startReplica(place);
    };
    this.#ending.push(replica.server.abandon(), restart());
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
    const { keys, after = [] } = delivery;
    while (!after.every((key) => this.#accepted.has(key))) await clock.sleep(REDELIVER_AFTER_MS);
    for (let tries = 0; tries < REDELIVERIES_MAX; tries += 1) {
      const answer = await this.#post(delivery);
      this.counts.deliveries += 1;
      if (answer === 200) {
        for (const key of keys) this.#accepted.add(key);
        return;
      }
      this.counts.redeliveries += 1;
      await clock.sleep(REDELIVER_AFTER_MS);
    }
    throw new Error(`never answered 200: ${keys.join(', ')}\n${this.log.slice(-5).join('\n')}`);
  }

  /**
   * Undefined where the process died before it answered, stands still, or was not there. The signature's
   * time is the replica's: one whose clock is wrong would refuse all of Stripe and Paddle.
   */
  async #post({ provider, body }: Delivery): Promise<number | undefined> {
    const alive = this.#replicas.filter((replica) => replica !== undefined);
    const replica = alive[Math.floor(this.#random() * alive.length)];
    if (replica === undefined || replica.clock.stands) return undefined;
    const bytes = new TextEncoder().encode(JSON.stringify(body));
    const secret = new Secret(SECRETS[provider]);
    const timestampSeconds = Math.floor(replica.clock.nowMs() / 1000);
    const { header, value } = signDelivery(provider, bytes, { secret, timestampSeconds });
    const headers = { 'content-type': 'application/json', [header]: value };
    const init = { method: 'POST', headers, body: bytes };
    const request = replica.clock.run(() => replica.server.app.request('/v1', init));
    const answer = await Promise.race([request, replica.died]);
    return replica.isDead ? undefined : answer?.status;
  }

  get anyReplica(): ServerHandle {
    const replica = this.#replicas.find((each) => each !== undefined);
    if (replica === undefined) throw new Error('no replica is running');
    return replica.server;
  }

  /** Waits until the journal has nothing left to do, but for what may wait for ever. */
  async settle(
    mayWait: (key: string) => boolean,
    { everyMs = 10_000, withinMs = 6 * HOUR_MS }: { everyMs?: number; withinMs?: number } = {},
  ): Promise<void> {
    const { clock } = this.#options;
    const untilMs = clock.nowMs() + withinMs;
    // One look is no snapshot: an event may go from one status to another while it is taken.
    for (let idle = 0; clock.nowMs() < untilMs; ) {
      // Nobody can look where no replica is running, or where it dies while one does.
      const left = await this.#unfinished(mayWait).catch(() => ['unknown']);
      idle = left.length === 0 ? idle + 1 : 0;
      if (idle === 2) return;
      await clock.sleep(everyMs);
    }
    const left = await this.#unfinished(mayWait);
    throw new Error(
      `not finished within ${withinMs} ms: ${left.join(', ')}\n${this.log.slice(-20).join('\n')}`,
    );
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
