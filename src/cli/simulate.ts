// keywright simulate: signed webhooks of a whole sale, sent to a running server. Takes a scenario, gives the
// answers; exit code 1 when one of them is not as it should be. Sends to the one address that it is told.

import { parseArgs } from 'node:util';
import { parse as parseYaml } from 'yaml';
import { createSystemClock } from '../clock.ts';
import { formatDiagnostic } from '../engine/findings.ts';
import { createEnvironment } from '../environment.ts';
import { AppError } from '../errors.ts';
import { parseMoment } from '../interval.ts';
import { type JsonValue, mainSecretName, PROVIDERS, type Provider } from '../model.ts';
import type { Secret } from '../secret.ts';
import { calm, chaotic } from '../simulator/chaos.ts';
import { play } from '../simulator/play.ts';
import { randomOf, seedOf } from '../simulator/random.ts';
import { eventsOfBody, loadScenario, type Scenario } from '../simulator/scenario.ts';
import { findScenario, listScenarios, readText } from '../simulator/scenario-files.ts';
import { type Setting, tell } from '../simulator/telling.ts';
import { asUsageError, type Command, type Terminal, usageError } from './command.ts';
import { headText, rowsOf, simulationJson, summaryText } from './simulate-report.ts';

const HELP = `keywright simulate PROVIDER SCENARIO [OPTIONS]
keywright simulate PROVIDER --payload FILE.json [OPTIONS]
keywright simulate [PROVIDER] --list

Sends the webhooks of a sale, signed as the provider signs, to a running server, and prints each answer.
Each run is another customer: ids and addresses are new. Nothing of the provider's account is needed.

  SCENARIO     a name of --list, or the path of a scenario file of your own
  --list       names the scenarios and what happens in them
  --scenarios  a folder with scenarios of your own, in a folder for each provider
  --payload    sends this webhook body instead of a scenario
  --to         the address (http://localhost:9890/v1, or the port of PORT)
  --set        PATH=VALUE, in every event that has a place for it; may be given several times
  --chaos      as it comes in real life: again, under new ids, in another order, in batches, late, side
               by side, with forged ones between them. The end must be the same
  --seed       ids and chance of an earlier run; without it they are new each time
  --start      when the first event happens: a date, or 30d for that long ago; now unless said otherwise
  --speed      instant (the default), real, or N times faster than real
  --keep-ids   leaves ids and addresses as they stand in the samples
  --secret-env the variable that holds the signing secret, where it is not that of the provider
               (STRIPE_WEBHOOK_SECRET, FASTSPRING_WEBHOOK_SECRET, PADDLE_WEBHOOK_SECRET)
  --json       one JSON object at the end

The server does what it always does: beside the real Cryptlex this makes real licenses.
Exit code 1: an answer was not as it should be. A forged delivery should be refused.

Example:
  keywright simulate fastspring failed-payment --chaos --seed 7
`;

export const simulateCommand: Command = {
  name: 'simulate',
  summary: 'sends signed webhooks of whole sales to a server',
  help: HELP,
  run: async (args, terminal) => {
    const options = parse(args, terminal);
    if (options.list) return list(options, terminal);
    const { provider } = options;
    if (provider === undefined) throw usageError(PROVIDER_NEEDED, 'simulate');
    const scenario = scenarioOf(provider, options, terminal);
    if (scenario === undefined) return 2;
    const secret = secretOf(provider, options.secretName, terminal);
    const clock = createSystemClock();
    const startMs = options.startMs ?? clock.nowMs();
    const { seed, settings, keepIds } = options;
    const { deliveries, unused } = tell(scenario, { seed, startMs, settings, keepIds });
    const [missing] = unused;
    if (missing !== undefined) {
      throw usageError(
        `--set: no event of ${scenario.name} has a place for ${missing}`,
        'simulate',
      );
    }
    const rounds = options.chaos
      ? chaotic(provider, deliveries, randomOf(seedOf(seed, 'chaos', scenario.name)))
      : calm(deliveries);
    const run = { scenario, provider, to: options.to, seed, startMs, chaos: options.chaos };
    if (!isLocal(options.to)) {
      terminal.writeError(`note: ${new URL(options.to).host} is not this machine\n`);
    }
    const rowOf = rowsOf(rounds, { colour: terminal.isTty, chaos: options.chaos });
    if (!options.json) terminal.writeOut(headText(run, rounds));
    const sent = await play(rounds, {
      endpoint: { provider, url: options.to, secret, nowMs: () => clock.nowMs() },
      clock,
      speed: options.speed,
      onSent: (one) => {
        if (!options.json) terminal.writeOut(rowOf(one));
      },
    });
    if (options.json) {
      terminal.writeOut(`${JSON.stringify(simulationJson(run, sent), null, 2)}\n`);
    } else terminal.writeOut(summaryText(run, sent));
    return sent.some(({ problem }) => problem !== undefined) ? 1 : 0;
  },
};

