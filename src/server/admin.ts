// The admin API: what the journal knows, replays, dry runs. Exists only with ADMIN_TOKEN; without it the
// addresses are unknown. Takes requests with the token, gives JSON. Never reaches Cryptlex by itself.

import { Hono } from 'hono';
import { AppError, type AppErrorCode, registryEntry } from '../core/error-codes.ts';
import { parseMoment } from '../core/interval.ts';
import type { Clock, JsonValue } from '../core/model.ts';
import { EVENT_STATUSES } from '../core/model.ts';
import type { Secret } from '../core/secret.ts';
import type {
  Archive,
  EventDetails,
  EventFilter,
  HeldVerdict,
  ReplayMode,
} from '../journal/archive.ts';
import { REPLAY_MODES } from '../journal/archive.ts';
import { bodyOf, summaryOf } from '../journal/event-json.ts';
import type { EventRecord } from '../journal/journal.ts';
import { type RequestOrigin, readBody } from './read-body.ts';
import { createTokenGuard, type GuessLimiter } from './token-guard.ts';

export interface AdminDependencies {
  readonly token: Secret;
  readonly archive: Archive;
  readonly clock: Clock;
  /** The same answer as `keywright dry-run --json`. @throws AppError for what cannot be read */
  dryRun(input: { provider: string; event: JsonValue; rules?: string }): Promise<unknown>;
  /** The verdict on every rule, by the rules as they were when the event was handled. */
  trace(details: EventDetails): Promise<unknown>;
  /** What a replay of a recorded event would do, in the same form. */
  explain(details: EventDetails): Promise<unknown>;
}

const LIMIT_DEFAULT = 50;
const LIMIT_MAX = 1000;
/** A dry run takes an event and perhaps a rule file. */
const BODY_BYTES_MAX = 4 * 1024 * 1024;

const STATUS_OF: Readonly<Partial<Record<AppErrorCode, number>>> = {
  JOURNAL_UNAVAILABLE: 503,
  EVENT_UNKNOWN: 404,
  BODY_TOO_LARGE: 413,
  DRAFT_QUEUE_FULL: 503,
  DRAFT_UNAVAILABLE: 503,
};

/** Routes below /admin. */
export function createAdmin(
  dependencies: AdminDependencies,
  guesses: GuessLimiter,
): Hono<{ Bindings: RequestOrigin }> {
  const { archive, clock } = dependencies;
  const app = new Hono<{ Bindings: RequestOrigin }>();
  const refusalOf = createTokenGuard(dependencies.token, 'admin', guesses);

  app.use('*', async (c, next) => {
    const headers = await refusalOf(c);
    if (headers === undefined) return next();
    const message = 'The admin token is missing or wrong.';
    return json(401, { message, error: 'UNAUTHORIZED' }, headers);
  });

  app.get('/events', async (c) => {
    const filter = toFilter((name) => c.req.query(name), clock.nowMs());
    const limit = toLimit(c.req.query('limit'));
    const page = await archive.list(filter, { limit, cursor: toCursor(c.req.query('cursor')) });
    return json(200, { events: page.events.map(summaryOf), cursor: page.cursor ?? null });
  });

  app.get('/events/:id', async (c) => {
    const details = await findDetails(archive, c.req.param('id'));
    const trace = await dependencies.trace(details);
    return json(200, { ...summaryOf(details.record), trace, ...bodyOf(details) });
  });

  app.post('/events/:id/replay', async (c) => {
    const details = await findDetails(archive, c.req.param('id'));
    const mode = toMode(c.req.query('mode'));
    if (isTrue(c.req.query('dryRun'), 'dryRun')) {
      if (details.record.isErased) return json(409, { status: 'erased' });
      return json(200, { events: await dependencies.explain(details) });
    }
    const request = await archive.requestReplay(details.record.key, mode);
    return json(request.kind === 'queued' ? 200 : 409, { status: request.kind });
  });

  app.post('/events/release', async (c) => {
    const verdict: HeldVerdict = isTrue(c.req.query('drop'), 'drop') ? 'drop' : 'release';
    const held = await heldEvents(archive, (name) => c.req.query(name), {
      ids: c.req.queries('id') ?? [],
      nowMs: clock.nowMs(),
    });
    if (isTrue(c.req.query('dryRun'), 'dryRun')) {
      return json(200, { verdict, held: held.map(summaryOf) });
    }
    let events = 0;
    for (const { key } of held) {
      const { kind } = await archive.decideHeld(key, verdict);
      if (kind === 'released' || kind === 'dropped') events += 1;
    }
    return json(200, { verdict, events });
  });

  app.post('/dry-run', async (c) => {
    const body = await readBody(c.req.raw, BODY_BYTES_MAX);
    if (body.kind === 'too_large') {
      throw new AppError('BODY_TOO_LARGE', `a dry run takes ${BODY_BYTES_MAX} bytes`);
    }
    if (body.kind === 'broken_off') throw new AppError('USAGE', 'the body broke off');
    const { provider, event, rules } = parseBody(new TextDecoder().decode(body.bytes));
    const isText = rules === undefined || typeof rules === 'string';
    if (typeof provider !== 'string' || event === undefined || !isText) {
      throw new AppError('USAGE', 'a dry run takes {provider, event, rules?}');
    }
    const given = { provider, event, ...(typeof rules === 'string' ? { rules } : {}) };
    return json(200, await dependencies.dryRun(given));
  });

  app.notFound(() =>
    json(404, { message: 'There is nothing at this address.', error: 'PATH_UNKNOWN' }),
  );
  app.onError((error) => {
    if (!(error instanceof AppError)) throw error;
    const { code, message, hint } = error;
    return json(STATUS_OF[code] ?? 400, {
      message: `${registryEntry(code).title}: ${message}. ${hint}`,
      error: code,
    });
  });
  return app;
}

