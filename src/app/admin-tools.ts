// What the admin API can do beside reading the journal: dry runs with the rules that run, or with rules
// that are sent along. Runs on the sandbox only; nothing is sent to Cryptlex.

import { ACTIONS } from '../actions/definitions.ts';
import type { Explanation } from '../authoring/dry-run/explain.ts';
import {
  type DryRun,
  type NotAnswered,
  type RulesDraft,
  TRY_MS_MAX,
  type Workbench,
} from '../authoring/playground/playground.ts';
import { AppError } from '../core/error-codes.ts';
import type { Clock } from '../core/model.ts';
import { PROVIDERS, type Provider } from '../core/providers.ts';

import type { Secret } from '../core/secret.ts';
import { loadRuleFile } from '../engine/load/load.ts';
import { matchEvent } from '../engine/plan/match.ts';
import type { RuleSet } from '../engine/rules/rule-set.ts';
import type { Archive } from '../journal/archive.ts';
import type { EventRecord } from '../journal/journal.ts';
import type { CurrentRules } from '../pipeline/pipeline.ts';
import type { AdminDependencies } from '../server/admin.ts';

/** With it comes the sandbox, which a server that nobody asks never needs. */
const loadExplanation = () => import('../authoring/dry-run/explain.ts');

export function createAdminTools(parts: {
  token: Secret;
  archive: Archive;
  clock: Clock;
  /** Where drafts are evaluated, away from the server. */
  workbench: Pick<Workbench, 'dryRun'>;
  /** The rules that run now. */
  currentRules(): CurrentRules;
}): AdminDependencies {
  const { token, archive, clock, workbench, currentRules } = parts;
  return {
    token,
    archive,
    clock,
    dryRun: async ({ provider, event, rules }) => {
      const known = PROVIDERS.find((name) => name === provider);
      if (known === undefined)
        throw new AppError('USAGE', `provider takes ${PROVIDERS.join(', ')}`);
      const { ruleSets, env } = currentRules();
      const draft = rules === undefined ? ruleSets.get(known) : draftOf(known, rules);
      if (draft === undefined) throw new AppError('SOURCE_UNKNOWN', `${known} is not switched on`);
      const { file, text, beside } = draft;
      const task = { draft: { file, text, beside }, provider: known, env };
      return jsonOf(await workbench.dryRun({ ...task, event: JSON.stringify(event) }));
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

function draftOf(provider: Provider, text: string): RulesDraft {
  return { file: `${provider}.yaml`, text, beside: {} };
}

/** @throws AppError why there is no answer */
function jsonOf(answer: DryRun | NotAnswered): unknown {
  switch (answer.kind) {
    case 'explained':
      return JSON.parse(answer.json);
    case 'refused':
      throw new AppError(answer.code, answer.message, { hint: answer.hint });
    case 'too-slow':
      throw new AppError('DRAFT_TOO_SLOW', `it was stopped after ${TRY_MS_MAX / 1000} s`);
    case 'too-large':
      throw new AppError('DRAFT_TOO_LARGE', 'it was stopped');
    case 'unavailable':
      throw new AppError('DRAFT_UNAVAILABLE', answer.reason ?? 'no process was started');
    default:
      throw new AppError('DRAFT_QUEUE_FULL', 'this one was not evaluated');
  }
}

function shown({ refused: _refused, ...explanation }: Explanation): object {
  return explanation;
}
