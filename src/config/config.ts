// Configuration. Takes the environment, gives a Config or every problem in it, all at once.
// Where a value stands, in the variable or in a file, is environment.ts's business.
// Never prints a value that may be secret, and never touches the network or the rules.

import type { Problem } from '../core/model.ts';
import { mainSecretName, PROVIDERS } from '../core/providers.ts';

import { Secret } from '../core/secret.ts';
import type { Proxies } from '../http/proxies.ts';
import { type BillingConfig, missingBillingKey, readBilling } from './billing.ts';
import type { Environment, EnvironmentVariables, ReadFile } from './environment.ts';
import { createEnvironment, invalid, readChoice, readInteger, readToken } from './environment.ts';
import { readProxies } from './proxy.ts';
import { readRulesDir } from './rules-dir.ts';
import { type AlertConfig, readAlerts, readTraces, type TraceConfig } from './telemetry.ts';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export const LOG_FORMATS = ['json', 'pretty'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export type LogFormat = (typeof LOG_FORMATS)[number];

/** So many requests within any window of that length. */
export interface RateLimit {
  readonly requests: number;
  readonly periodMs: number;
}

export type DatabaseUrl =
  | { readonly kind: 'memory' }
  | { readonly kind: 'sqlite'; readonly path: string }
  | { readonly kind: 'postgres'; readonly url: Secret };

export interface Config {
  /** Signing secrets by variable, only those that are set: a source is on when its variable is here. */
  readonly secrets: ReadonlyMap<string, readonly Secret[]>;
  readonly accessToken: Secret;
  /** Without `/v3` and without a slash at its end; the paths of the API begin with `/v3`. */
  readonly baseUrl: string;
  /** Through which calls leave. */
  readonly proxies: Proxies;
  readonly productId: string | undefined;
  readonly port: number;
  readonly host: string;
  readonly rulesDir: string;
  /** Whether changed rules have to pass their tests before they run. */
  readonly rulesTest: boolean;
  readonly database: DatabaseUrl;
  readonly adminToken: Secret | undefined;
  readonly metricsPort: number | undefined;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  readonly webhookDeadlineMs: number;
  readonly rateLimit: RateLimit;
  readonly retentionDays: number;
  /** Undefined without ALERT_WEBHOOK_URL. */
  readonly alerts: AlertConfig | undefined;
  /** Undefined without OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly traces: TraceConfig | undefined;
  /** Undefined unless STRIPE_API_KEY and BILLING_API_TOKEN are set. */
  readonly billing: BillingConfig | undefined;
  /** The one of the two that is missing beside the other. */
  readonly billingLacks: string | undefined;
}

interface ReadConfigOptions {
  /** Secret variables named by the rule files of further sources, such as STRIPE_EU_WEBHOOK_SECRET. */
  readonly furtherSecretVariables?: readonly string[];
  /** Whether somebody watches the log: it is `pretty` then, unless LOG_FORMAT says otherwise. */
  readonly stdoutIsTty?: boolean;
}

/**
 * The environment goes along in both cases, so that the variables that rules ask for can be read
 * and reported together with what is wrong here.
 */
export type ConfigReading = { readonly environment: Environment; readonly rulesDir: string } & (
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly Problem[] }
);

const DEFAULT_BASE_URL = 'https://api.cryptlex.com';
/** A file beside the server, created at its first start. */
export const DEFAULT_DATABASE_URL = 'sqlite:data/keywright.db';

/**
 * Reads what `serve` needs. The secret variables of further sources stand in the rule files, and
 * where those lie is said by RULES_DIR: read that one first (rules-dir.ts).
 * Problems: ENV_MISSING, ENV_BLANK, ENV_INVALID, ENV_FILE, NO_SOURCE; one line each, without secrets.
 */
