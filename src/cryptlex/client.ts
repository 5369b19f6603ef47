// The client of the Cryptlex Web API. Takes searches, ids and bodies, gives users, licenses and
// templates as Cryptlex has them. Never sends an empty filter or an empty id, never hands out an
// object that was not asked for, and knows nothing of events and rules.

import createClient from 'openapi-fetch';
import { AppError } from '../core/error-codes.ts';
import type { Clock } from '../core/model.ts';
import type { Secret } from '../core/secret.ts';
import { ownerOf } from '../core/told.ts';
import type { Transport } from '../http/transport.ts';
import type { CallRecord } from './call-record.ts';
import {
  type LicenseFilter,
  licenseQuery,
  matchesLicense,
  matchesUser,
  type UserFilter,
  userQueries,
} from './filters.ts';
import { openApiRequest } from './openapi-fetch.ts';
import { PAGE_LIMIT, readPages } from './pages.ts';
import type { Pace } from './rate-limiter.ts';
import { type AttemptInit, type CallOptions, createSender, type Sender } from './request.ts';
import {
  type Read,
  readDeleted,
  readLicense,
  readLicenses,
  readProduct,
  readTemplate,
  readUser,
  readUsers,
} from './responses.ts';
import type { paths } from './types.generated.ts';
import type {
  License,
  LicenseCreate,
  LicenseTemplate,
  LicenseUpdate,
  Product,
  User,
  UserCreate,
  UserUpdate,
} from './types.ts';

interface LicenseSearchOptions extends CallOptions {
  /** Takes a license that Cryptlex found, but without saying whose it is; else the search fails. */
  readonly onOwnerUntold?: (license: License) => void;
}

/**
 * Every method rejects with a CryptlexError, whose `effect` says whether a write may have happened:
 * CRYPTLEX_TOKEN, CRYPTLEX_RATE_LIMITED, CRYPTLEX_UNAVAILABLE, CRYPTLEX_UNCLEAR (writes only),
 * CRYPTLEX_REFUSED, CRYPTLEX_NONSENSE. Searches, and calls with an id that is none, reject with an
 * AppError FILTER_EMPTY before anything is sent.
 */
export interface CryptlexClient {
  /** By e-mail without regard to case, or by metadata by exact text. */
  findUsers(filter: UserFilter, options?: CallOptions): Promise<User[]>;
  /** Undefined when there is none (404). */
  getUser(id: string, options?: CallOptions): Promise<User | undefined>;
  createUser(body: UserCreate, options?: CallOptions): Promise<User>;
  /** Members that are left out stay as they are. */
  updateUser(id: string, body: UserUpdate, options?: CallOptions): Promise<User>;
  /** All licenses that meet every criterion by exact text, read to the last page. */
  findLicenses(filter: LicenseFilter, options?: LicenseSearchOptions): Promise<License[]>;
  /** Undefined when there is none (404). */
  getLicense(id: string, options?: CallOptions): Promise<License | undefined>;
  /** Not idempotent: each call makes a license. */
  createLicense(body: LicenseCreate, options?: CallOptions): Promise<License>;
  /** Members that are left out stay as they are; a `metadata` array has to hold every entry. */
  updateLicense(id: string, body: LicenseUpdate, options?: CallOptions): Promise<License>;
  /** Not idempotent: each call adds one interval to the stored expiry. */
  renewLicense(id: string, options?: CallOptions): Promise<License>;
  /** @param expiresAt ISO 8601 with its zone, `2026-05-01T00:00:00Z` */
  setLicenseExpiry(id: string, expiresAt: string, options?: CallOptions): Promise<License>;
  /** For good; `gone` when there was none any more (404). */
  deleteLicense(id: string, options?: CallOptions): Promise<'deleted' | 'gone'>;
  getLicenseTemplate(id: string, options?: CallOptions): Promise<LicenseTemplate>;
  /** Undefined when there is none (404). Needs `product:read`, which the server itself does without. */
  getProduct(id: string, options?: CallOptions): Promise<Product | undefined>;
}

