// Options of keywright simulate. Takes the command line, gives what it means, or a usage error.

import { parseArgs } from 'node:util';
import { parse as parseYaml } from 'yaml';
import type { Setting } from '../../authoring/simulator/deliveries.ts';
import { parseMoment } from '../../core/interval.ts';
import type { JsonValue } from '../../core/model.ts';
import { PROVIDERS, type Provider } from '../../core/providers.ts';
import { asUsageError, type Terminal, usageError } from '../command.ts';

export const PROVIDER_NEEDED = `simulate takes a provider (${PROVIDERS.join(', ')}) and a scenario`;

/** The command line, understood. */
export interface Options {
  readonly provider: Provider | undefined;
  readonly scenario: string | undefined;
  readonly payload: string | undefined;
  readonly scenariosDir: string | undefined;
  readonly list: boolean;
  readonly to: string;
  readonly settings: readonly Setting[];
  readonly chaos: boolean;
  readonly seed: number;
  readonly startMs: number | undefined;
  readonly speed: number;
  readonly keepIds: boolean;
  readonly secretName: string | undefined;
  readonly json: boolean;
}

const SEED_MAX = 4_294_967_295;

/** @throws USAGE */
export function parseOptions(args: readonly string[], env: Terminal['env']): Options {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: {
        list: { type: 'boolean', default: false },
        scenarios: { type: 'string' },
        payload: { type: 'string' },
        to: { type: 'string' },
        set: { type: 'string', multiple: true, default: [] },
        chaos: { type: 'boolean', default: false },
        seed: { type: 'string' },
        start: { type: 'string' },
        speed: { type: 'string', default: 'instant' },
        'keep-ids': { type: 'boolean', default: false },
        'secret-env': { type: 'string' },
        json: { type: 'boolean', default: false },
      },
      allowPositionals: true,
    });
    const [first, scenario, ...extra] = positionals;
    const provider = PROVIDERS.find((name) => name === first);
    if (first !== undefined && provider === undefined) {
      throw usageError(`"${first}" is none of ${PROVIDERS.join(', ')}`, 'simulate');
    }
    if (extra.length > 0) throw usageError('simulate takes one scenario', 'simulate');
    if (!values.list && (scenario === undefined) === (values.payload === undefined)) {
      throw usageError(`${PROVIDER_NEEDED}, or --payload`, 'simulate');
    }
    return {
      provider,
      scenario,
      payload: values.payload,
      scenariosDir: values.scenarios,
      list: values.list,
      to: toAddress(values.to ?? `http://localhost:${env['PORT'] ?? '9890'}/v1`),
      settings: values.set.map(toSetting),
      chaos: values.chaos,
      seed: toSeed(values.seed),
      startMs: toStart(values.start),
      speed: toSpeed(values.speed),
      keepIds: values['keep-ids'],
      secretName: values['secret-env'],
      json: values.json,
    };
  } catch (error) {
    throw asUsageError(error, 'simulate');
  }
}

function toAddress(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw usageError(
      `--to takes an address like http://localhost:9890/v1, not "${text}"`,
      'simulate',
    );
  }
  if (url.pathname === '/') url.pathname = '/v1';
  return url.href;
}

function toSetting(text: string): Setting {
  const [, path, written] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (path === undefined || written === undefined) {
    throw usageError(`--set takes PATH=VALUE, not "${text}"`, 'simulate');
  }
  try {
    return { path: path.trim(), value: parseYaml(written, { version: '1.2' }) as JsonValue };
  } catch {
    return { path: path.trim(), value: written };
  }
}

function toSeed(text: string | undefined): number {
  if (text === undefined) return Math.floor(Math.random() * 1_000_000_000);
  const seed = Number(text);
  if (/^\d{1,10}$/.test(text) && seed <= SEED_MAX) return seed;
  throw usageError(`--seed takes a number from 0 to ${SEED_MAX}, not "${text}"`, 'simulate');
}

function toStart(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const startMs = parseMoment(text, Date.now());
  if (startMs !== undefined) return startMs;
  throw usageError(`--start takes a date or 30m, 24h, 7d, not "${text}"`, 'simulate');
}

function toSpeed(text: string): number {
  if (text === 'instant') return Number.POSITIVE_INFINITY;
  if (text === 'real') return 1;
  const speed = Number(text);
  if (/^\d+(?:\.\d+)?$/.test(text) && speed > 0) return speed;
  throw usageError(`--speed takes instant, real or a number, not "${text}"`, 'simulate');
}