export function readConfig(
  env: EnvironmentVariables,
  readFile: ReadFile,
  options: ReadConfigOptions = {},
): ConfigReading {
  const environment = createEnvironment(env, readFile);
  const secrets = readSecrets(environment, options.furtherSecretVariables ?? []);
  const accessToken = readAccessToken(environment);
  const baseUrl = readBaseUrl(environment);
  const productId = environment.resolveEnv('CRYPTLEX_PRODUCT_ID');
  const port = readInteger(environment, 'PORT', { fallback: 9890, min: 0, max: 65_535 });
  const rest = {
    baseUrl,
    proxies: readProxies(environment, env),
    productId,
    port,
    host: environment.resolveEnv('HOST') ?? '0.0.0.0',
    rulesDir: readRulesDir(environment),
    rulesTest: readChoice(environment, 'RULES_TEST', ['true', 'false']) === 'true',
    database: readDatabase(environment),
    adminToken: readAdminToken(environment),
    metricsPort: readMetricsPort(environment, port),
    logLevel: readChoice(environment, 'LOG_LEVEL', LOG_LEVELS) ?? 'info',
    logFormat:
      readChoice(environment, 'LOG_FORMAT', LOG_FORMATS) ??
      (options.stdoutIsTty === true ? 'pretty' : 'json'),
    webhookDeadlineMs: readInteger(environment, 'WEBHOOK_DEADLINE_MS', {
      fallback: 4000,
      min: 1,
      max: 60_000,
    }),
    rateLimit: readRateLimit(environment),
    retentionDays: readInteger(environment, 'RETENTION_DAYS', { fallback: 90, min: 1, max: 3650 }),
    alerts: readAlerts(environment),
    traces: readTraces(environment),
    billing: readBilling(environment, Object.keys(env)),
    billingLacks: missingBillingKey(environment),
  };
  const found = { environment, rulesDir: rest.rulesDir };
  const problems = environment.problems();
  if (problems.length > 0 || accessToken === undefined) return { ...found, ok: false, problems };
  return { ...found, ok: true, config: { ...rest, secrets, accessToken } };
}

const ADMIN_TOKEN_LENGTH_MIN = 16;

/** The account at Cryptlex, without what only a server needs. */
export type CryptlexAccess = Pick<Config, 'accessToken' | 'baseUrl' | 'proxies' | 'rateLimit'>;

/** Reads how Cryptlex is reached, or gives everything that is wrong with it. */
export function readCryptlexAccess(
  env: EnvironmentVariables,
  readFile: ReadFile,
): { ok: true; access: CryptlexAccess } | { ok: false; problems: readonly Problem[] } {
  const environment = createEnvironment(env, readFile);
  const accessToken = readAccessToken(environment);
  const rest = {
    baseUrl: readBaseUrl(environment),
    proxies: readProxies(environment, env),
    rateLimit: readRateLimit(environment),
  };
  const problems = environment.problems();
  return problems.length > 0 || accessToken === undefined
    ? { ok: false, problems }
    : { ok: true, access: { ...rest, accessToken } };
}

/** `memory:`, `sqlite:PATH`, `postgres://…`; undefined for anything else. The URL may hold a password. */
export function parseDatabaseUrl(text: string): DatabaseUrl | undefined {
  if (text === 'memory:') return { kind: 'memory' };
  if (/^sqlite:./.test(text)) return { kind: 'sqlite', path: text.slice('sqlite:'.length) };
  if (/^postgres(ql)?:\/\/./.test(text)) return { kind: 'postgres', url: new Secret(text) };
  return undefined;
}

function readSecrets(
  environment: Environment,
  further: readonly string[],
): ReadonlyMap<string, readonly Secret[]> {
  const names = [...PROVIDERS.map(mainSecretName), ...further];
  const secrets = new Map<string, readonly Secret[]>();
  for (const name of names) {
    const list = environment.resolveSecrets(name);
    if (list.length > 0) secrets.set(name, list);
  }
  // A secret that is there but blank has been reported already, and is the better message.
  if (!names.some((name) => environment.isSet(name))) {
    environment.report({ code: 'NO_SOURCE', message: 'no webhook secret is set' });
  }
  return secrets;
}

