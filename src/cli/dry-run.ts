// keywright dry-run: what the rules would do for an event. Reads an event and rules, runs on the sandbox.
// Never reaches the network.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parse as parseYaml } from 'yaml';
import { ACTIONS } from '../actions/definitions.ts';
import { readWebhookBody } from '../compose-verifiers.ts';
import { formatDiagnostic } from '../engine/findings.ts';
import { loadRuleFile } from '../engine/load.ts';
import type { RuleSet } from '../engine/rules.ts';
import { AppError } from '../errors.ts';
import { type Explanation, explainEvent } from '../explanation.ts';
import { PROVIDERS, type Provider } from '../model.ts';
import { readRuleFiles } from '../rule-files.ts';
import type { SandboxGiven } from '../sandbox/types.ts';
import { asUsageError, type Command, type Terminal, usageError } from './command.ts';
import { explanationText } from './explanation-text.ts';
import { environmentFor } from './rules-for.ts';

const HELP = `keywright dry-run --provider PROVIDER EVENT.json [--rules DIR] [--given STATE.yaml] [--json]

Shows what the rules would do for an event: which rule fits and why the others do not, the plan, the
requests that would be sent to Cryptlex, and what would become of the licenses. Nothing leaves the
process: the plan runs on the embedded sandbox.

  EVENT.json     an event or a whole webhook body; "-" reads standard input
  --provider     stripe, fastspring or paddle
  --rules        a directory of rule files, or one file (RULES_DIR, or rules/)
  --given        what exists in Cryptlex before: YAML with users:, licenses:, licenseTemplates:.
                 Without it, one of each that the plan looks for
  --json         a JSON array, one object for each event

Exit code 1: an event would be answered with a 4xx.

Example:
  keywright dry-run --provider fastspring samples/fastspring/order.completed.json
`;

export const dryRunCommand: Command = {
  name: 'dry-run',
  summary: 'shows what the rules would do for an event',
  help: HELP,
  run: async (args, terminal) => {
    const options = parse(args, terminal);
    const given = options.given === undefined ? undefined : readGiven(options.given);
    const ruleSet = loadRules(options.rules, options.provider, terminal);
    if (ruleSet === undefined) return 1;
    const { env, placeholders } = environmentFor(ruleSet, terminal.env);
    for (const name of placeholders) {
      terminal.writeError(`note: ${name} is not set; <${name}> stands for it\n`);
    }
    const body = readInput(options.file);
    const events = readWebhookBody(options.provider, body, ruleSet.source);
    const explanations: Explanation[] = [];
    for (const event of events) {
      explanations.push(await explainEvent(ruleSet, event, { env, given }));
    }
    if (options.json) {
      terminal.writeOut(`${JSON.stringify(explanations.map(toJson), null, 2)}\n`);
    } else {
      const texts = explanations.map((item) => explanationText(item, terminal.isTty));
      terminal.writeOut(texts.join('\n'));
    }
    return explanations.some((explanation) => explanation.refused) ? 1 : 0;
  },
};

interface Options {
  readonly provider: Provider;
  readonly file: string;
  readonly rules: string;
  readonly given: string | undefined;
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
    const rules = values.rules ?? terminal.env['RULES_DIR'] ?? 'rules';
    return { provider, file, rules, given: values.given, json: values.json };
  } catch (error) {
    throw asUsageError(error, 'dry-run');
  }
}

/** The provider's rule file; undefined when it has errors, which are told. */
function loadRules(path: string, provider: Provider, terminal: Terminal): RuleSet | undefined {
  const isFile = /\.ya?ml$/.test(path);
  const [input] = readRuleFiles(isFile ? path : join(path, `${provider}.yaml`));
  if (input === undefined) throw new AppError('RULES_UNREADABLE', `${path} holds no rules`);
  const { ruleSet, diagnostics } = loadRuleFile(input, ACTIONS);
  for (const diagnostic of diagnostics) {
    terminal.writeError(`${formatDiagnostic(diagnostic, () => input.text)}\n\n`);
  }
  if (ruleSet !== undefined && ruleSet.provider !== provider) {
    throw usageError(`${input.file} is for ${ruleSet.provider}, not ${provider}`, 'dry-run');
  }
  return ruleSet;
}

function readInput(file: string): Uint8Array {
  try {
    return readFileSync(file === '-' ? 0 : file);
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new AppError('INPUT_UNREADABLE', `${file} cannot be read (${why})`);
  }
}

const GIVEN_MEMBERS = ['users', 'licenses', 'licenseTemplates', 'products'];

function readGiven(path: string): SandboxGiven {
  const text = new TextDecoder().decode(readInput(path));
  let value: unknown;
  try {
    value = parseYaml(text, { version: '1.2' });
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new AppError('INPUT_UNREADABLE', `${path} is not valid YAML: ${why}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new AppError('INPUT_UNREADABLE', `${path} must be a map of ${GIVEN_MEMBERS.join(', ')}`);
  }
  const unknown = Object.keys(value).find((name) => !GIVEN_MEMBERS.includes(name));
  if (unknown !== undefined) {
    const message = `${path} has "${unknown}", which is none of ${GIVEN_MEMBERS.join(', ')}`;
    throw new AppError('INPUT_UNREADABLE', message);
  }
  return value as SandboxGiven;
}

/** Without what only this program needs. */
function toJson({ refused: _refused, ...explanation }: Explanation): object {
  return explanation;
}
