// PostgreSQL under the SQL journal: several replicas share it. Time is the database's, subjects are
// held by advisory locks of a transaction, wake-ups go by LISTEN and NOTIFY.
// A broken connection is a JOURNAL_UNAVAILABLE for the call, never for the process.

import pg from 'pg';
import { AppError } from '../../core/error-codes.ts';
import type { Clock } from '../../core/model.ts';
import type { Secret } from '../../core/secret.ts';
import {
  type Durability,
  listed,
  type News,
  type SqlDatabase,
  type SqlTransaction,
  storedValues,
} from './database.ts';

const CONNECTIONS_MAX = 10;
const CONNECT_MS = 5_000;
const STATEMENT_MS = 15_000;
/** What only reads sets nothing in the database, so that we end it; what writes is ended there, and before. */
const ANSWER_MS = 20_000;
const RECONNECT_MS = 1_000;
const CHANNEL = 'keywright';
/** How often a transaction is run again after a deadlock or a serialisation failure. */
const TRIES = 4;

const CLOCK = 'select (extract(epoch from clock_timestamp()) * 1000)::bigint as now_ms';

const INT8 = 20;
const { builtins, getTypeParser } = pg.types;

/** Milliseconds and counts are far below 2^53, so bigints are plain numbers. */
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format: 'text' | 'binary') =>
    oid === (builtins.INT8 ?? INT8) ? Number : getTypeParser(oid, format)) as never,
};

/** @throws JOURNAL_UNAVAILABLE with the first transaction, not here */
export function openPostgres(options: {
  url: Secret;
  /** Stands in for the database's clock where a test owns time. */
  clock?: Clock;
}): SqlDatabase {
  return new PostgresDatabase(options.url, options.clock);
}

