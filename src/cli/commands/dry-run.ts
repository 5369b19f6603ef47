// keywright dry-run: what the rules would do for an event. Reads an event and rules, runs on the sandbox.
// Reaches the network with --live only, and then reads alone: what would write is never sent.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ACTIONS } from '../../actions/definitions.ts';
import { liveAccount } from '../../authoring/dry-run/compose-live.ts';
import {
  type ExplainOptions,
  type Explanation,
  explainEvent,
} from '../../authoring/dry-run/explain.ts';
import { environmentFor } from '../../authoring/dry-run/rule-variables.ts';
import { rulesDirIn } from '../../config/rules-dir.ts';
import { AppError } from '../../core/error-codes.ts';
import { PROVIDERS, type Provider } from '../../core/providers.ts';
import { formatDiagnostic } from '../../engine/diagnostics/findings.ts';
import { loadRuleFile } from '../../engine/load/load.ts';
import type { RuleSet } from '../../engine/rules/rule-set.ts';
import { readRuleFiles } from '../../sources/rule-files.ts';
import { readWebhookBody } from '../../verifiers/webhook-body.ts';
import { asUsageError, type Command, type Terminal, usageError } from '../command.ts';
import { readGivenState } from '../input/given-state.ts';
import { readInput } from '../input/read-input.ts';
import { explanationText } from '../output/explanation/text.ts';
import { paintFor } from '../output/terminal-text.ts';

const HELP = `keywright dry-run --provider PROVIDER EVENT.json [--rules DIR] [--given STATE.yaml | --live]
                  [--all] [--json]

Shows what the rules would do for an event: which rule fits and why the others do not, where each value
comes from, the plan, the requests that would be sent to Cryptlex, and users and licenses before and
after. Nothing leaves the process: the plan runs on the embedded sandbox.

  EVENT.json     an event or a whole webhook body; "-" reads standard input
  --provider     stripe, fastspring or paddle
  --rules        a directory of rule files, or one file (RULES_DIR, or rules/)
  --given        what exists in Cryptlex before: YAML with users:, licenses:, licenseTemplates:,
                 products:, as under given: in a rule test. Without it, one license of each that
                 the plan looks for
  --live         looks into your Cryptlex account instead (CRYPTLEX_ACCESS_TOKEN,
                 CRYPTLEX_WEB_API_BASE_URL). It is read only: what would be written is shown, not sent
  --all          shows every rule, item and name in full; --verbose is the same
  --json         a JSON array, one object for each event

Colours are used on a terminal, unless NO_COLOR is set.
Exit code 1: an event would be answered with a 4xx.

Example:
  keywright dry-run --provider fastspring samples/fastspring/order.completed.json
`;

export const dryRunCommand: Command = {
  help: HELP,
  run: async (args, terminal) => {
    const options = parse(args, terminal);
    const given = options.given === undefined ? undefined : readGivenState(options.given, terminal);
    if (options.given !== undefined && given === undefined) return 2;
    const ruleSet = loadRules(options.rules, options.provider, terminal);
    if (ruleSet === undefined) return 1;
    const { env, placeholders } = environmentFor(ruleSet, terminal.env);
    for (const name of placeholders) {
      terminal.writeError(`note: ${name} is not set; <${name}> stands for it\n`);
    }
    const stage = options.live ? liveStages(terminal) : {};
    const body = readInput(options.file);
    const events = readWebhookBody(options.provider, body, ruleSet.source);
    const explanations: Explanation[] = [];
    for (const event of events) {
      explanations.push(await explainEvent(ruleSet, event, { env, given, ...stage }));
    }
    tell(explanations, options, terminal);
    if (options.live && explanations.some(couldNotRead)) return 2;
    return explanations.some((explanation) => explanation.refused) ? 1 : 0;
  },
};

interface Options {
  readonly provider: Provider;
  readonly file: string;
  readonly rules: string;
  readonly given: string | undefined;
  readonly live: boolean;
  readonly all: boolean;
  readonly json: boolean;
}

function parse(args: readonly string[], terminal: Terminal): Options {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: {
        provider: { type: 'string' },
        rules: { type: 'string' },
        given: { type: 'string' },
        live: { type: 'boolean', default: false },
        all: { type: 'boolean', default: false },
        verbose: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
      allowPositionals: true,
    });
    const provider = PROVIDERS.find((name) => name === values.provider);
    if (provider === undefined) {
      throw usageError(`--provider takes ${PROVIDERS.join(', ')}`, 'dry-run');
    }
    const [file, ...extra] = positionals;
    if (file === undefined || extra.length > 0) {
      throw usageError('dry-run takes one event file', 'dry-run');
    }
    const { given, live, json } = values;
    if (live && given !== undefined) {
      throw usageError('--given and --live both say what exists in Cryptlex; use one', 'dry-run');
    }
    const rules = values.rules ?? rulesDirIn(terminal.env);
    return { provider, file, rules, given, live, all: values.all || values.verbose, json };
  } catch (error) {
    throw asUsageError(error, 'dry-run');
  }
}

/** The provider's rule file; undefined when it has errors, which are told. */
function loadRules(path: string, provider: Provider, terminal: Terminal): RuleSet | undefined {
  const isFile = /\.ya?ml$/.test(path);
  const [input] = readRuleFiles(isFile ? path : join(path, `${provider}.yaml`));
  if (input === undefined) throw new AppError('RULES_UNREADABLE', `${path} holds no rules`);
  const { ruleSet, diagnostics, textOf } = loadRuleFile(input, ACTIONS);
  for (const diagnostic of diagnostics) {
    terminal.writeError(`${formatDiagnostic(diagnostic, textOf)}\n\n`);
  }
  if (ruleSet !== undefined && ruleSet.provider !== provider) {
    throw usageError(`${input.file} is for ${ruleSet.provider}, not ${provider}`, 'dry-run');
  }
  return ruleSet;
}

/** @throws ENV_MISSING, ENV_INVALID and what else is wrong with how Cryptlex is reached */
function liveStages({ env, writeError }: Terminal): Required<Pick<ExplainOptions, 'stage'>> {
  const stage = liveAccount(env, (path) => readFileSync(path, 'utf8'));
  writeError('note: Cryptlex is read only; what would be written is not sent\n');
  return { stage };
}

/** Cryptlex itself gave no answer: that says nothing of the event. */
function couldNotRead({ errors }: Explanation): boolean {
  return errors.some(({ code }) => code.startsWith('CRYPTLEX_'));
}

function tell(
  explanations: readonly Explanation[],
  { json, all }: Options,
  terminal: Terminal,
): void {
  if (json) {
    terminal.writeOut(`${JSON.stringify(explanations.map(toJson), null, 2)}\n`);
    return;
  }
  const paint = paintFor(terminal);
  terminal.writeOut(explanations.map((item) => explanationText(item, { paint, all })).join('\n'));
}

/** Without what only this program needs. */
function toJson({ refused: _refused, ...explanation }: Explanation): object {
  return explanation;
}
