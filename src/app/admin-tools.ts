// What the admin API can do beside reading the journal: dry runs with the rules that run, or with rules
// that are sent along. Runs on the sandbox only; nothing is sent to Cryptlex.

import { ACTIONS } from '../actions/definitions.ts';
import type { Explanation } from '../authoring/dry-run/explain.ts';
import { AppError } from '../core/error-codes.ts';
import type { Clock } from '../core/model.ts';
import { PROVIDERS, type Provider } from '../core/providers.ts';

import type { Secret } from '../core/secret.ts';
import { formatLocation } from '../engine/diagnostics/findings.ts';
import { loadRuleFile } from '../engine/load/load.ts';
import { matchEvent } from '../engine/plan/match.ts';
import type { RuleSet } from '../engine/rules/rule-set.ts';
import type { Archive } from '../journal/archive.ts';
import type { EventRecord } from '../journal/journal.ts';
import type { CurrentRules } from '../pipeline/pipeline.ts';
import type { AdminDependencies } from '../server/admin.ts';
import { readShipped } from '../sources/shipped-rules.ts';
import { readWebhookBody } from '../verifiers/webhook-body.ts';

/** With it comes the sandbox, which a server that nobody asks never needs. */
const loadExplanation = () => import('../authoring/dry-run/explain.ts');

export function createAdminTools(parts: {
  token: Secret;
  archive: Archive;
  clock: Clock;
  /** The rules that run now. */
  currentRules(): CurrentRules;
}): AdminDependencies {
  const { token, archive, clock, currentRules } = parts;
  return {
    token,
    archive,
    clock,
    dryRun: async ({ provider, event, rules }) => {
      const known = PROVIDERS.find((name) => name === provider);
      if (known === undefined)
        throw new AppError('USAGE', `provider takes ${PROVIDERS.join(', ')}`);
      const { ruleSets, env } = currentRules();
      const ruleSet = rules === undefined ? ruleSets.get(known) : rulesOf(known, rules);
      if (ruleSet === undefined)
        throw new AppError('SOURCE_UNKNOWN', `${known} is not switched on`);
      const { explainEvent } = await loadExplanation();
      const body = new TextEncoder().encode(JSON.stringify(event));
      const explanations: object[] = [];
      for (const one of readWebhookBody(known, body, ruleSet.source)) {
        explanations.push(shown(await explainEvent(ruleSet, one, { env, given: undefined })));
      }
      return explanations;
    },
    trace: async ({ record }) => {
      if (record.isErased) return null;
      const { ruleSets, env } = currentRules();
      const ruleSet = (await rulesThen(record, archive)) ?? ruleSets.get(record.event.source);
      return ruleSet === undefined ? null : (await matchEvent(ruleSet, record.event, env)).trace;
    },
    explain: async ({ record }) => {
      const { ruleSets, env } = currentRules();
      const ruleSet = ruleSets.get(record.event.source);
      if (ruleSet === undefined) {
        throw new AppError('SOURCE_UNKNOWN', `${record.event.source} is not switched on`);
      }
      const { explainEvent } = await loadExplanation();
      return [shown(await explainEvent(ruleSet, record.event, { env, given: undefined }))];
    },
  };
}

/** The rules as they were when the event was handled; their text is kept under the hash it carries. */
export async function rulesThen(
  { rulesHash }: Pick<EventRecord, 'rulesHash'>,
  archive: Archive,
): Promise<RuleSet | undefined> {
  const kept = rulesHash === undefined ? undefined : await archive.findRules(rulesHash);
  if (kept === undefined) return undefined;
  const { file, text, beside } = kept;
  return loadRuleFile({ file, text, readBeside: (name) => beside[name] }, ACTIONS).ruleSet;
}

/** @throws INPUT_UNREADABLE with every finding */
function rulesOf(provider: Provider, text: string): RuleSet {
  const input = { file: `${provider}.yaml`, text, readBeside: readShipped };
  const { ruleSet, diagnostics } = loadRuleFile(input, ACTIONS);
  if (ruleSet !== undefined) return ruleSet;
  const findings = diagnostics.map(
    ({ location, message, code }) => `${formatLocation(location)}: ${message} [${code}]`,
  );
  throw new AppError('INPUT_UNREADABLE', findings.join('; '));
}

function shown({ refused: _refused, ...explanation }: Explanation): object {
  return explanation;
}
