// The part of the configuration that is about looking on: alerts and traces. Takes the environment, gives
// what is set, and reports what is wrong with it. Addresses and headers are secrets and never shown.

import { Secret } from '../core/secret.ts';
import type { Environment } from './environment.ts';
import { invalid, readChoice, readInteger } from './environment.ts';

export const ALERT_FORMATS = ['json', 'slack'] as const;
export type AlertFormat = (typeof ALERT_FORMATS)[number];

export interface AlertConfig {
  /** A secret: who has it can write where it leads. */
  readonly url: Secret;
  readonly format: AlertFormat;
  /** Queued work that is older is told of. */
  readonly queueAgeMs: number;
}

export interface TraceConfig {
  readonly url: string;
  readonly headers: Readonly<Record<string, Secret>>;
  readonly resource: Readonly<Record<string, string>>;
}

/** Undefined without ALERT_WEBHOOK_URL. Problems: ENV_INVALID, and those of reading a variable. */
export function readAlerts(environment: Environment): AlertConfig | undefined {
  const name = 'ALERT_WEBHOOK_URL';
  const text = environment.resolveEnv(name);
  const given = readChoice(environment, 'ALERT_WEBHOOK_FORMAT', ALERT_FORMATS);
  const queueAge = { fallback: 900, min: 1, max: 604_800 };
  const queueAgeMs = readInteger(environment, 'ALERT_QUEUE_AGE_SECONDS', queueAge) * 1000;
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    // The value is not shown: the path of such an address is a password.
    environment.report({ code: 'ENV_INVALID', message: `${name} takes an http(s) address` });
    return undefined;
  }
  const format = given ?? (url.hostname === 'hooks.slack.com' ? 'slack' : 'json');
  return { url: new Secret(text), format, queueAgeMs };
}

/** Undefined without OTEL_EXPORTER_OTLP_ENDPOINT. By the names and forms of OpenTelemetry's own specification. */
export function readTraces(environment: Environment): TraceConfig | undefined {
  const name = 'OTEL_EXPORTER_OTLP_ENDPOINT';
  const text = environment.resolveEnv(name);
  if (text === undefined) return undefined;
  const protocol = environment.resolveEnv('OTEL_EXPORTER_OTLP_PROTOCOL') ?? 'http/json';
  if (!protocol.startsWith('http/')) {
    environment.report(invalid('OTEL_EXPORTER_OTLP_PROTOCOL', 'http/json', protocol));
  }
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    const takes = 'an http(s) address, such as http://collector:4318';
    environment.report({ code: 'ENV_INVALID', message: `${name} takes ${takes}` });
    return undefined;
  }
  const headers = readPairs(environment, 'OTEL_EXPORTER_OTLP_HEADERS');
  const service = environment.resolveEnv('OTEL_SERVICE_NAME') ?? 'keywright';
  const resource = readPairs(environment, 'OTEL_RESOURCE_ATTRIBUTES');
  return {
    url: `${text.replace(/\/+$/, '')}/v1/traces`,
    headers: Object.fromEntries(headers.map(([key, value]) => [key, new Secret(value)])),
    resource: { ...Object.fromEntries(resource), 'service.name': service },
  };
}

/** `api-key=secret,team=a%20b` */
function readPairs(environment: Environment, name: string): readonly (readonly [string, string])[] {
  const text = environment.resolveEnv(name);
  if (text === undefined) return [];
  try {
    return text.split(',').map((part) => {
      const [, key = '', value = ''] = /^\s*([\w.-]+)\s*=\s*([\x21-\x7e]*)\s*$/.exec(part) ?? [];
      if (key === '') throw new TypeError('no pair');
      return [key, decodeURIComponent(value)] as const;
    });
  } catch {
    // The value is not shown: headers hold keys.
    const message = `${name} takes name=value pairs with commas between them, values percent-encoded`;
    environment.report({ code: 'ENV_INVALID', message });
    return [];
  }
}