async function findDetails(archive: Archive, id: string): Promise<EventDetails> {
  const [key, ...others] = await archive.findKeys(id);
  if (others.length > 0) {
    const keys = [key, ...others].join(', ');
    throw new AppError('USAGE', `several sources have an event ${id}: ask for one of ${keys}`);
  }
  const details = key === undefined ? undefined : await archive.details(key);
  if (details !== undefined) return details;
  throw new AppError('EVENT_UNKNOWN', id.slice(0, 200));
}

/** The held events that are meant, oldest first. @throws USAGE without an id and without a filter */
async function heldEvents(
  archive: Archive,
  query: (name: string) => string | undefined,
  { ids, nowMs }: { ids: readonly string[]; nowMs: number },
): Promise<readonly EventRecord[]> {
  const filter = toFilter(query, nowMs);
  const isFiltered = Object.values(filter).some((value) => value !== undefined);
  if (isFiltered === ids.length > 0) {
    throw new AppError('USAGE', 'a release takes ids or a filter; for all of them since=3650d');
  }
  if (!isFiltered) {
    const found = await Promise.all(ids.map((id) => findDetails(archive, id)));
    return found.map(({ record }) => record);
  }
  const held: EventRecord[] = [];
  let cursor: string | undefined;
  do {
    const page = await archive.list({ ...filter, isHeld: true }, { limit: LIMIT_MAX, cursor });
    held.push(...page.events);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return held.toSorted((a, b) => a.event.timeMs - b.event.timeMs);
}

function toFilter(query: (name: string) => string | undefined, nowMs: number): EventFilter {
  const moment = (name: string): number | undefined => {
    const text = query(name);
    if (text === undefined || text === '') return undefined;
    const timeMs = parseMoment(text, nowMs);
    if (timeMs !== undefined) return timeMs;
    throw new AppError('USAGE', `${name} takes 24h, 7d or a date`);
  };
  const status = text(query('status'));
  const known = EVENT_STATUSES.find((name) => name === status);
  if (status !== undefined && known === undefined) {
    throw new AppError('USAGE', `status takes ${EVENT_STATUSES.join(', ')}`);
  }
  return {
    status: known,
    source: text(query('source')),
    type: text(query('type')),
    subject: text(query('subject')),
    sinceMs: moment('since'),
    untilMs: moment('until'),
  };
}

/** An empty parameter says nothing, as in the address of a form. */
function text(value: string | undefined): string | undefined {
  return value === undefined || value === '' ? undefined : value;
}

function toLimit(value: string | undefined): number {
  const limit = value === undefined || value === '' ? LIMIT_DEFAULT : Number(value);
  if (Number.isInteger(limit) && limit >= 1 && limit <= LIMIT_MAX) return limit;
  throw new AppError('USAGE', `limit takes 1 to ${LIMIT_MAX}`);
}

/** A cursor of ours; one that was cut off must not begin at the first page again. */
function toCursor(value: string | undefined): string | undefined {
  if (value === undefined || value === '') return undefined;
  if (/^\d{1,15}$/.test(value)) return value;
  throw new AppError('USAGE', 'cursor takes what the page before gave');
}

/** Only what is surely no dry run replays, and only what is surely meant drops. */
function isTrue(value: string | undefined, name: string): boolean {
  if (value === undefined || value === 'false') return false;
  if (value === 'true') return true;
  throw new AppError('USAGE', `${name} takes true or false`);
}

function toMode(value: string | undefined): ReplayMode {
  const mode = REPLAY_MODES.find((name) => name === (value ?? 'again'));
  if (mode !== undefined) return mode;
  throw new AppError('USAGE', `mode takes ${REPLAY_MODES.join(', ')}`);
}

function parseBody(body: string): Record<string, JsonValue> {
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return value as Record<string, JsonValue>;
    }
  } catch {
    // Told below, as for every other body that is none.
  }
  throw new AppError('USAGE', 'the body is not a JSON object');
}

function json(status: number, body: unknown, further: Record<string, string> = {}): Response {
  const headers = {
    ...further,
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  };
  return new Response(JSON.stringify(body), { status, headers });
}