function readAccessToken(environment: Environment): Secret | undefined {
  const name = 'CRYPTLEX_ACCESS_TOKEN';
  if (!environment.isSet(name)) {
    environment.report({ code: 'ENV_MISSING', message: `${name} is not set` });
  }
  return readToken(environment, name);
}

/** Whoever guesses it can read and replay every event, so what could be guessed does not start. */
function readAdminToken(environment: Environment): Secret | undefined {
  const name = 'ADMIN_TOKEN';
  const token = readToken(environment, name);
  const length = token?.reveal().length ?? ADMIN_TOKEN_LENGTH_MIN;
  if (length >= ADMIN_TOKEN_LENGTH_MIN) return token;
  environment.report({
    code: 'ENV_INVALID',
    message: `${name} takes at least ${ADMIN_TOKEN_LENGTH_MIN} characters, not ${length}`,
    hint: 'Choose a long random text, such as that of `openssl rand -hex 32`.',
  });
  return undefined;
}

/** Accepts the address with or without `/v3`: the vendor's own documents have it both ways. */
function readBaseUrl(environment: Environment): string {
  const name = 'CRYPTLEX_WEB_API_BASE_URL';
  const text = environment.resolveEnv(name);
  if (text === undefined) return DEFAULT_BASE_URL;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isWeb = url?.protocol === 'https:' || url?.protocol === 'http:';
  const isBare = url?.username === '' && url.password === '' && !/[?#]/.test(text);
  if (url === undefined || !isWeb || !isBare) {
    // The value is not shown: an address that is refused here may carry a password.
    const takes = `an http(s) address without user, query or fragment, such as ${DEFAULT_BASE_URL}`;
    environment.report({ code: 'ENV_INVALID', message: `${name} takes ${takes}` });
    return DEFAULT_BASE_URL;
  }
  const path = url.pathname.replace(/\/+$/, '').replace(/\/v3$/i, '').replace(/\/+$/, '');
  return `${url.origin}${path}`;
}

function readDatabase(environment: Environment): DatabaseUrl {
  const text = environment.resolveEnv('DATABASE_URL') ?? DEFAULT_DATABASE_URL;
  const parsed = parseDatabaseUrl(text);
  if (parsed !== undefined) return parsed;
  // The value is not shown: it may hold a password.
  const message = 'DATABASE_URL takes memory:, sqlite:PATH or postgres://…';
  environment.report({ code: 'ENV_INVALID', message });
  return { kind: 'memory' };
}

function readMetricsPort(environment: Environment, port: number): number | undefined {
  const name = 'METRICS_PORT';
  if (!environment.isSet(name)) return undefined;
  const metricsPort = readInteger(environment, name, { fallback: 0, min: 0, max: 65_535 });
  if (metricsPort === port && port !== 0) {
    environment.report({ code: 'ENV_INVALID', message: `${name} is the same as PORT, ${port}` });
  }
  return metricsPort;
}

/** `45/5s`: requests 1 to 10000, window 10 ms to 10 min, units ms, s and m. */
function readRateLimit(environment: Environment): RateLimit {
  const fallback = { requests: 45, periodMs: 5000 };
  const text = environment.resolveEnv('CRYPTLEX_RATE_LIMIT');
  if (text === undefined) return fallback;
  const [, requestsText, lengthText, unit] = /^(\d{1,9})\/(\d{1,9})(ms|s|m)$/.exec(text) ?? [];
  const unitMs = unit === 'ms' ? 1 : unit === 's' ? 1000 : 60_000;
  const requests = Number(requestsText);
  const periodMs = Number(lengthText) * unitMs;
  if (requests >= 1 && requests <= 10_000 && periodMs >= 10 && periodMs <= 600_000) {
    return { requests, periodMs };
  }
  const takes = 'requests/window such as 45/5s (1 to 10000 requests, 10ms to 10m)';
  environment.report(invalid('CRYPTLEX_RATE_LIMIT', takes, text));
  return fallback;
}