const PROVIDER_NEEDED = `simulate takes a provider (${PROVIDERS.join(', ')}) and a scenario`;

interface Options {
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

function parse(args: readonly string[], terminal: Terminal): Options {
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
      to: toAddress(values.to ?? `http://localhost:${terminal.env['PORT'] ?? '9890'}/v1`),
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

function isLocal(address: string): boolean {
  return /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(new URL(address).hostname);
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
  if (text === undefined) return Math.floor(Math.random() * 1_000_000);
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

/** @throws ENV_MISSING and what else is wrong with the variable */
function secretOf(provider: Provider, given: string | undefined, terminal: Terminal): Secret {
  const name = given ?? mainSecretName(provider);
  const environment = createEnvironment(terminal.env, (path) => readText(path));
  const [secret] = environment.resolveSecrets(name);
  if (secret !== undefined) return secret;
  const [problem] = environment.problems();
  if (problem !== undefined) throw new AppError(problem.code, problem.message);
  throw new AppError('ENV_MISSING', `${name} is not set`, {
    hint: `Set it to the secret that the server has, to sign as ${provider} would.`,
  });
}

/** The scenario, or undefined when it has findings, which are told. */
function scenarioOf(
  provider: Provider,
  { scenario, payload, scenariosDir }: Options,
  terminal: Terminal,
): Scenario | undefined {
  if (payload !== undefined) return scenarioOfPayload(provider, payload);
  const input = findScenario(provider, scenario ?? '', scenariosDir);
  const loaded = loadScenario(input);
  for (const finding of loaded.diagnostics) {
    const shown = formatDiagnostic(finding, () => input.text);
    terminal.writeError(`${shown}\n\n`);
  }
  if (loaded.scenario !== undefined && loaded.scenario.provider !== provider) {
    throw usageError(
      `${input.file} is of ${loaded.scenario.provider}, not ${provider}`,
      'simulate',
    );
  }
  return loaded.scenario;
}

/** One webhook body as a scenario of one step. */
function scenarioOfPayload(provider: Provider, file: string): Scenario {
  const text = readText(file);
  const after = { months: 0, days: 0, seconds: 1 };
  const more = { after, fresh: [], mayBeUnmatched: false, keepsOrder: false };
  try {
    const events = eventsOfBody(provider, text);
    const [, name = file] = /([^/\\]+?)(?:\.json)?$/.exec(file) ?? [];
    return { name, provider, description: file, steps: [{ from: name, events, ...more }] };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const message = `${file} is no webhook of ${provider}: ${error.message}`;
    throw new AppError('INPUT_UNREADABLE', message);
  }
}

function list({ provider, scenariosDir, json }: Options, terminal: Terminal): 0 | 2 {
  const texts = PROVIDERS.filter((name) => provider === undefined || name === provider).flatMap(
    (name) => listScenarios(name, scenariosDir),
  );
  let broken = false;
  const scenarios: Scenario[] = [];
  for (const input of texts) {
    const { scenario, diagnostics } = loadScenario(input);
    if (scenario !== undefined) scenarios.push(scenario);
    for (const finding of diagnostics) {
      broken = true;
      terminal.writeError(`${formatDiagnostic(finding, () => input.text)}\n\n`);
    }
  }
  if (json) {
    const shown = scenarios.map(({ provider: of, name, description, steps }) => ({
      ...{ provider: of, name, description },
      steps: steps.map(({ from }) => from),
    }));
    terminal.writeOut(`${JSON.stringify(shown, null, 2)}\n`);
  } else {
    const width = Math.max(...scenarios.map((each) => `${each.provider} ${each.name}`.length));
    for (const { provider: of, name, description } of scenarios) {
      terminal.writeOut(`${`${of} ${name}`.padEnd(width)}  ${description}\n`);
    }
  }
  return broken ? 2 : 0;
}