export interface CryptlexClientOptions {
  /** Without a slash at its end and without `/v3`, as the configuration has it. */
  readonly baseUrl: string;
  readonly token: Secret;
  readonly pace: Pace;
  readonly clock: Clock;
  /** How calls leave. */
  readonly transport: Transport;
  /** For one attempt, answer included; real time, whatever the clock. */
  readonly timeoutMs?: number;
  /** Pauses before the repetitions "at once"; their number is that of the repetitions. */
  readonly retryPausesMs?: readonly number[];
  /** A longer `Retry-After` is thrown (`retryAfterMs`), not waited for. */
  readonly maxRetryAfterMs?: number;
  /** For the jitter of pauses, 0 up to 1. */
  readonly random?: () => number;
  /** Hears of every attempt. What it throws is dropped. */
  readonly onCall?: (call: CallRecord) => void;
}

const TIMEOUT_MS = 10_000;
const RETRY_PAUSES_MS = [200, 600] as const;
const RETRY_AFTER_MS_MAX = 5_000;

type Api = ReturnType<typeof createClient<paths>>;

/** @throws CRYPTLEX_TOKEN when the token holds what no header can */
export function createCryptlexClient(options: CryptlexClientOptions): CryptlexClient {
  // fetch would say so as well, but with the token in the message.
  if (!/^[\x21-\x7e]+$/.test(options.token.reveal().trim())) {
    throw new AppError('CRYPTLEX_TOKEN', 'the access token is empty or holds spaces or odd signs');
  }
  const api = createClient<paths>({
    baseUrl: options.baseUrl,
    headers: { accept: 'application/json', 'user-agent': 'keywright' },
    Request: openApiRequest,
  });
  const send = createSender({
    token: options.token,
    pace: options.pace,
    clock: options.clock,
    transport: options.transport,
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
    retryPausesMs: options.retryPausesMs ?? RETRY_PAUSES_MS,
    maxRetryAfterMs: options.maxRetryAfterMs ?? RETRY_AFTER_MS_MAX,
    random: options.random ?? Math.random,
    onCall: options.onCall,
  });
  return { ...userCalls(api, send), ...licenseCalls(api, send) };
}

type UserCalls = Pick<CryptlexClient, 'findUsers' | 'getUser' | 'createUser' | 'updateUser'>;

function userCalls(api: Api, send: Sender): UserCalls {
  const collection = '/v3/users';
  const item = '/v3/users/{id}';
  return {
    findUsers: async (filter, how = {}) => {
      for (const criteria of userQueries(filter)) {
        const readPage = (page: number) => {
          const query = { ...criteria, page, limit: PAGE_LIMIT };
          const get = (init: AttemptInit) => api.GET(collection, { params: { query }, ...init });
          return send({ ...named('GET', collection), query, send: get, read: readUsers }, how);
        };
        const isWanted = (user: User) => matchesUser(user, filter);
        const found = await readPages(collection, readPage, isWanted);
        if (found.length > 0) return found;
      }
      return [];
    },
    getUser: async (id, how = {}) => {
      const get = (init: AttemptInit) => api.GET(item, { ...idParams(id), ...init });
      return send({ ...named('GET', item, id), send: get, ...orUndefined(readUser) }, how);
    },
    createUser: async (body, how = {}) => {
      const post = (init: AttemptInit) => api.POST(collection, { body, ...init });
      return send({ ...named('POST', collection), body, send: post, read: readUser }, how);
    },
    updateUser: async (id, body, how = {}) => {
      const patch = (init: AttemptInit) => api.PATCH(item, { ...idParams(id), body, ...init });
      return send({ ...named('PATCH', item, id), body, send: patch, read: readUser }, how);
    },
  };
}