class PostgresDatabase implements SqlDatabase {
  readonly kind = 'postgres';
  readonly #url: Secret;
  readonly #clock: Clock | undefined;
  readonly #pool: pg.Pool;
  readonly #listeners = new Set<(news: News) => void>();
  /** Connections in use. */
  readonly #clients = new Set<pg.PoolClient>();
  #listening: pg.Client | undefined;
  #reconnect: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(url: Secret, clock: Clock | undefined) {
    this.#url = url;
    this.#clock = clock;
    this.#pool = new pg.Pool({
      connectionString: url.reveal(),
      max: CONNECTIONS_MAX,
      connectionTimeoutMillis: CONNECT_MS,
      query_timeout: ANSWER_MS,
      application_name: 'keywright',
      types,
    });
    // An idle connection that breaks is replaced; without a listener it would end the process.
    this.#pool.on('error', () => undefined);
    // So would one in use that breaks between two statements; the next statement tells of it.
    this.#pool.on('connect', (client) => client.on('error', () => undefined));
  }

  async transaction<Result>(
    work: (tx: SqlTransaction) => Promise<Result>,
    durability: Durability = {},
  ): Promise<Result> {
    const { onVisible } = durability;
    for (let tries = 1; ; tries += 1) {
      try {
        const result = await this.#tryTransaction(work, durability);
        onVisible?.();
        return result;
      } catch (error) {
        if (tries < TRIES && isTransient(error)) continue;
        throw unavailable(error);
      }
    }
  }

  async #tryTransaction<Result>(
    work: (tx: SqlTransaction) => Promise<Result>,
    durability: Durability,
  ): Promise<Result> {
    if (this.#closed) throw new AppError('JOURNAL_UNAVAILABLE', 'PostgreSQL: it is closed');
    const client = await this.#pool.connect();
    this.#clients.add(client);
    let broken = false;
    try {
      const databaseMs = await begin(client, durability);
      const result = await work({
        nowMs: this.#clock?.nowMs() ?? databaseMs,
        query: async (text, parameters = []) => {
          const { rows } = await client.query(text, storedValues(parameters));
          return rows;
        },
      });
      if (durability.reads !== true) await client.query('commit');
      return result;
    } catch (error) {
      await client.query('rollback').catch(() => {
        broken = true;
      });
      throw error;
    } finally {
      this.#clients.delete(client);
      client.release(broken);
    }
  }

  async lockSubjects(tx: SqlTransaction, subjects: readonly string[]): Promise<void> {
    // In one order for everybody, so that two transactions cannot wait for each other.
    await tx.query(
      `select pg_advisory_xact_lock(hashtextextended(subject, 0))
        from jsonb_array_elements_text($1::jsonb) as subject`,
      [listed([...new Set(subjects)].sort())],
    );
  }

  async tryLockSubjects(tx: SqlTransaction, subjects: readonly string[]): Promise<boolean> {
    for (const subject of [...new Set(subjects)].sort()) {
      const [row] = await tx.query<{ locked: boolean }>(
        'select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as locked',
        [subject],
      );
      if (row?.locked !== true) return false;
    }
    return true;
  }

  async lockEvent(tx: SqlTransaction, eventKey: string): Promise<void> {
    await tx.query('select 1 from events where event_key = $1 for update', [eventKey]);
  }

  async presentMs(tx: SqlTransaction): Promise<number> {
    if (this.#clock !== undefined) return this.#clock.nowMs();
    const [row] = await tx.query<{ now_ms: number }>(CLOCK);
    return row?.now_ms ?? tx.nowMs;
  }

  /** Its disk is not ours to see; the write itself fails. */
  async requireSpace(): Promise<void> {}

  /** Its own vacuum overwrites what was erased. */
  async scrub(): Promise<void> {}

  listItems(parameter: string): string {
    return `select jsonb_array_elements_text(${parameter}::jsonb)`;
  }

  async announce(tx: SqlTransaction, news: News = 'work'): Promise<void> {
    await tx.query(`notify ${CHANNEL}, '${news}'`);
  }

  onAnnounce(listener: (news: News) => void): () => void {
    this.#listeners.add(listener);
    if (this.#listening === undefined) void this.#listen();
    return () => this.#listeners.delete(listener);
  }

  /** A connection of its own; when it breaks, listeners are woken, since something may have been missed. */
  async #listen(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#url.reveal(),
      connectionTimeoutMillis: CONNECT_MS,
      application_name: 'keywright listener',
      keepAlive: true,
    });
    this.#listening = client;
    const wake = (message?: { readonly payload?: string | undefined }): void => {
      const news = message?.payload === 'change' ? 'change' : 'work';
      for (const listener of this.#listeners) listener(news);
    };
    const again = (): void => {
      if (this.#listening !== client) return;
      this.#listening = undefined;
      if (this.#closed) return;
      this.#reconnect = setTimeout(() => void this.#listen(), RECONNECT_MS);
      this.#reconnect.unref();
    };
    client.on('notification', wake);
    client.on('error', again);
    client.on('end', again);
    try {
      await client.connect();
      await client.query(`listen ${CHANNEL}`);
      wake();
    } catch {
      await client.end().catch(() => undefined);
      again();
    }
  }

  async abandon(): Promise<void> {
    this.#closed = true;
    this.#listeners.clear();
    for (const client of this.#clients) {
      (
        client as unknown as { connection: { stream: { destroy(): void } } }
      ).connection.stream.destroy();
    }
    clearTimeout(this.#reconnect);
    await this.#listening?.end().catch(() => undefined);
    void this.#pool.end().catch(() => undefined);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#reconnect);
    this.#listeners.clear();
    await this.#listening?.end().catch(() => undefined);
    await this.#pool.end();
  }
}

/** Begins, and asks for the time, in one round trip: each costs as much as the statement in it. */
async function begin(client: pg.PoolClient, durability: Durability): Promise<number> {
  const { durable = true, reads = false, timeless = false } = durability;
  if (reads && timeless) return Number.NaN;
  // In the transaction, not at connecting: poolers refuse parameters that they do not know. The second
  // one frees the subjects that a process holds which was frozen in the middle.
  const settings = [
    `set local statement_timeout = ${STATEMENT_MS}`,
    `set local idle_in_transaction_session_timeout = ${STATEMENT_MS}`,
    ...(durable ? [] : ['set local synchronous_commit = off']),
  ];
  const statements = reads ? [CLOCK] : ['begin', ...settings, CLOCK];
  // Of several statements in one text the driver gives a list of results.
  const answer = (await client.query(statements.join('; '))) as unknown;
  const last = (Array.isArray(answer) ? answer.at(-1) : answer) as pg.QueryResult<{
    now_ms: number;
  }>;
  return last.rows[0]?.now_ms ?? 0;
}

/** Serialisation failure, deadlock, lock not available (PostgreSQL error codes, appendix A). */
function isTransient(error: unknown): boolean {
  const code = (error as { code?: string }).code;
  return code === '40001' || code === '40P01' || code === '55P03';
}

/** The message names neither user nor password: the driver's errors hold the host at most. */
function unavailable(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const { code, message } = error as { code?: string; message?: string };
  // Data exception, program limit exceeded. The message may quote the data.
  if (code !== undefined && /^(22|54)[0-9A-Z]{3}$/.test(code)) {
    return new AppError('JOURNAL_REFUSES_TEXT', `PostgreSQL error ${code}`);
  }
  const why = [code, message].filter((part) => part !== undefined && part !== '').join(' ');
  return new AppError('JOURNAL_UNAVAILABLE', `PostgreSQL: ${why}`, { cause: error });
}
