// keywright simulate: signed webhooks of a whole sale, sent to a running server. Takes a scenario, gives the
// answers; exit code 1 when one of them is not as it should be. Sends to the one address that it is told.

import { calm, chaotic } from '../../authoring/simulator/chaos.ts';
import { tell } from '../../authoring/simulator/deliveries.ts';
import { play } from '../../authoring/simulator/play.ts';
import { randomOf, seedOf } from '../../authoring/simulator/random.ts';
import { eventsOfBody, loadScenario, type Scenario } from '../../authoring/simulator/scenario.ts';
import { findScenario, listScenarios, readText } from '../../authoring/simulator/scenario-files.ts';
import { createEnvironment } from '../../config/environment.ts';
import { readProxies } from '../../config/proxy.ts';
import { createSystemClock } from '../../core/clock.ts';
import { AppError } from '../../core/error-codes.ts';
import { mainSecretName, PROVIDERS, type Provider } from '../../core/providers.ts';
import type { Secret } from '../../core/secret.ts';
import { formatDiagnostic } from '../../engine/diagnostics/findings.ts';
import { createTransport, type Transport } from '../../http/transport.ts';
import { type Command, type Terminal, usageError } from '../command.ts';
import { type Options, PROVIDER_NEEDED, parseOptions } from '../input/simulate-options.ts';
import { headText, rowsOf, simulationJson, summaryText } from '../output/simulate-report.ts';

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
  help: HELP,
  run: async (args, terminal) => {
    const options = parseOptions(args, terminal.env);
    if (options.list) return list(options, terminal);
    const { provider } = options;
    if (provider === undefined) throw usageError(PROVIDER_NEEDED, 'simulate');
    const scenario = scenarioOf(provider, options, terminal);
    if (scenario === undefined) return 2;
    const secret = secretOf(provider, options.secretName, terminal);
    const transport = transportOf(terminal);
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
      endpoint: { provider, url: options.to, secret, transport, nowMs: () => clock.nowMs() },
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

/** @throws ENV_INVALID */
function transportOf({ env }: Terminal): Transport {
  const environment = createEnvironment(env, (path) => readText(path));
  const proxies = readProxies(environment, env);
  const [problem] = environment.problems();
  if (problem !== undefined) throw new AppError(problem.code, problem.message);
  return createTransport(proxies);
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

function isLocal(address: string): boolean {
  return /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(new URL(address).hostname);
}