function licenseCalls(api: Api, send: Sender): Omit<CryptlexClient, keyof UserCalls> {
  const collection = '/v3/licenses';
  const item = '/v3/licenses/{id}';
  const renewal = '/v3/licenses/{id}/renew';
  const expiry = '/v3/licenses/{id}/expires-at';
  const template = '/v3/license-templates/{id}';
  const product = '/v3/products/{id}';
  return {
    findLicenses: async (filter, { onOwnerUntold, ...how } = {}) => {
      const criteria = licenseQuery(filter);
      const readPage = (page: number) => {
        const query = { ...criteria, page, limit: PAGE_LIMIT };
        const get = (init: AttemptInit) => api.GET(collection, { params: { query }, ...init });
        return send({ ...named('GET', collection), query, send: get, read: readLicenses }, how);
      };
      return readPages(collection, readPage, (license) => {
        const isUntold = filter.userId !== undefined && ownerOf(license) === undefined;
        if (!isUntold || onOwnerUntold === undefined) return matchesLicense(license, filter);
        onOwnerUntold(license);
        return false;
      });
    },
    getLicense: async (id, how = {}) => {
      const get = (init: AttemptInit) => api.GET(item, { ...idParams(id), ...init });
      return send({ ...named('GET', item, id), send: get, ...orUndefined(readLicense) }, how);
    },
    createLicense: async (body, how = {}) => {
      const post = (init: AttemptInit) => api.POST(collection, { body, ...init });
      return send({ ...named('POST', collection), body, send: post, read: readLicense }, how);
    },
    updateLicense: async (id, body, how = {}) => {
      const patch = (init: AttemptInit) => api.PATCH(item, { ...idParams(id), body, ...init });
      return send({ ...named('PATCH', item, id), body, send: patch, read: readLicense }, how);
    },
    renewLicense: async (id, how = {}) => {
      const post = (init: AttemptInit) => api.POST(renewal, { ...idParams(id), ...init });
      return send({ ...named('POST', renewal, id), send: post, read: readLicense }, how);
    },
    setLicenseExpiry: async (id, expiresAt, how = {}) => {
      const body = { expiresAt };
      const patch = (init: AttemptInit) => api.PATCH(expiry, { ...idParams(id), body, ...init });
      return send({ ...named('PATCH', expiry, id), body, send: patch, read: readLicense }, how);
    },
    deleteLicense: async (id, how = {}) => {
      const remove = (init: AttemptInit) => api.DELETE(item, { ...idParams(id), ...init });
      const call = { ...named('DELETE', item, id), send: remove, read: readDeleted };
      return send<'deleted' | 'gone'>({ ...call, notFound: { value: 'gone' } }, how);
    },
    getLicenseTemplate: async (id, how = {}) => {
      const get = (init: AttemptInit) => api.GET(template, { ...idParams(id), ...init });
      return send({ ...named('GET', template, id), send: get, read: readTemplate }, how);
    },
    getProduct: async (id, how = {}) => {
      const get = (init: AttemptInit) => api.GET(product, { ...idParams(id), ...init });
      return send({ ...named('GET', product, id), send: get, ...orUndefined(readProduct) }, how);
    },
  };
}

/** A 404 is an answer here: there is none. */
function orUndefined<T>(read: (text: string) => Read<T>): {
  read: (text: string) => Read<T | undefined>;
  notFound: { value: undefined };
} {
  return { read, notFound: { value: undefined } };
}

function idParams(id: string): { params: { path: { id: string } } } {
  return { params: { path: { id } } };
}

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/**
 * What the call is called. An id that is blank, `.` or `..` would change the path, so that a call
 * for one object reached all of them.
 * @throws FILTER_EMPTY
 */
function named<M extends Method>(method: M, route: string, id?: string) {
  if (!route.includes('{id}')) return { method, route, path: route };
  if (id === undefined || id.trim() === '' || id === '.' || id === '..') {
    throw new AppError('FILTER_EMPTY', `${method} ${route} was not sent: the id is empty`);
  }
  return { method, route, path: route.replace('{id}', () => encodeURIComponent(id)) };
}
