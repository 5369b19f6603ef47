// One dry run of the admin API. Takes rules and an event as texts, gives what `keywright dry-run --json` gives, or
// why it cannot be done. Runs in a process of its own (draft-process.ts), on the sandbox; nothing goes live.

import { ACTIONS } from '../../actions/definitions.ts';
import { AppError } from '../../core/error-codes.ts';
import { formatLocation } from '../../engine/diagnostics/findings.ts';
import { loadRuleFile } from '../../engine/load/load.ts';
import type { RuleSet } from '../../engine/rules/rule-set.ts';
import { readWebhookBody } from '../../verifiers/webhook-body.ts';
import { explainEvent } from '../dry-run/explain.ts';
import type { DryRun, DryRunTask, RulesDraft } from './playground.ts';
import { inputOf } from './try-rules.ts';

/** The server holds it as long as it takes to send it. */
const JSON_LENGTH_MAX = 16 * 1024 * 1024;

export async function dryRunRules(task: DryRunTask): Promise<DryRun> {
  try {
    return { kind: 'explained', json: await explain(task) };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { code, message, hint } = error;
    return { kind: 'refused', code, message, hint };
  }
}

async function explain({ draft, provider, event, env }: DryRunTask): Promise<string> {
  const ruleSet = rulesOf(draft);
  const body = new TextEncoder().encode(event);
  const explanations: string[] = [];
  let length = 0;
  for (const one of readWebhookBody(provider, body, ruleSet.source)) {
    const { refused: _, ...shown } = await explainEvent(ruleSet, one, { env, given: undefined });
    const json = JSON.stringify(shown);
    length += json.length;
    if (length > JSON_LENGTH_MAX) {
      throw new AppError('DRAFT_TOO_LARGE', `the answer has more than ${JSON_LENGTH_MAX} bytes`);
    }
    explanations.push(json);
  }
  return `[${explanations.join(',')}]`;
}

/** @throws INPUT_UNREADABLE with every finding */
function rulesOf(draft: RulesDraft): RuleSet {
  const { ruleSet, diagnostics } = loadRuleFile(inputOf(draft), ACTIONS);
  if (ruleSet !== undefined) return ruleSet;
  const findings = diagnostics.map(
    ({ location, message, code }) => `${formatLocation(location)}: ${message} [${code}]`,
  );
  throw new AppError('INPUT_UNREADABLE', findings.join('; '));
}
